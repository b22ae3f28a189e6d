"""What orders that have ended need no more goes, in small batches."""

from __future__ import annotations

from datetime import timedelta

from activities.relay import BATCH
from activities.retention import AS_SHIPPED
from store import waits
from store.database import Pool
from store.orders import effects


class EndedOrders:
    """A duty of the relay. `effects_kept`: for how long after an order's end."""

    def __init__(self, pool: Pool, effects_kept: timedelta = AS_SHIPPED.effects) -> None:
        self._pool = pool
        self._effects_kept = effects_kept

    async def forget(self) -> None:
        """Delete their effects, and the reports that nobody waits for any more."""
        while await self._some_effects() == BATCH:
            pass
        while await self._some_reports() == BATCH:
            pass

    async def _some_effects(self) -> int:
        async with self._pool.acquire() as conn:
            return await effects.forget(conn, self._effects_kept, BATCH)

    async def _some_reports(self) -> int:
        async with self._pool.acquire() as conn:
            return await waits.forget_ended(conn, BATCH)
