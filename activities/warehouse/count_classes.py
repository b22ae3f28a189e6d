"""A duty of the relay: says again and again how often each SKU is to be counted."""

from __future__ import annotations

from store.database import Pool
from store.warehouse import count_runs


class CountClasses:
    """Puts stock into classes by its worth: that takes long, so no page does it."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def measure(self) -> None:
        """All stock of all locations."""
        async with self._pool.acquire() as conn:
            await count_runs.measure(conn)
