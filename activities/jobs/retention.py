"""Old jobs go, with their items and their files, in small batches."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from activities.retention import AS_SHIPPED
from store.database import Pool
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
        async with self._pool.acquire() as conn:
            while await jobs.forget_items(conn, self._kept, ITEMS_TOGETHER):
                pass
            while await jobs.forget(conn, self._kept, JOBS_TOGETHER):
                pass
