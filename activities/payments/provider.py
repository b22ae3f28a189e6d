"""The protocol that every payment company's adapter implements."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Literal, Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict, Field

from domain.money import Money

PaymentKind = Literal["authorize", "capture", "void", "refund"]


class Capabilities(BaseModel):
    """The points in which payment companies differ.

    `captures`: how often one authorization can be charged. Where it is once, the charge releases
    the rest, so each parcel gets an authorization of its own. `holds_for`: how long an
    authorization can be charged. `keys_live`: how long the company remembers an idempotency key; a
    call with an unknown outcome is not repeated after that time. `least`: the least amount that it
    authorizes, in minor units by currency; 1 where nothing is said. `listed`: it lists what it has
    done, so that its days are compared with ours.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    captures: Literal["several", "once"] = "several"
    holds_for: timedelta = timedelta(days=7)
    keys_live: timedelta = timedelta(hours=24)
    least: Mapping[str, int] = Field(default_factory=dict)
    listed: bool = True


class PaymentReceipt(BaseModel):
    """One money call that took effect, as the payment company has it.

    `reference` is the company's id of this effect, `authorization` that of the authorization it
    belongs to (the same one for kind "authorize"). The amount of a void is the amount that it
    released, which may be zero. `key` is empty, and `order_id` may be empty, when Orderloom did not
    ask for the effect. `at`: when it took effect, by the company's clock. `fee`: the company's
    share of it. `expires_at`: until when an authorization can be charged.
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
        """The company's capabilities."""
        ...

    async def authorize(
        self, *, key: str, order_id: str, amount: Money, token: str
    ) -> PaymentReceipt:
        """Authorize the amount; nothing is taken yet.

        Raises Declined(ACTION_REQUIRED) when the customer has to confirm first, and then brings a
        new token.
        """
        ...

    async def capture(self, *, key: str, authorization: str, amount: Money) -> PaymentReceipt:
        """Take part or all of an authorized amount.

        Where `capabilities` allow it, several captures may add up to the amount; otherwise the
        first one releases the rest. Raises Declined(EXPIRED) for an authorization that has expired.
        """
        ...

    async def void(self, *, key: str, authorization: str) -> PaymentReceipt:
        """Release the uncaptured amount and close the authorization to further captures.

        Earlier captures stay, and stay refundable. Raises Declined(ALREADY_VOIDED) when another key
        has voided it before, and Declined(EXPIRED) when it has expired.
        """
        ...

    async def refund(self, *, key: str, authorization: str, amount: Money) -> PaymentReceipt:
        """Give back part or all of a captured amount."""
        ...

    async def lookup(
        self,
        *,
        key: str,
        kind: PaymentKind,
        authorization: str | None,
        since: datetime,
    ) -> PaymentReceipt | None:
        """Look up the money call with this key, of this kind, first sent at `since`.

        `authorization` is its authorization's reference, None for "authorize". Some companies find
        their records by these two and not by key.

        Returns its receipt if it took effect, None if the company has not seen it. Raises
        `Declined` if the company refused it. None means "not seen yet", not "never happened":
        repeat the call with the same key.
        """
        ...

    async def operations(self, order_id: str) -> tuple[PaymentReceipt, ...]:
        """Every effect the company has for this order, oldest first; refusals are not effects."""
        ...

    async def list_day(self, day: date) -> tuple[PaymentReceipt, ...]:
        """Every effect of one day (UTC, by the company's clock), oldest first, of any caller."""
        ...


@runtime_checkable
class CreditIssuer(Protocol):
    """A payment provider that can also give a customer store credit, to pay with later."""

    async def issue(
        self, *, key: str, customer_id: str, amount: Money, order_id: str, who: str, why: str
    ) -> PaymentReceipt:
        """Give a customer credit. The same key gives it once."""
        ...
