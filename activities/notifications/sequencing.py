"""Gives events their positions in the sequence that readers go by, and forgets old ones."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from activities.relay import BATCH
from domain.notifications.event_types import TOLD
from store.database import Pool
from store.notifications import sequence

LINES_AT_ONCE: Final = 1000

UNREAD: Final = timedelta(days=3)
"""Nobody subscribes, and nobody has read for so long: then events get no positions any more."""


class EventSequence:
    """Duties of the relay. Several workers take turns: who comes while one is at it has no work."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def advance(self) -> None:
        """Give a position to every event whose transaction has ended, and all before it."""
        more = True
        while more:
            async with self._pool.acquire() as conn:
                _, more = await sequence.advance(conn, TOLD, at_most=LINES_AT_ONCE, unread=UNREAD)


class OldEvents:
    """A duty of the relay: what nobody reads any more goes."""

    def __init__(self, pool: Pool, events_kept: timedelta) -> None:
        self._pool = pool
        self._kept = events_kept

    async def forget(self) -> None:
        """Delete old events, in small batches."""
        while await self._some_events() == BATCH:
            pass

    async def _some_events(self) -> int:
        async with self._pool.acquire() as conn:
            return await sequence.forget(conn, self._kept, BATCH)
