"""What an order's workflow asks of payments, and is told."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from domain.money import Money
from domain.orders.amounts import Worth
from domain.orders.quantities import LineUnits


class TenderAsk(BaseModel):
    """A means of payment, by its place in the order's list, and what it is to pay of each part.

    `most`: what a part may come to, where each is charged by itself and in whatever sequence.
    """

    model_config = ConfigDict(frozen=True)

    number: int
    provider: str
    token: str
    parts: dict[str, int] = {}
    most: dict[str, int] = {}

    @property
    def amount(self) -> int:
        return sum(self.parts.values())


class Authorize(BaseModel):
    """Set the amount aside, from each tender its part.

    `attempt` is one more than there were refusals that the customer has answered with a new token.
    """

    model_config = ConfigDict(frozen=True)

    order_id: str
    amount: Money
    tenders: tuple[TenderAsk, ...]
    attempt: int = 1


class Reauthorize(BaseModel):
    """See to it that so much can be charged for a parcel until then, authorizing again if need be.

    `amount` is in minor units. Of the tenders the last pays what none has authorized.
    """

    model_config = ConfigDict(frozen=True)

    order_id: str
    part: str
    amount: int
    until: datetime
    tenders: tuple[TenderAsk, ...]
    attempt: int = 1


class Authorized(BaseModel):
    """What is authorized, and whether each can be charged once only.

    `until`: when the soonest ends, by the part that it was made for ("" for all of the order). A
    part is left out where nothing that is made for it ever ends.
    """

    model_config = ConfigDict(frozen=True)

    until: dict[str, datetime] = {}
    once: bool = False


class Capture(BaseModel):
    """Charge what one fulfilment ships, or (`prepaid`) all of an order before anything does.

    `units` are then paid for, and go out now unless it is `prepaid`. `attempt` counts
    deliberate new tries after a firm refusal; retries of one try share its key. `after_refund`: a
    refund was decided before this was. `renews`: who asks has it authorized again where the
    authorization has ended, and wants to be told so.
    """

    model_config = ConfigDict(frozen=True)

    order_id: str
    fulfilment_id: str
    worth: Worth
    currency: str
    units: LineUnits
    attempt: int = 1
    by_hand: str | None = None
    prepaid: bool = False
    after_refund: bool = False
    renews: bool = False


class Invoice(BaseModel):
    """Goods that were charged before have gone out: units, and what they are worth.

    `after_refund` as in Capture.
    """

    model_config = ConfigDict(frozen=True)

    order_id: str
    fulfilment_id: str
    units: LineUnits
    worth: Worth
    currency: str
    after_refund: bool = False


class Refund(BaseModel):
    """Owe the customer something, and pay it back.

    `refund_id` is a return's id, or names what it makes good. `units` are paid back;
    of kind "units" the customer keeps them. `unconceded`: units that had been paid back so, and
    came. `credited`: what was invoiced of the worth. `to`: the way it was paid,
    the last charged first, or as store credit of the customer.
    """

    model_config = ConfigDict(frozen=True)

    order_id: str
    refund_id: str
    worth: Worth
    credited: Worth
    currency: str
    units: LineUnits
    why: str
    return_id: str | None = None
    attempt: int = 1
    by_hand: str | None = None
    kind: Literal["return", "lost", "cancelled", "units", "shipping", "goodwill"] = "return"
    unconceded: LineUnits = {}
    to: Literal["original", "store_credit"] = "original"
    customer_id: str = ""
    who: str = "orderloom"


class MayRefund(BaseModel):
    """May anything of an order be paid back?"""

    model_config = ConfigDict(frozen=True)

    order_id: str


class Answer(BaseModel):
    """Empty for yes, or why not."""

    model_config = ConfigDict(frozen=True)

    why_not: str = ""


class Void(BaseModel):
    """Release what is authorized and not captured."""

    model_config = ConfigDict(frozen=True)

    order_id: str
    why: str
