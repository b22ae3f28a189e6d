"""Parcels that wait for their hand-over, while the authorization that pays for them ends."""

from __future__ import annotations

import logging

from activities.relay import BATCH
from store.database import Pool
from store.payments import cover

logger = logging.getLogger(__name__)


class EndingAuthorizations:
    """A duty of the relay."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def notice(self) -> None:
        """Tell the orders of such parcels: they renew the authorization, and wait again."""
        after: cover.Place | None = cover.FIRST
        while after is not None:
            async with self._pool.acquire() as conn, conn.transaction():
                told, after = await cover.tell_ending(conn, BATCH, after)
            for fulfilment_id in told:
                logger.info("the authorization that pays for %s ends", fulfilment_id)
