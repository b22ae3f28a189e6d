"""Calls to Stripe that tests make, and how one that went wrong is settled."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from pydantic import SecretStr

from activities.payments.provider import PaymentKind, PaymentReceipt
from activities.provider_errors import OutcomeUnknown
from activities.providers.stripe.payment import StripePayment
from domain.money import Money
from tests.localstripe.company import INTENTS, REFUNDS
from tests.localstripe.stand_in import Fault, StandIn, What

KEY: Final = "sk_test_StripeKeyOfTheTests0123456789"
VISA: Final = "pm_card_visa"

FAULTS: Final[tuple[What, ...]] = (
    *("reset before", "reset after", "slow before", "slow after"),
    *("500 before", "500 after", "429", "twice"),
)

# What each call asks of Stripe, request by request; `{intent}` is its payment intent.
_INTENT: Final = INTENTS + "/{intent}"
REQUESTS: Final[dict[PaymentKind, tuple[tuple[str, str], ...]]] = {
    "authorize": (("POST", INTENTS),),
    "capture": (("GET", _INTENT), ("POST", f"{_INTENT}/capture")),
    "void": (("GET", _INTENT), ("POST", _INTENT), ("POST", f"{_INTENT}/cancel")),
    "refund": (("GET", _INTENT), ("POST", REFUNDS)),
}
LOOKUPS: Final[dict[PaymentKind, tuple[str, str]]] = {
    "authorize": ("GET", INTENTS),
    "capture": ("GET", _INTENT),
    "void": ("GET", _INTENT),
    "refund": ("GET", REFUNDS),
}

# What localstripe has in the end.
BOOKS: Final[dict[PaymentKind, list[tuple[str, int]]]] = {
    "authorize": [("authorize", 100_00)],
    "capture": [("authorize", 100_00), ("capture", 60_00)],
    "void": [("authorize", 100_00), ("void", 0)],
    "refund": [("authorize", 100_00), ("capture", 60_00), ("refund", 10_00)],
}

Settle = Literal["look up", "send again"]

_SENT_AGAIN: Final = 3
_TRIES: Final = 30


HASTY_S: Final = 0.4
"""So long waits who is not to hear what comes late: the first try of what is slow."""


def dollars(minor: int) -> Money:
    """An amount in cents."""
    return Money(minor=minor, currency="USD")


def a_client(here: StandIn, *, within_s: float = 20) -> StripePayment:
    """A client that waits so long for an answer."""
    return StripePayment(
        SecretStr(KEY), api_base=here.url, answer_within=timedelta(seconds=within_s)
    )


@dataclass(frozen=True)
class Prepared:
    """A call under the key `<order>:call`, ready to be made, and its authorization."""

    kind: PaymentKind
    order_id: str
    intent: str | None
    since: datetime

    @property
    def key(self) -> str:
        """Its key."""
        return f"{self.order_id}:call"

    def fault(self, what: What, request: tuple[str, str]) -> Fault:
        """A fault of the next one of these requests of this call, and of no other call."""
        method, path = request
        key = ".*" if "{intent}" in path or method == "GET" else self.key
        return Fault(what, method, path.format(intent=self.intent), key)

    async def call(self, client: StripePayment) -> PaymentReceipt:
        """Make it."""
        if self.intent is None:
            return await client.authorize(
                key=self.key, order_id=self.order_id, amount=dollars(100_00), token=VISA
            )
        if self.kind == "capture":
            return await client.capture(
                key=self.key, authorization=self.intent, amount=dollars(60_00)
            )
        if self.kind == "void":
            return await client.void(key=self.key, authorization=self.intent)
        return await client.refund(key=self.key, authorization=self.intent, amount=dollars(10_00))

    async def look_up(self, client: StripePayment) -> PaymentReceipt | None:
        """Look it up."""
        return await client.lookup(
            key=self.key, kind=self.kind, authorization=self.intent, since=self.since
        )


async def prepare(client: StripePayment, kind: PaymentKind, order_id: str) -> Prepared:
    """What has to be there before the call."""
    since = datetime.now(UTC)
    if kind == "authorize":
        return Prepared(kind, order_id, None, since)
    held = await client.authorize(
        key=f"{order_id}:before", order_id=order_id, amount=dollars(100_00), token=VISA
    )
    if kind == "refund":
        await client.capture(
            key=f"{order_id}:taken", authorization=held.authorization, amount=dollars(60_00)
        )
    return Prepared(kind, order_id, held.authorization, since)


async def settle(
    client: StripePayment, made: Prepared, how: Settle, first: StripePayment | None = None
) -> PaymentReceipt:
    """Make the call until its outcome is known, as a step does: it may look it up first.

    What Stripe goes on to answer 500 to is looked up in any case, at last. `first` calls first.
    """

    async def once(number: int) -> PaymentReceipt:
        looks = number > 0 and (how == "look up" or number > _SENT_AGAIN)
        found = await made.look_up(client) if looks else None
        return found or await made.call(client if number else first or client)

    for number in range(_TRIES):
        try:
            return await once(number)
        except OutcomeUnknown:
            await asyncio.sleep(0.05)
    raise AssertionError(f"the outcome is not known after {_TRIES} tries")
