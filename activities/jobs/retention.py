"""Old jobs go, with their items and their files, in small batches."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from activities.retention import AS_SHIPPED
from store.database import Pool
from store.jobs import jobs

TOGETHER: Final = 5
"""A job may have very many items, which go with it."""


class OldJobs:
    """A duty of the relay. `kept`: for how long after its end."""

    def __init__(self, pool: Pool, kept: timedelta = AS_SHIPPED.jobs) -> None:
        self._pool = pool
        self._kept = kept

    async def forget(self) -> None:
        """Delete the old ones."""
        while await self._some() == TOGETHER:
            pass

    async def _some(self) -> int:
        async with self._pool.acquire() as conn:
            return await jobs.forget(conn, self._kept, TOGETHER)
