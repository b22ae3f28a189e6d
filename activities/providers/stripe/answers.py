"""The parts of Stripe's answers that are read here, and the marks that our calls leave there.

Stripe keeps no list of calls by idempotency key. So each call leaves its key in the metadata of the
object that it makes or changes: `orderloom_key` on a payment intent and on a refund; and on the
intent `capture_<digest of the key>` for each capture, `orderloom_voiding` before it is cancelled,
and `orderloom_void` where it ends after a capture. The same call captures and sets the capture's
mark, so neither exists without the other.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Final, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from activities.providers.stripe.amounts import from_stripe
from domain.money import Money

ORDER: Final = "orderloom_order"
KEY: Final = "orderloom_key"
VOIDING: Final = "orderloom_voiding"
VOID: Final = "orderloom_void"
_CAPTURE: Final = "capture_"
_DIGEST: Final = 32  # Stripe allows 40 characters in a name in metadata.


class Mark(NamedTuple):
    """The trace that a call leaves at Stripe: its amount in Stripe's units, and its key."""

    amount: int
    key: str

    def __str__(self) -> str:
        return f"{self.amount} {self.key}"


def capture_mark(key: str, amount: int) -> dict[str, str]:
    """Metadata that says: this intent was captured with this key."""
    return {f"{_CAPTURE}{_digest(key)}": str(Mark(amount, key))}


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:_DIGEST]


def _read(mark: str) -> Mark:
    amount, _, key = mark.partition(" ")
    return Mark(int(amount), key)


class Answer(BaseModel):
    """The fields of an answer that are read here; others are ignored.

    Times are seconds since 1970.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")


class Transaction(Answer):
    """A movement of the account's balance, in the currency of the account's payouts."""

    id: str
    created: int
    amount: int
    currency: str
    fee: int = 0
    source: Charge | str | None = None

    @property
    def at(self) -> datetime:
        """The time when it was booked."""
        return moment(self.created)

    @property
    def kept(self) -> Money | None:
        """Stripe's fee for it; None when that is not a whole amount."""
        try:
            return from_stripe(self.fee, self.currency)
        except ValueError:
            return None


class Multicapture(Answer):
    """Whether a card can be captured several times."""

    status: str = "unavailable"


class CardDetails(Answer):
    """Special properties of a card's charge."""

    capture_before: int | None = None
    multicapture: Multicapture | None = None


class MethodDetails(Answer):
    """The means by which a charge was paid."""

    card: CardDetails | None = None


class Charge(Answer):
    """A charge of a card: authorized, perhaps captured. Failed ones are charges, too."""

    id: str
    status: str
    amount: int
    currency: str
    created: int
    amount_captured: int = 0
    balance_transaction: Transaction | str | None = None
    payment_intent: Intent | str | None = None
    payment_method_details: MethodDetails | None = None

    @property
    def card(self) -> CardDetails:
        """Its card details, or empty ones."""
        details = self.payment_method_details
        return (details and details.card) or CardDetails()

    @property
    def captures_several(self) -> bool:
        """Whether it can be captured more than once."""
        multicapture = self.card.multicapture
        return multicapture is not None and multicapture.status == "available"


class Failure(Answer):
    """The reason why a payment failed."""

    code: str | None = None
    decline_code: str | None = None
    message: str | None = None


class Intent(Answer):
    """A payment intent; Orderloom calls it an authorization."""

    id: str
    status: str
    amount: int
    currency: str
    created: int
    amount_received: int = 0
    canceled_at: int | None = None
    cancellation_reason: str | None = None
    metadata: dict[str, str] = Field(default_factory=dict)
    latest_charge: Charge | str | None = None
    last_payment_error: Failure | None = None

    @property
    def order_id(self) -> str:
        """The order it is for; empty if Orderloom did not ask for it."""
        return self.metadata.get(ORDER, "")

    @property
    def key(self) -> str:
        """The key it was authorized with; empty if Orderloom did not ask for it."""
        return self.metadata.get(KEY, "")

    @property
    def charge(self) -> Charge | None:
        """Its charge, if the answer holds it in full."""
        return self.latest_charge if isinstance(self.latest_charge, Charge) else None

    @property
    def authorized(self) -> bool:
        """Whether it was authorized once, whatever happened to it later."""
        charge = self.charge
        return charge is not None and charge.status == "succeeded"

    @property
    def expired(self) -> bool:
        """Whether Stripe ended it because it was not captured in time."""
        # The API called it "automatic" before version 2025-03-31.
        return self.status == "canceled" and self.cancellation_reason in ("expired", "automatic")

    @property
    def captures(self) -> tuple[Mark, ...]:
        """The captures that Orderloom made."""
        return tuple(
            _read(self.metadata[name])
            for name in sorted(self.metadata)
            if name == f"{_CAPTURE}{_digest(self.metadata[name].partition(' ')[2])}"
        )

    @property
    def ended(self) -> Mark | None:
        """The void that came after a capture: the amount it released, and its key."""
        mark = self.metadata.get(VOID)
        return None if mark is None else _read(mark)

    def money(self, amount: int) -> Money:
        """An amount from Stripe in this intent's currency."""
        return from_stripe(amount, self.currency)


class Refund(Answer):
    """Money on its way back."""

    id: str
    status: str
    amount: int
    currency: str
    created: int
    metadata: dict[str, str] | None = None
    charge: str | None = None
    payment_intent: str | None = None
    balance_transaction: Transaction | str | None = None
    failure_reason: str | None = None

    @property
    def order_id(self) -> str:
        """The order it is for; empty if Orderloom did not ask for it."""
        return (self.metadata or {}).get(ORDER, "")

    @property
    def key(self) -> str:
        """Its key; empty if Orderloom did not ask for it."""
        return (self.metadata or {}).get(KEY, "")

    @property
    def refused(self) -> bool:
        """Whether it failed after all, so that the money is back on our account."""
        return self.status in ("failed", "canceled")


def moment(seconds: int) -> datetime:
    """A time of Stripe's as a datetime in UTC."""
    return datetime.fromtimestamp(seconds, UTC)


def capture_digest(key: str) -> str:
    """A short name that tells the captures of one intent apart."""
    return _digest(key)[:8]


class SetUp(Answer):
    """A card that was saved for a customer."""

    payment_method: str | None = None


class Session(Answer):
    """A session of Checkout in the mode `setup`. `url`: None once it has ended."""

    id: str
    status: str | None = None
    url: str | None = None
    client_reference_id: str | None = None
    customer: str | None = None
    setup_intent: SetUp | str | None = None
