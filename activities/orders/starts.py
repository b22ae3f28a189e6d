"""Starts the workflows of orders that are on record without one.

The door starts each order itself. Where it could not, because Temporal was away or the door died,
this duty starts it, and repeats that until Temporal has taken it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from activities.relay import BATCH
from domain.errors import Unreachable
from domain.orders.starts import OrderStart
from store.database import Pool
from store.orders import intake

logger = logging.getLogger(__name__)


class OrderStarts:
    """A duty of the relay. `start` starts one order's workflow, or raises Unreachable."""

    def __init__(self, pool: Pool, start: Callable[[OrderStart], Awaitable[object]]) -> None:
        self._pool = pool
        self._start = start

    async def start(self) -> None:
        """Start all orders that are due, in the sequence of their intake, many at once.

        The first one goes alone: while Temporal is away, the others are left as they are.
        """
        at_once = 1
        while starts := await self._claim(at_once):
            taken = await asyncio.gather(*(self._begin(start) for start in starts))
            left = [start.order_id for start, ok in zip(starts, taken, strict=True) if not ok]
            async with self._pool.acquire() as conn:
                began = [start.order_id for start in starts if start.order_id not in left]
                await intake.started(conn, began)
                await intake.leave(conn, left)
            if left:
                return
            at_once = BATCH

    async def _claim(self, at_most: int) -> Sequence[OrderStart]:
        async with self._pool.acquire() as conn:
            return await intake.claim_to_start(conn, at_most)

    async def _begin(self, start: OrderStart) -> bool:
        try:
            await self._start(start)
        except Unreachable as error:
            logger.warning("order %s is started later: %s", start.order_id, error)
            return False
        return True
