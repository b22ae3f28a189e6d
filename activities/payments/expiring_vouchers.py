"""Vouchers and gift cards whose last day is over: what is left of them is owed no more."""

from __future__ import annotations

import logging

from activities.relay import BATCH
from store.database import Pool
from store.payments import vouchers

logger = logging.getLogger(__name__)


class ExpiringVouchers:
    """A duty of the relay."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def expire(self) -> None:
        """Take what is left of those that are over, and book it as income."""
        while True:
            async with self._pool.acquire() as conn:
                expired = await vouchers.expire(conn, BATCH)
            for voucher_id in expired:
                logger.info("%s has expired", voucher_id)
            if len(expired) < BATCH:
                return
