"""Row locks, in the one order in which they may be taken.

0. The row of a run of scans on a warehouse's floor. Its facts lock what they are about behind it.
1. The row of an order, of several in the sequence of their ids, or of a transfer or purchase order.
   Every function that writes about an order locks its row first, so two of them never interleave.
2. Items, where a change of theirs and stock exclude each other.
3. Stock: a row of `inventory` for each SKU, sorted by SKU, all in one call of `lock_stock`. Orders
   meet only here, so no two of them can wait for each other in a circle, whatever lines they have.
   It is the lock of all stock rows of the SKU, of its backorders and soft reservations, and of
   what its goods have cost.
4. The word to other orders' steps that stock has come for them: one transaction after the other.
5. The counters of documents: invoices before credit notes.

Whoever takes many rows of a table without these locks skips those that others hold, and waits for
nobody: the relay does so. `tests/architecture/test_locks.py` lists every lock.

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
    """Lock all stock of these SKUs; returns the free units at each location.

    Call it once per transaction: what a second call locks would be out of the sequence.
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
