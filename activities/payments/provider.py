"""What Orderloom asks of a payment company."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Literal, Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict

from domain.money import Money

PaymentKind = Literal["authorize", "capture", "void", "refund"]


class Capabilities(BaseModel):
    """What a payment company can do, as far as companies differ in it.

    `captures`: how often one authorization can be charged. Where it is once, what is not taken then
    is released, so each parcel gets an authorization of its own. `holds_for`: how long an
    authorization can be charged. `keys_live`: how long the company remembers an idempotency key; a
    call of which the outcome is not known is not sent again after that.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    captures: Literal["several", "once"] = "several"
    holds_for: timedelta = timedelta(days=7)
    keys_live: timedelta = timedelta(hours=24)


class PaymentReceipt(BaseModel):
    """One money call that took effect, as the payment company has it.

    `reference` is the company's id of this effect, `authorization` that of the authorization it
    belongs to (the same one for kind "authorize"). The amount of a void is what it released, which
    may be zero. `key` is empty and `order_id` may be, where the effect is none that Orderloom asked
    for. `at`: when it took effect, by the company's clock. `fee`: what the company keeps of it.
    `expires_at`: until when an authorization can be charged.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    kind: PaymentKind
    reference: str
    authorization: str
    order_id: str
    amount: Money
    at: datetime
    fee: Money | None = None
    expires_at: datetime | None = None


class PaymentProvider(Protocol):
    """A payment company with manual capture.

    `key` is the idempotency key: the same key with the same content gives the same answer and at
    most one effect, however often and however concurrently it is sent; with other content it is
    Declined(IDEMPOTENCY_CONFLICT). Every method may raise `OutcomeUnknown` (Unavailable, TimedOut);
    the four money calls and `lookup` may raise `Declined`. See `activities.provider_errors`.
    """

    @property
    def capabilities(self) -> Capabilities:
        """What this company can do."""
        ...

    async def authorize(
        self, *, key: str, order_id: str, amount: Money, token: str
    ) -> PaymentReceipt:
        """Set the amount aside; nothing is taken yet.

        Declined(ACTION_REQUIRED): the customer has to confirm it first, and comes with a new token.
        """
        ...

    async def capture(self, *, key: str, authorization: str, amount: Money) -> PaymentReceipt:
        """Take part or all of what is authorized.

        Where `capabilities` say so several captures may add up to it, else the rest is released.
        One that has expired is Declined(EXPIRED).
        """
        ...

    async def void(self, *, key: str, authorization: str) -> PaymentReceipt:
        """Release what was not captured and close the authorization to further captures.

        Captures made before stay, and stay refundable. Voiding again with another key is
        Declined(ALREADY_VOIDED), of what has expired Declined(EXPIRED).
        """
        ...

    async def refund(self, *, key: str, authorization: str, amount: Money) -> PaymentReceipt:
        """Give back part or all of what was captured."""
        ...

    async def lookup(
        self,
        *,
        key: str,
        kind: PaymentKind,
        authorization: str | None,
        since: datetime,
    ) -> PaymentReceipt | None:
        """What became of the money call with this key, of this kind, first sent at `since`.

        `authorization` is its authorization's reference, None for "authorize". Some companies keep
        their records by these and not by key.

        Returns its receipt if it took effect, None if the company has not seen it. Raises
        `Declined` if the company refused it. None speaks of now: a request still on its way can
        arrive later, so the safe next step is the same call with the same key, not a conclusion
        that it never happened.
        """
        ...

    async def operations(self, order_id: str) -> tuple[PaymentReceipt, ...]:
        """Every effect the company has for this order, oldest first; refusals are not effects."""
        ...

    async def list_day(self, day: date) -> tuple[PaymentReceipt, ...]:
        """Every effect of one day (UTC, by the company's clock), oldest first, whoever asked."""
        ...


@runtime_checkable
class CreditIssuer(Protocol):
    """Who gives customers store credit, which pays like money from then on."""

    async def issue(
        self, *, key: str, customer_id: str, amount: Money, order_id: str, who: str, why: str
    ) -> PaymentReceipt:
        """Give a customer credit. The same key gives it once."""
        ...
