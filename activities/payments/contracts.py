"""The inputs and answers of the payment activities."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict

from domain.orders.amounts import Worth
from domain.orders.quantities import LineUnits
from domain.payments.cover import Need


class Authorize(BaseModel):
    """Have an order's payment hold until a moment, for these parts of it or, with none, for all.

    `needs`: what is to be charged for each part that is not charged. `until`: None means now.
    `spare`: how long before its end an authorization is renewed that cannot be made to last until
    then. `attempt` is one more than the number of refusals that the customer has answered with a
    new token, which is here with its `provider`, in place of the order's own.
    """

    model_config = ConfigDict(frozen=True)

    order_id: str
    needs: tuple[Need, ...]
    parts: tuple[str, ...] = ()
    until: datetime | None = None
    spare: timedelta = timedelta(0)
    attempt: int = 1
    provider: str = ""
    token: str = ""


class Capture(BaseModel):
    """Charge the units that one fulfilment ships, or (`prepaid`) a whole order before it ships.

    The `units` are paid for by this; they go out now unless it is `prepaid`. `attempt` counts
    deliberate new tries after a firm refusal; retries of one try share its key. `after_refund`: a
    refund was decided before this charge. `renews`: the caller will authorize again when the
    authorization has ended, so the step must fail with type `not_authorized`.
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
    """Units that were charged before have gone out: the units and their worth.

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
    """Owe the customer an amount, and pay it back.

    `refund_id` is a return's id, or names the reason of the goodwill. `units` are paid back; in a
    refund of kind "units" the customer keeps them. `unconceded` are units that came back although
    they had been paid back in that way. `credited` is the part of the worth that was invoiced, in
    minor units. `to` says where the money goes: the way it was paid (the last charged first), or
    store credit of the customer.
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
    who: str = "orderloom"


class MayRefund(BaseModel):
    """The question whether anything of an order may be paid back."""

    model_config = ConfigDict(frozen=True)

    order_id: str


class Answer(BaseModel):
    """Empty means yes; otherwise the reason why not."""

    model_config = ConfigDict(frozen=True)

    why_not: str = ""


class Void(BaseModel):
    """Release every amount that is authorized and not captured."""

    model_config = ConfigDict(frozen=True)

    order_id: str
    why: str
