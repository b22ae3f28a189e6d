"""Keys of requests that nobody repeats any more, and sessions long over, go in small batches."""

from __future__ import annotations

from datetime import timedelta

from activities.relay import BATCH
from activities.retention import AS_SHIPPED
from store.access import request_keys
from store.database import Pool
from store.staff import sessions


class RequestKeys:
    """A duty of the relay. `kept`: for how long after the request."""

    def __init__(self, pool: Pool, kept: timedelta = AS_SHIPPED.request_keys) -> None:
        self._pool = pool
        self._kept = kept

    async def forget(self) -> None:
        """Delete the old ones."""
        while await self._some() == BATCH:
            pass

    async def _some(self) -> int:
        async with self._pool.acquire() as conn:
            return await request_keys.forget(conn, self._kept, BATCH)


class StaffSessions:
    """A duty of the relay. `kept`: for how long after a session's end.

    Wrong passwords go with them, which count for a day.
    """

    def __init__(self, pool: Pool, kept: timedelta = AS_SHIPPED.staff_sessions) -> None:
        self._pool = pool
        self._kept = kept

    async def forget(self) -> None:
        """Delete the old ones."""
        while await self._some() >= BATCH:
            pass

    async def _some(self) -> int:
        async with self._pool.acquire() as conn:
            return await sessions.forget(conn, self._kept, BATCH)
