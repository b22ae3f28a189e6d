"""Old jobs go, with their items and their files, in small batches."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

from activities.retention import AS_SHIPPED
from store.database import Connection, Pool
from store.jobs import jobs

ITEMS_TOGETHER: Final = 5_000
JOBS_TOGETHER: Final = 10
"""Each may have a large file."""


class OldJobs:
    """A duty of the relay. `kept`: for how long after its end."""

    def __init__(self, pool: Pool, kept: timedelta = AS_SHIPPED.jobs) -> None:
        self._pool = pool
        self._kept = kept

    async def forget(self) -> None:
        """Delete the old ones, their items first."""
        await self._all(jobs.forget_items, ITEMS_TOGETHER)
        await self._all(jobs.forget, JOBS_TOGETHER)

    async def _all(
        self, some: Callable[[Connection, timedelta, int], Awaitable[int]], at_most: int
    ) -> None:
        gone = at_most
        while gone == at_most:
            async with self._pool.acquire() as conn:
                gone = await some(conn, self._kept, at_most)
