"""Returns that do not come: a duty of the relay tells so, and closes them in the end."""

from __future__ import annotations

from activities.relay import BATCH
from store.aftersales import return_chases
from store.database import Pool


class OverdueReturns:
    """A duty of the relay."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def chase(self) -> None:
        """Deal with each return that is overdue by now."""
        while True:
            async with self._pool.acquire() as conn:
                late = await return_chases.overdue(conn, BATCH)
                for return_id in late:
                    await return_chases.chase(conn, return_id)
            if len(late) < BATCH:
                return
