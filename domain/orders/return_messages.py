"""Requests about returns: to send units back, to decide about that, to give it up; and answers."""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from domain.errors import OrderloomError
from domain.fields import Flag, Reason, Shape
from domain.money import Money
from domain.orders.messages import LineRequest, OrderRequest, Units
from domain.orders.order import LINES_MAX
from domain.orders.quantities import LineId, LineUnits

ReturnReason = Literal[
    "did_not_fit",
    "damaged",
    "defective",
    "wrong_item",
    "not_as_described",
    "changed_mind",
    "too_late",
    "other",
]
"""Why the customer sends units back, as a code. `too_late`: they came too late."""

FAULT_OF_THE_SELLER: Final[frozenset[ReturnReason]] = frozenset(
    {"damaged", "defective", "wrong_item", "not_as_described", "too_late"}
)
"""For these the customer pays nothing, and no sale is final."""

ReturnId = Annotated[
    str,
    Field(max_length=200, examples=["web-1001:R1"]),
    Shape(r"^[^:\s]+:R[0-9]{1,9}$", "a return's id, such as web-1001:R1"),
]

ReturnState = Literal[
    "requested", "approved", "in_transit", "refused", "received", "refunded", "closed"
]
"""requested: a person decides. in_transit: a carrier has its parcel. closed: it was given up, or
nothing else is to be done."""


class ReturnLine(LineRequest):
    """Units of one line that come back. `reason_code`: of this line, where it has its own."""

    reason_code: ReturnReason | None = None


class ReturnRequest(OrderRequest):
    """The customer wants to send these units back. `late`: also after the return window."""

    reason: Reason
    reason_code: ReturnReason = "other"
    lines: Annotated[tuple[ReturnLine, ...], Field(max_length=LINES_MAX)] = ()
    late: Flag = False


class ReturnOutcome(BaseModel):
    """The outcome of a return request.

    approved: the customer writes `return_id` on the parcel. requested: a person decides first;
    `asks` has the codes of the rules that want one.
    """

    model_config = ConfigDict(frozen=True)

    request_id: str
    outcome: Literal["approved", "requested", "refused"]
    return_id: str | None = None
    lines: tuple[Units, ...] = ()
    asks: tuple[str, ...] = ()
    message: str = ""


class ReturnPreview(BaseModel):
    """What a return would do; nothing is written.

    `comes_back`: what is paid back if all of it comes, as new; `kept` of its worth is not. `asks`:
    why a person decides first. `label_fee`: what the customer pays for a label; None: none is
    bought. `is_at_once`: it is paid back as soon as a carrier has the parcel.
    """

    model_config = ConfigDict(frozen=True)

    order_id: str
    lines: tuple[Units, ...]
    comes_back: Money
    kept: Money | None = None
    asks: tuple[str, ...] = ()
    label_fee: Money | None = None
    is_at_once: bool = False


class ReturnAnswer(OrderRequest):
    """A person's decision about a return that the rules did not decide about."""

    return_id: ReturnId
    decision: Literal["approve", "refuse"]
    note: Reason


class ReturnGivenUp(OrderRequest):
    """The customer keeps the units of a return: they do not come back."""

    return_id: ReturnId
    reason: Reason


class ReturnDecided(BaseModel):
    """What became of a return that somebody decided about, or gave up."""

    model_config = ConfigDict(frozen=True)

    request_id: str
    return_id: str
    outcome: Literal["approved", "refused", "cancelled"]
    message: str = ""


class ReturnRefusal(BaseModel):
    """Why a rule said no: a sentence, a stable code, and what can be asked for instead."""

    model_config = ConfigDict(frozen=True)

    message: str
    reason: str
    instead: tuple[str, ...] = ()

    @classmethod
    def of(cls, error: OrderloomError) -> Self:
        """The error as a value."""
        return cls(message=str(error), reason=error.reason, instead=error.instead)


def reason_codes(request: ReturnRequest, units: LineUnits) -> dict[LineId, ReturnReason]:
    """Line id → why its units come back: as the line says, or as the whole request does."""
    own = {line.line_id: line.reason_code for line in request.lines if line.reason_code}
    return {line_id: own.get(line_id, request.reason_code) for line_id in units}
