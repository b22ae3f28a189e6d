"""Runs of scans that nobody looks at any more go in small batches."""

from __future__ import annotations

from datetime import timedelta

from activities.relay import BATCH
from activities.retention import AS_SHIPPED
from store.database import Pool
from store.warehouse import runs


class OldRuns:
    """A duty of the relay. `kept`: for how long after a run's end, or after its last scan."""

    def __init__(self, pool: Pool, kept: timedelta = AS_SHIPPED.scan_runs) -> None:
        self._pool = pool
        self._kept = kept

    async def forget(self) -> None:
        """Delete the old ones."""
        while await self._some() >= BATCH:
            pass

    async def _some(self) -> int:
        async with self._pool.acquire() as conn:
            return await runs.forget(conn, self._kept, BATCH)
