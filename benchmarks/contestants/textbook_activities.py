"""The textbook's activities for an order and its stock: plain SQL, a statement for each row.

Each activity of the textbook may run again after a crash: it looks first at how far the order is.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from asyncpg import Connection, Pool, Record
from asyncpg.pool import PoolConnectionProxy
from temporalio import activity

from benchmarks.contestants.textbook_models import Order

AnyConnection: TypeAlias = "Connection[Record] | PoolConnectionProxy[Record]"

EVENT: Final = "INSERT INTO order_events (order_id, what, who) VALUES ($1, $2, $3)"
STATUS: Final = "UPDATE orders SET status = $2, updated_at = now() WHERE order_id = $1"


class OrderActivities:
    """What happens to an order as a whole, and to its stock."""

    def __init__(self, pool: Pool[Record]) -> None:
        self._pool = pool

    @activity.defn
    async def reserve_stock(self, order: Order) -> bool:
        """Record the order and reserve its stock, all of it or none. False: it is rejected."""
        async with self._pool.acquire() as conn, conn.transaction():
            status = await conn.fetchval(
                "SELECT status FROM orders WHERE order_id = $1", order.order_id
            )
            if status is not None:
                return bool(status != "rejected")
            await _record(conn, order)
            short = False
            for item in sorted(order.items, key=lambda item: item.sku):
                free = await conn.fetchval(
                    "SELECT on_hand - reserved FROM inventory WHERE sku = $1 FOR UPDATE", item.sku
                )
                wanted = sum(one.quantity for one in order.items if one.sku == item.sku)
                short = short or free is None or free < wanted
            if short:
                await conn.execute(STATUS, order.order_id, "rejected")
                await conn.execute(EVENT, order.order_id, "rejected", "shop")
                return False
            for item in order.items:
                await conn.execute(
                    "UPDATE inventory SET reserved = reserved + $2 WHERE sku = $1",
                    item.sku,
                    item.quantity,
                )
                await conn.execute(
                    "INSERT INTO reservations (order_id, line_no, sku, quantity, status) "
                    "VALUES ($1, $2, $3, $4, 'reserved')",
                    order.order_id,
                    item.line_no,
                    item.sku,
                    item.quantity,
                )
                await conn.execute(
                    "INSERT INTO stock_movements (sku, order_id, kind, quantity) "
                    "VALUES ($1, $2, 'reserved', $3)",
                    item.sku,
                    order.order_id,
                    item.quantity,
                )
            await _plan_shipment(conn, order)
            await conn.execute(EVENT, order.order_id, "stock reserved", "shop")
        return True

    @activity.defn
    async def close_order(self, order_id: str) -> None:
        """The return window is over."""
        async with self._pool.acquire() as conn, conn.transaction():
            await conn.execute(STATUS, order_id, "closed")
            await conn.execute(EVENT, order_id, "closed", "shop")


async def _record(conn: AnyConnection, order: Order) -> None:
    await conn.execute(
        "INSERT INTO customers (customer_id, name) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        order.customer_id,
        order.customer_name,
    )
    await conn.execute(
        "INSERT INTO orders (order_id, customer_id, currency, shipping_price, total, status) "
        "VALUES ($1, $2, $3, $4, $5, 'received')",
        order.order_id,
        order.customer_id,
        order.currency,
        order.shipping_price,
        order.total,
    )
    address = order.address
    await conn.execute(
        "INSERT INTO addresses (order_id, name, line1, city, postal_code, country) "
        "VALUES ($1, $2, $3, $4, $5, $6)",
        order.order_id,
        address.name,
        address.line1,
        address.city,
        address.postal_code,
        address.country,
    )
    for item in order.items:
        await conn.execute(
            "INSERT INTO order_items (order_id, line_no, sku, quantity, unit_price) "
            "VALUES ($1, $2, $3, $4, $5)",
            order.order_id,
            item.line_no,
            item.sku,
            item.quantity,
            item.unit_price,
        )


async def _plan_shipment(conn: AnyConnection, order: Order) -> None:
    await conn.execute(
        "INSERT INTO shipments (shipment_id, order_id, status) VALUES ($1, $2, 'planned')",
        order.shipment_id,
        order.order_id,
    )
    for item in order.items:
        await conn.execute(
            "INSERT INTO shipment_items (shipment_id, line_no, quantity) VALUES ($1, $2, $3)",
            order.shipment_id,
            item.line_no,
            item.quantity,
        )
