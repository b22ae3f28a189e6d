"""Time alone changes these: orders that can be served after all, and promises that slip."""

from __future__ import annotations

from activities.relay import BATCH
from store.database import Pool
from store.stock import backorders, first_days, promises


class LateStock:
    """A duty of the relay."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def notice(self) -> None:
        """Serve waiting orders that can be served now; tell of promises that move or slip."""
        async with self._pool.acquire() as conn:
            await backorders.serve_late(conn, BATCH)
            while await first_days.move(conn, BATCH) == BATCH:
                pass
            await promises.notice_slips(conn, BATCH)
