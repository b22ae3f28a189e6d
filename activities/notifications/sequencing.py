"""Gives events their positions in the sequence that readers go by."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from domain.notifications.event_types import CHANGES_TOLD, TOLD
from store.database import Pool
from store.notifications import sequence

LINES_AT_ONCE: Final = 1000
ROUNDS_MAX: Final = 10
"""Then the relay's other duties have their turn."""

UNREAD: Final = timedelta(days=3)
"""Nobody subscribes, and nobody has read for so long: then events get no positions any more."""


class EventSequence:
    """A duty of the relay. Several workers take turns: who comes while one is at it has no work."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def advance(self) -> None:
        """Give a position to every event whose transaction has ended, and all before it."""
        for _ in range(ROUNDS_MAX):
            async with self._pool.acquire() as conn:
                _, more = await sequence.advance(
                    conn, TOLD, CHANGES_TOLD, at_most=LINES_AT_ONCE, unread=UNREAD
                )
            if not more:
                return
