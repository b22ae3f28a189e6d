"""The requests that people and programs send to an order, and its answers.

The same models serve signals, updates, the client and the command line. Lines left out mean the
whole order. A `request_id` makes a repeat the same request; a signal without one is a new request.
"""

from __future__ import annotations

import hashlib
import json
from datetime import date
from decimal import Decimal
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from domain.fields import (
    Amount,
    Document,
    Flag,
    Id,
    LineId,
    Reason,
    Token,
    Who,
    inconsistent,
)
from domain.money import Money
from domain.orders.order import LINES_MAX, Quantity
from domain.orders.providers import ProviderName


class LineRequest(Document):
    """`quantity` units of one line; without a quantity, as many as possible."""

    line_id: LineId
    quantity: Quantity | None = None


RefundTo = Literal["original", "store_credit", "voucher"]
RefundKind = Literal[
    "return",
    "lost",
    "cancelled",
    "units",
    "shipping",
    "goodwill",
    "price_match",
    "claim",
    "elsewhere",
]


CANCELLATION_ASKED: Final = "cancellation asked for"
"""What an order's story says of a request to cancel that came before it was placed."""


class OrderRequest(Document):
    """What every request has: an id of the asker's, and who asks.

    An order answers a request once per id. `request_kinds.py` lists the kinds.
    """

    request_id: Id | None = None
    by: Who = "customer service"

    @property
    def as_met(self) -> OrderRequest:
        """The request as the order has it, where that is not all that was asked for."""
        return self


class CancelRequest(OrderRequest):
    """Do not send these units."""

    reason: Reason
    lines: Annotated[tuple[LineRequest, ...], Field(max_length=LINES_MAX)] = ()


class RefundRequest(OrderRequest):
    """Pay an amount back without a return.

    One of: `lines`, units that the customer keeps (with their share of the shipping if `shipping`
    says so); `shipping` alone, all of it that is not paid back yet; or `amount`, as goodwill. `to`:
    the way it was paid, as store credit, or as a voucher.
    """

    reason: Reason
    lines: Annotated[tuple[LineRequest, ...], Field(max_length=LINES_MAX)] = ()
    shipping: Flag = False
    amount: Amount | None = None
    to: RefundTo = "original"
    role: Id | None = None
    """In which role goodwill is given, where the policy limits it by roles. Over HTTP, a key that
    has a role gives it in that one."""
    ask: Flag = False
    """Goodwill over a limit is put before somebody in a role that may give it."""
    approves: Id | None = None
    """The id of a request that was put so: it is given as was asked, in this `role`."""

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        if self.approves is not None:
            if self.amount is not None or self.lines or self.shipping or self.ask:
                raise inconsistent("approves", "what is approved says what to pay back")
            return self
        if self.amount is None and not self.lines and not self.shipping:
            raise inconsistent("amount", "say what to pay back: lines, shipping, or an amount")
        if self.amount is not None and (self.lines or self.shipping):
            raise inconsistent(
                "amount", "goodwill goes without lines and shipping: give one or the other"
            )
        if self.amount is not None and self.amount <= 0:
            raise inconsistent("amount", "must be more than zero")
        return self


class PayRequest(OrderRequest):
    """The customer confirmed the payment, or pays with a new token."""

    token: Token
    provider: ProviderName | None = None
    """Left out: the one that the order was placed with."""
    by: Who = "customer"


class ChargeRequest(OrderRequest):
    """Charge an order whose policy (`manual`) waits for this request."""

    note: Reason
    by: Who = "operator"


def digest_of(request: OrderRequest) -> str:
    """A hash of the request. It tells a repeat from another request with the same id.

    A left-out field and one with its default give the same digest, so a field that a later version
    adds changes no digest.
    """

    def canonical(value: object) -> str:
        # 5.0 and 5.00 are the same amount.
        return format(value.normalize(), "f") if isinstance(value, Decimal) else str(value)

    met = request.as_met
    content = met.model_dump(exclude_defaults=True)
    kind = type(met).__name__
    text = json.dumps({"kind": kind, **content}, default=canonical, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


class AttentionAnswer(Document):
    """An operator's decision about a step that needs attention.

    retry: try it again. done: it was done by hand, go on (say how in `note`; it is recorded).
    cancel: give the step up; its units are cancelled and paid back. store_credit: give the owed
    amount as store credit instead. send_back, charge: of a lost parcel that reached its customer.
    """

    step: Annotated[str, Field(min_length=1, max_length=200)]
    action: Literal["retry", "done", "cancel", "store_credit", "send_back", "charge"]
    note: Reason
    by: Who = "operator"


class Units(BaseModel):
    """Units of one line; where a rule refused them, why, and its stable code (`reason`)."""

    model_config = ConfigDict(frozen=True)

    line_id: str
    quantity: int
    why: str = ""
    reason: str = ""


class CancelOutcome(BaseModel):
    """The outcome of a cancellation: each unit is cancelled, or refused with the way on."""

    model_config = ConfigDict(frozen=True)

    request_id: str
    outcome: Literal["cancelled", "partly_cancelled", "refused"]
    cancelled: tuple[Units, ...] = ()
    refused: tuple[Units, ...] = ()
    return_offered: bool = False
    message: str = ""


class RefundOutcome(BaseModel):
    """The outcome of a refund request: paid back, or granted and still owed, and why.

    asked: it is goodwill that somebody in another role decides about; `refund_id` is empty.
    """

    model_config = ConfigDict(frozen=True)

    request_id: str
    outcome: Literal["refunded", "owed", "asked"]
    refund_id: str
    amount: Money
    message: str = ""


class PayOutcome(BaseModel):
    """The outcome of a payment: authorized, charged, or refused and why."""

    model_config = ConfigDict(frozen=True)

    request_id: str
    outcome: Literal["accepted", "refused"]
    message: str = ""


class Waiting(BaseModel):
    """Backordered units of a line, and the day by which they arrive, if known."""

    model_config = ConfigDict(frozen=True)

    line_id: str
    quantity: int
    promised_on: date | None = None


class Placement(BaseModel):
    """The answer to placing an order. held: it waits for the customer's payment."""

    model_config = ConfigDict(frozen=True)

    order_id: str
    outcome: Literal["confirmed", "held", "rejected", "in_progress"]
    reason: str = ""
    missing: tuple[Units, ...] = ()
    backordered: tuple[Waiting, ...] = ()
    promised_on: date | None = None
    """The day by which everything arrives, as known at the confirmation."""
