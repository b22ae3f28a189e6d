"""The textbook's database: its tables, its shelves, and whether its books are right."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import asyncpg
from asyncpg import Pool, Record

from benchmarks.contestants.textbook_models import Label

_SCHEMA: Final = Path(__file__).with_name("textbook_schema.sql")

# Each query finds faults. Its columns are the fault, and the row that has it.
_FAULTS: Final = """
SELECT 'stock is not what its movements say' AS wrong, i.sku AS subject
FROM inventory i LEFT JOIN (
    SELECT sku, sum(quantity * CASE kind WHEN 'received' THEN 1 WHEN 'shipped' THEN -1 ELSE 0 END)
               AS on_hand,
           sum(quantity * CASE kind WHEN 'reserved' THEN 1 WHEN 'shipped' THEN -1 ELSE 0 END)
               AS reserved
    FROM stock_movements GROUP BY sku) m USING (sku)
WHERE i.on_hand IS DISTINCT FROM coalesce(m.on_hand, 0)
   OR i.reserved IS DISTINCT FROM coalesce(m.reserved, 0)
UNION ALL
SELECT 'reserved is not the sum of the reservations', i.sku
FROM inventory i
WHERE i.reserved IS DISTINCT FROM (
    SELECT coalesce(sum(quantity), 0)::integer FROM reservations r
    WHERE r.sku = i.sku AND r.status = 'reserved')
UNION ALL
SELECT 'an order is not reserved line by line', o.order_id
FROM orders o
WHERE o.status NOT IN ('received', 'rejected') AND EXISTS (
    SELECT FROM order_items l LEFT JOIN reservations r USING (order_id, line_no)
    WHERE l.order_id = o.order_id AND r.quantity IS DISTINCT FROM l.quantity)
UNION ALL
SELECT 'an order is delivered or closed, and not charged in full', o.order_id
FROM orders o LEFT JOIN payments p USING (order_id) LEFT JOIN invoices i USING (order_id)
WHERE o.status IN ('delivered', 'closed')
  AND (p.status IS DISTINCT FROM 'captured' OR p.amount IS DISTINCT FROM o.total
       OR i.amount IS DISTINCT FROM o.total)
UNION ALL
SELECT 'an invoice is not the sum of its items', i.order_id
FROM invoices i
WHERE i.amount IS DISTINCT FROM (
    SELECT sum(amount) FROM invoice_items l WHERE l.invoice_id = i.invoice_id)
UNION ALL
SELECT 'debits are not credits', order_id
FROM ledger_entries GROUP BY order_id HAVING sum(debit) <> sum(credit)
UNION ALL
SELECT 'an order is closed, and its parcel was not delivered', o.order_id
FROM orders o JOIN shipments s USING (order_id)
WHERE o.status = 'closed' AND (s.status <> 'delivered' OR s.handed_over_at IS NULL)
"""


async def furnish(database_url: str, skus: Sequence[str], units: int) -> None:
    """Make the tables and fill the shelves, unless that was done before."""
    connection = await asyncpg.connect(database_url)
    try:
        if await connection.fetchval("SELECT to_regclass('orders')") is not None:
            return
        async with connection.transaction():
            await connection.execute(_SCHEMA.read_text(encoding="utf-8"))
            for sku in skus:
                await connection.execute(
                    "INSERT INTO inventory (sku, on_hand) VALUES ($1, $2)", sku, units
                )
                await connection.execute(
                    "INSERT INTO stock_movements (sku, kind, quantity) VALUES ($1, 'received', $2)",
                    sku,
                    units,
                )
    finally:
        await connection.close()


async def faults(database_url: str) -> list[str]:
    """What is wrong in the books, a line each."""
    connection = await asyncpg.connect(database_url)
    try:
        rows = await connection.fetch(_FAULTS)
    finally:
        await connection.close()
    return [f"{row['wrong']}: {row['subject']}" for row in rows]


async def decided(pool: Pool[Record], order_ids: Sequence[str]) -> dict[str, str]:
    """The status of those orders that are decided."""
    rows = await pool.fetch(
        "SELECT order_id, status FROM orders WHERE order_id = ANY($1) AND status <> 'received'",
        order_ids,
    )
    return {row["order_id"]: row["status"] for row in rows}


async def labelled(pool: Pool[Record], shipment_ids: Sequence[str]) -> dict[str, Label]:
    """The labels of those parcels that have one."""
    rows = await pool.fetch(
        "SELECT shipment_id, carrier, tracking_number FROM shipments "
        "WHERE shipment_id = ANY($1) AND tracking_number IS NOT NULL",
        shipment_ids,
    )
    return {
        row["shipment_id"]: Label(carrier=row["carrier"], tracking_number=row["tracking_number"])
        for row in rows
    }
