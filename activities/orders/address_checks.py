"""Checks the addresses of orders that a rule holds until that is done.

The order is placed meanwhile, whoever is slow: what waits is its goods.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import Final

from activities.orders.address import AddressCheck
from activities.relay import BATCH
from domain.ids import WHO
from domain.orders.hold_messages import TELLS_CUSTOMER
from store import clock
from store.database import Pool
from store.locks import lock_order
from store.orders import address_holds, events, holds
from store.orders.address_holds import Unchecked

logger = logging.getLogger(__name__)

CHECK_WITHIN: Final = timedelta(seconds=3)
"""One look at an address may take so long."""

AGAIN_AFTER: Final = timedelta(seconds=20)
"""So long after a look that came to nothing, the next one is made."""

AT_ONCE: Final = 5
NOT_KNOWN: Final = "its address could not be checked: look at it"


class AddressChecks:
    """A duty of the relay. `check`: None where no extension brings one."""

    def __init__(self, pool: Pool, check: AddressCheck | None) -> None:
        self._pool = pool
        self._check = check

    async def look(self) -> None:
        """Check the addresses of held orders, several at once."""
        async with self._pool.acquire() as conn:
            waiting = await address_holds.claim(conn, AGAIN_AFTER, BATCH)
        for start in range(0, len(waiting), AT_ONCE):
            await asyncio.gather(*(self._one(each) for each in waiting[start : start + AT_ONCE]))

    async def _one(self, waiting: Unchecked) -> None:
        if waiting.address is None:
            return await self._end(waiting, None)  # it is not sent
        if self._check is None:
            return await self._end(waiting, NOT_KNOWN)
        try:
            async with asyncio.timeout(CHECK_WITHIN.total_seconds()):
                fault = await self._check.check(waiting.address)
        except Exception as error:  # noqa: BLE001 - an extension may raise anything
            logger.warning("an address is not checked yet: %s", type(error).__name__)
            if clock.now() >= waiting.check_until:
                await self._end(waiting, NOT_KNOWN)
            return None
        return await self._end(waiting, fault)

    async def _end(self, waiting: Unchecked, fault: str | None) -> None:
        """Release the hold of a sound address. Otherwise tell the person who sees to it why not."""
        order_id, hold_id = waiting.order_id, waiting.hold_id
        async with self._pool.acquire() as conn, conn.transaction():
            await lock_order(conn, order_id)
            if not await address_holds.checked(conn, waiting, fault):
                return  # another worker was faster, or a person, or its address has changed
            told = False
            if fault is None:
                why = "its address is sound"
                told = await holds.release(conn, order_id, [hold_id], who=WHO, note=why)
            what = "released" if fault is None else "address refused"
            await events.tell(
                conn,
                order_id,
                f"hold:{hold_id}:checked",
                what,
                who=WHO,
                why=fault or "its address is sound",
                data={"hold_ids": [hold_id], TELLS_CUSTOMER: told},
            )
