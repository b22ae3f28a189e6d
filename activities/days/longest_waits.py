"""Keeps how much waited for workers in each hour, and for how long."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from domain.days.figures import Wait
from store.database import Pool
from store.days import counting, queues


class LongestWaits:
    """A duty of the relay: looks at what waits, in Temporal and in the database."""

    def __init__(self, pool: Pool, backlog: Callable[[], Awaitable[dict[Wait, int]]]) -> None:
        """`backlog`: asks Temporal how many tasks wait. Empty: Temporal does not answer."""
        self._pool = pool
        self._backlog = backlog

    async def look(self) -> None:
        """Note how long things wait now. Of each hour the longest wait is kept."""
        backlog = await self._backlog()
        async with self._pool.acquire() as conn:
            waits = await queues.waits(conn)
            await counting.keep_most(conn, {**waits.by_name(), **backlog})
