"""Ends vouchers and gift cards after their last day."""

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
        """Book the rest of each expired voucher or gift card as income."""
        while True:
            async with self._pool.acquire() as conn:
                expired = await vouchers.expire(conn, BATCH)
            for voucher_id in expired:
                logger.info("%s has expired", voucher_id)
            if len(expired) < BATCH:
                return
