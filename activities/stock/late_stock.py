"""Time alone changes these: orders that can be served after all, and promises that slip."""

from __future__ import annotations

from activities.relay import BATCH
from store.database import Pool
from store.stock import backorders, promises


class LateStock:
    """A duty of the relay."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def notice(self) -> None:
        """Serve waiting orders that can be served now, and tell of promises that slip."""
        async with self._pool.acquire() as conn:
            await backorders.serve_late(conn, BATCH)
            await promises.notice_slips(conn, BATCH)
