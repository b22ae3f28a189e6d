"""What Orderloom asks of a payment company."""

from __future__ import annotations

from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict

from domain.money import Money

PaymentKind = Literal["authorize", "capture", "void", "refund"]


class PaymentReceipt(BaseModel):
    """One money call that took effect, as the payment company has it.

    `reference` is the company's id of this effect, `authorization` that of the authorization it
    belongs to (the same one for kind "authorize"). The amount of a void is what it released, which
    may be zero.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    kind: PaymentKind
    reference: str
    authorization: str
    order_id: str
    amount: Money


class PaymentProvider(Protocol):
    """A payment company with manual capture.

    `key` is the idempotency key: the same key with the same content gives the same answer and at
    most one effect, however often and however concurrently it is sent; with other content it is
    Declined(IDEMPOTENCY_CONFLICT). Every method may raise `OutcomeUnknown` (Unavailable, TimedOut);
    the four money calls and `lookup` may raise `Declined`. See `activities.providers.errors`.
    """

    async def authorize(
        self, *, key: str, order_id: str, amount: Money, token: str
    ) -> PaymentReceipt:
        """Set the amount aside on the customer's card; nothing is taken yet."""
        ...

    async def capture(self, *, key: str, authorization: str, amount: Money) -> PaymentReceipt:
        """Take part or all of what is authorized. Several captures may add up to it."""
        ...

    async def void(self, *, key: str, authorization: str) -> PaymentReceipt:
        """Release what was not captured and close the authorization to further captures.

        Captures made before stay, and stay refundable. Voiding again with another key is
        Declined(ALREADY_VOIDED).
        """
        ...

    async def refund(self, *, key: str, authorization: str, amount: Money) -> PaymentReceipt:
        """Give back part or all of what was captured."""
        ...

    async def lookup(self, *, key: str) -> PaymentReceipt | None:
        """What became of the money call with this key.

        Returns its receipt if it took effect, None if the company has not seen it. Raises
        `Declined` if the company refused it. None speaks of now: a request still on its way can
        arrive later, so the safe next step is the same call with the same key, not a conclusion
        that it never happened.
        """
        ...

    async def operations(self, order_id: str) -> tuple[PaymentReceipt, ...]:
        """Every effect the company has for this order, oldest first; refusals are not effects."""
        ...
