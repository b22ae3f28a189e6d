"""What customer service, operators and the outside may say to an order, and what it answers.

The same models serve signals, updates, the client and the command line. Lines left out mean the
whole order. A `request_id` makes a repeat the same request; a signal without one is a new request.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from domain.fields import Document, Id, Reason, Who
from domain.order import LINES_MAX, Quantity


class LineRequest(Document):
    """`quantity` units of one line; without a quantity, all that can be."""

    line_id: Id
    quantity: Quantity | None = None


class CancelRequest(Document):
    """Please do not send this (any more)."""

    reason: Reason
    lines: Annotated[tuple[LineRequest, ...], Field(max_length=LINES_MAX)] = ()
    request_id: Id | None = None
    by: Who = "customer service"


class ReturnRequest(Document):
    """The customer wants to send this back."""

    reason: Reason
    lines: Annotated[tuple[LineRequest, ...], Field(max_length=LINES_MAX)] = ()
    request_id: Id | None = None
    by: Who = "customer service"


class AttentionAnswer(Document):
    """What an operator decides about a step that asks for attention.

    retry: try it again. done: it was done by hand, go on (say how in `note`; it is recorded).
    cancel: give the step up; its units are cancelled and paid back.
    """

    step: Annotated[str, Field(min_length=1, max_length=200)]
    action: Literal["retry", "done", "cancel"]
    note: Reason
    by: Who = "operator"


class Units(BaseModel):
    """Units of one line, with why where a rule spoke."""

    model_config = ConfigDict(frozen=True)

    line_id: str
    quantity: int
    why: str = ""


class CancelOutcome(BaseModel):
    """What became of a cancellation: per unit it is cancelled, or refused with the way on."""

    model_config = ConfigDict(frozen=True)

    request_id: str
    outcome: Literal["cancelled", "partly_cancelled", "refused"]
    cancelled: tuple[Units, ...] = ()
    refused: tuple[Units, ...] = ()
    return_offered: bool = False
    message: str = ""


class ReturnOutcome(BaseModel):
    """What became of a return request. `return_id` goes on the parcel that comes back."""

    model_config = ConfigDict(frozen=True)

    request_id: str
    outcome: Literal["approved", "refused"]
    return_id: str | None = None
    lines: tuple[Units, ...] = ()
    message: str = ""


class Waiting(BaseModel):
    """Units of a line that are waited for, and the day by which they arrive, where it is known."""

    model_config = ConfigDict(frozen=True)

    line_id: str
    quantity: int
    promised_on: date | None = None


class Placement(BaseModel):
    """The answer to placing an order."""

    model_config = ConfigDict(frozen=True)

    order_id: str
    outcome: Literal["confirmed", "rejected", "in_progress"]
    reason: str = ""
    missing: tuple[Units, ...] = ()
    backordered: tuple[Waiting, ...] = ()
    promised_on: date | None = None
    """The day by which all of it arrives, as far as that was known when it was confirmed."""
