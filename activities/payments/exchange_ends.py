"""Exchanges whose returns have ended without money, or were approved: their orders hear of it."""

from __future__ import annotations

from activities.relay import BATCH
from domain.ids import WHO
from domain.orders.hold_messages import AWAITING_RETURN, TELLS_CUSTOMER
from store.database import Pool, Record
from store.locks import lock_order
from store.orders import events, holds
from store.payments import exchanges


class ExchangeEnds:
    """A duty of the relay. What it does is done once, however often it is repeated."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def tell(self) -> None:
        """Tell all exchange orders that have not heard of their returns."""
        async with self._pool.acquire() as conn:
            found = await exchanges.to_settle(conn, BATCH)
        for one in found:
            if one["ended"]:
                async with self._pool.acquire() as conn, conn.transaction():
                    await lock_order(conn, one["order_id"])
                    await exchanges.settle(conn, one["return_id"], 0, is_back=one["is_back"])
            else:
                await self._goes_ahead(one)

    async def _goes_ahead(self, one: Record) -> None:
        """An advance exchange about which a person had to decide."""
        order_id, note = one["exchange_order_id"], f"{one['return_id']} is approved"
        async with self._pool.acquire() as conn, conn.transaction():
            await lock_order(conn, order_id)
            standing = await holds.standing(conn, order_id)
            hold_ids = [each.hold_id for each in standing if each.reason == AWAITING_RETURN]
            if hold_ids:
                told = await holds.release(conn, order_id, hold_ids, who=WHO, note=note)
                await events.tell(
                    conn,
                    order_id,
                    "exchange:goes_ahead",
                    "released",
                    who=WHO,
                    why=note,
                    data={"hold_ids": hold_ids, TELLS_CUSTOMER: told},
                )
