"""The inputs and answers of the payment activities."""

from __future__ import annotations

from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict

from domain.errors import OrderloomError
from domain.money import Money
from domain.orders.messages import RefundRequest, RefundTo
from domain.orders.price_match_messages import PriceMatchRequest
from domain.orders.proposals import Proposal
from domain.orders.refund_rules import Granted


class Authorize(BaseModel):
    """Have an order's payment hold until a moment, for these parts of it or, with none, for all.

    Rows say what is to be charged for each part. `ahead`: the order is charged as a whole, so it is
    one part. `until`: None means now.
    `spare`: how long before its end an authorization is renewed that cannot be made to last until
    then. `attempt` is one more than the number of refusals that the customer has answered with a
    new token. The token is here with its `provider`, if it has another one; it is kept, and takes
    the place of the order's own also for whoever asks without it later. `edit`: as if the order
    were changed to that already.
    """

    model_config = ConfigDict(frozen=True)

    order_id: str
    edit: Proposal | None = None
    ahead: bool = False
    parts: tuple[str, ...] = ()
    until: datetime | None = None
    spare: timedelta = timedelta(0)
    attempt: int = 1
    provider: str = ""
    token: str = ""


class Charge(BaseModel):
    """Charge the customer for a fulfilment that left, or for the whole order (`<order>:prepaid`).

    The amount is in rows. `attempt` counts deliberate new tries after a firm refusal; retries of
    one try share its key. `renews`: the caller will authorize again when the authorization has
    ended, so the step must fail with type `not_authorized`. `or_nothing`: if a company refuses,
    the order is not charged after all, and what other means have paid by then is owed back.
    """

    model_config = ConfigDict(frozen=True)

    order_id: str
    part_id: str
    attempt: int = 1
    by_hand: str | None = None
    renews: bool = False
    or_nothing: bool = False


class Charged(BaseModel):
    """It is charged. `authorized`: more stays authorized, which is to be released in the end.

    `awaits_exchange`: the rest is charged when it is known what comes back for the exchange.
    """

    model_config = ConfigDict(frozen=True)

    authorized: bool = False
    awaits_exchange: bool = False


class GrantRefund(BaseModel):
    """A refund that somebody asks for: of units that stay, of shipping, as goodwill, or because a
    lower price is met.

    `turn`: what is refused in it stays refused, also for an attempt that comes late. The request
    may be made again in another turn.
    """

    model_config = ConfigDict(frozen=True)

    order_id: str
    request_id: str
    request: RefundRequest | PriceMatchRequest
    turn: str = ""


class Refusal(BaseModel):
    """A rule says no, with the error's stable type, its reason and the way on, as in the error.

    Nothing was changed.
    """

    model_config = ConfigDict(frozen=True)

    kind: str
    message: str
    reason: str = ""
    instead: tuple[str, ...] = ()

    @classmethod
    def of(cls, error: OrderloomError) -> Refusal:
        """The refusal that an error says."""
        return cls(kind=error.kind, message=str(error), reason=error.reason, instead=error.instead)


class RefundGranted(BaseModel):
    """The refund that is owed from now on; or none, because it was `refused`.

    `asked`: goodwill of so much is put before a person.
    """

    model_config = ConfigDict(frozen=True)

    granted: Granted | None = None
    refused: Refusal | None = None
    asked: Money | None = None


class Refund(BaseModel):
    """Pay back a refund that was granted. Its amount and its reason are in its row.

    `attempt` and `by_hand` as in Charge. `to` says where the money goes: the way it was paid (by
    the order's policy where that is several), store credit of the customer, or a voucher. None: as
    it was granted.
    """

    model_config = ConfigDict(frozen=True)

    refund_id: str
    attempt: int = 1
    by_hand: str | None = None
    to: RefundTo | None = None


class Void(BaseModel):
    """Release every amount that is authorized and not captured.

    `beyond`: only authorizations without which all that is still to be charged is authorized.
    `ahead` and `spare` are then as in Authorize.
    """

    model_config = ConfigDict(frozen=True)

    order_id: str
    why: str
    beyond: bool = False
    ahead: bool = False
    spare: timedelta = timedelta(0)
