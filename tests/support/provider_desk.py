"""A payment company that tells by itself, and the door that it tells it at, for tests."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import SecretStr

from activities.payments.provider_events import ProviderEvents
from activities.providers.sandbox import webhooks
from activities.providers.sandbox.webhooks import (
    SandboxDispute,
    SandboxPaymentEvent,
    SignedEvent,
)
from activities.providers.stripe import events as stripe_events
from domain.payments.disputes import DisputeState
from domain.payments.provider_events import PaymentFate, Wake
from starter.service.webhooks import Answer, Webhooks, signature_checks
from store.database import Pool

READERS = {"sandbox": webhooks.read_event, "stripe": stripe_events.read_event}
SECRET = "the sandbox company's secret"
FEE_MINOR = 15_00


class Telling:
    """The sandbox company's side, and the worker's that works through what it told.

    Without a worker `worked_through` does what its relay would; `woken` is what it would wake.
    """

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.desk = Webhooks(pool, signature_checks({"sandbox": [SecretStr(SECRET)]}))
        self.woken: list[Wake] = []
        self.reachable = True  # Temporal is
        self.events = ProviderEvents(pool, self._waken, READERS)
        self.began = datetime.now(UTC).replace(microsecond=0)
        self._numbers = itertools.count(1)

    async def _waken(self, wake: Wake) -> bool:
        self.woken.append(wake)
        return self.reachable

    async def worked_through(self) -> None:
        while await self.events.work_through(100) == 100:
            pass
        await self.events.place_disputes(100)

    def dispute(
        self,
        authorization: str,
        state: DisputeState,
        second: int = 0,
        *,
        what: str = "updated",
        **fields: Any,
    ) -> SignedEvent:
        """An event of a dispute about 10.00 USD, made this many seconds after the first."""
        told = SandboxDispute(
            **{
                "id": "dp_1",
                "authorization": authorization,
                "amount_minor": 10_00,
                "currency": "USD",
                "status": state,
                "reason": "fraudulent",
                "opened": int(self.began.timestamp()),
                **fields,
            }
        )
        at = self.began + timedelta(seconds=second)
        return webhooks.dispute_event(
            f"evt_{next(self._numbers)}", told, what=what, at=at, secret=SECRET
        )

    def payment(self, fate: PaymentFate, second: int = 0, **fields: Any) -> SignedEvent:
        """An event of a payment operation: `key`, `reference`, `why`."""
        return webhooks.payment_event(
            f"evt_{next(self._numbers)}",
            fate,
            SandboxPaymentEvent(**fields),
            at=self.began + timedelta(seconds=second),
            secret=SECRET,
        )

    async def deliver(self, event: SignedEvent, *, provider: str = "sandbox") -> Answer:
        """As the door would: the raw body and the header."""
        now = datetime.now(UTC)
        return await self.desk.receive(provider, event.body, event.signature, now=now)

    async def tell(self, *events: SignedEvent) -> None:
        """Deliver events that must be taken, one after the other."""
        for event in events:
            answer = await self.deliver(event)
            assert answer.status == 200, answer
