"""Keeps the figures of each day, from which pages and reports are made."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from domain.days.figures import Wait
from store.database import Pool
from store.days import counting, queues

DAYS_AT_ONCE: Final = 10
"""Then the duty has its next turn: a new database has a month to be counted."""

KEPT_DAYS: Final = 800
"""Two years, and what a year before is compared with."""


class DayCounting:
    """A duty of the relay: counts today again and again, and each earlier day once it is whole.

    Several workers share the days: a day that one counts is passed over by the others.
    """

    def __init__(self, pool: Pool, backlog: Callable[[], Awaitable[dict[Wait, int]]]) -> None:
        """`backlog`: asks Temporal how many tasks wait. Empty: Temporal does not answer."""
        self._pool = pool
        self._backlog = backlog

    async def count(self) -> None:
        """Count the days that are due, and write down how many tasks wait now, and how long."""
        backlog = await self._backlog()
        async with self._pool.acquire() as conn:
            waits = await queues.waits(conn)
            await counting.keep_most(conn, {**waits.by_name(), **backlog})
            await counting.add_days(conn)
        for _ in range(DAYS_AT_ONCE):
            async with self._pool.acquire() as conn, conn.transaction():
                one = await counting.due(conn)
                if one is None:
                    return
                await counting.count(conn, one)

    async def forget(self) -> None:
        """Delete days that are very old."""
        async with self._pool.acquire() as conn:
            await counting.forget(conn, KEPT_DAYS)
