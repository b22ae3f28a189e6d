"""Row locks, in the one order in which they may be taken: an order's row, then stock, sorted, and
at the very end the counters of documents, that of invoices before that of credit notes.

Every function that writes about an order locks its row first, so two of them never interleave.
Orders meet only at stock rows; those are locked in one sorted order, so no two orders can wait for
each other in a circle, whatever lines they have.

A counter (store/accounting/documents.py) is a row that all orders need, locked until commit so that
numbers have no holes. Whoever waits for it holds everything else already, and whoever holds it
waits for nobody: nothing is locked after it, and little is done.
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
    """Lock every stock row of these SKUs; returns what is free at each location.

    Once per transaction: a row that another one adds in between would be locked out of order.
    """
    wanted = sorted(set(skus))
    rows = [row async for row in _sql.lock_stock(conn, skus=wanted)]
    held = {
        (row["sku"], row["location"]): row["quantity"]
        async for row in _sql.set_aside(conn, skus=wanted)
    }
    return [
        Available(
            sku=row["sku"],
            location=row["location"],
            quantity=0
            if row["retired"]
            else row["on_hand"]
            - row["allocated"]
            - row["safety"]
            - held.get((row["sku"], row["location"]), 0),
        )
        for row in rows
    ]


async def empty_baskets(
    conn: Connection, baskets: Sequence[str], skus: Sequence[str]
) -> dict[str, list[Available]]:
    """Give up what baskets hold of these SKUs, whose rows are locked: basket → what it held.

    Whoever does so serves those who wait for the SKUs: before, while they cannot get what is a
    basket's own, and after, with what is left of it.
    """
    held: dict[str, list[Available]] = {}
    if baskets:
        async for row in _sql.empty_baskets(conn, baskets=list(baskets), skus=list(skus)):
            item = Available(sku=row["sku"], location=row["location"], quantity=row["quantity"])
            held.setdefault(row["basket"], []).append(item)
    return held
