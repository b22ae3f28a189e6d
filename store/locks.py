"""Row locks, in the one order in which they may be taken.

First an order's row, then stock rows, sorted, and last the counters of documents: invoices before
credit notes. Every function that writes about an order locks its row first, so two of them never
interleave. Orders meet only at stock rows; those are locked in one sorted order, so no two orders
can wait for each other in a circle, whatever lines they have.

A counter (store/accounting/documents.py) is a row that all orders need, locked until commit so that
numbers have no holes. It is the last lock: its owner waits for no other lock, so it is soon free
again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from domain.errors import NotFound
from domain.stock.sourcing import Available
from store.database import Connection, Record, load_queries

_sql = load_queries(__file__)


async def lock_order(conn: Connection, order_id: str) -> Record:
    """Lock the order's row until the transaction ends. Raises NotFound."""
    row: Record | None = await _sql.lock_order(conn, order_id=order_id)
    if row is None:
        raise NotFound(f"there is no order {order_id}; `orderloom orders` lists what is there")
    return row


async def lock_stock(conn: Connection, skus: Iterable[str]) -> list[Available]:
    """Lock every stock row of these SKUs; returns the free units at each location.

    Call it once per transaction: a row that another transaction adds in between would be locked out
    of order.
    """
    rows = _sql.lock_stock(conn, skus=sorted(set(skus)))
    return [Available(**row) async for row in rows]


async def empty_baskets(
    conn: Connection, baskets: Sequence[str], skus: Sequence[str]
) -> dict[str, list[Available]]:
    """End the soft reservations of baskets for these SKUs: basket → its units, by location.

    The caller has locked the SKUs' stock, and serves the backorders of these SKUs before this (they
    cannot get a basket's units) and after it, with the units that are left.
    """
    held: dict[str, list[Available]] = {}
    if baskets:
        async for row in _sql.empty_baskets(conn, baskets=list(baskets), skus=list(skus)):
            item = Available(sku=row["sku"], location=row["location"], quantity=row["quantity"])
            held.setdefault(row["basket"], []).append(item)
    return held
