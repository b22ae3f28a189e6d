"""What the relay does for events that go out: it gives positions, and calls for deliveries."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from temporalio.client import Client

from activities.notifications.calls import DeliveryCalls
from activities.notifications.sequencing import EventSequence
from activities.relay import BATCH, Duty
from store.database import Pool
from store.notifications import deliveries, sequence

EVERY_S: Final = 1.0
"""An order's transaction calls for nothing: that would make orders wait for each other."""


def event_duties(pool: Pool, client: Client, task_queue: str) -> list[Duty]:
    """In this sequence. The second one is called for by the first one of whichever worker."""
    return [
        Duty(EventSequence(pool).advance, EVERY_S),
        Duty(DeliveryCalls(pool, client, task_queue).call, EVERY_S, sequence.CHANNEL),
    ]


class OldEvents:
    """A duty of the relay: old events go, with old attempts and dead letters."""

    def __init__(self, pool: Pool, kept: timedelta) -> None:
        self._pool = pool
        self._kept = kept

    async def forget(self) -> None:
        """Delete them, in small batches."""
        while await self._some() == BATCH:
            pass

    async def _some(self) -> int:
        async with self._pool.acquire() as conn:
            return max(
                await sequence.forget(conn, self._kept, BATCH),
                await deliveries.forget(conn, self._kept, BATCH),
            )
