"""First days of sale, of units that orders wait for: when they are, and that they move."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from store.database import Connection, load_queries
from store.locks import lock_order, lock_stock

_sql = load_queries(__file__)


async def of_order(conn: Connection, order_id: str) -> dict[str, datetime]:
    """Line id → when its first day of sale begins, or began, of lines that wait and have one."""
    rows = _sql.of_order(conn, order_id=order_id)
    return {row["line_id"]: row["begins"] async for row in rows}


async def wait_longer(conn: Connection, order_id: str, since: Mapping[str, datetime]) -> None:
    """These lines count as waited for since then.

    The caller holds the order's and the stock's locks.
    """
    await _sql.wait_longer(
        conn, order_id=order_id, line_ids=list(since), since=list(since.values())
    )


async def move(conn: Connection, batch: int) -> int:
    """Move the promises of units whose first day of sale has moved, and tell their orders.

    Each in a transaction of its own. Returns how many there were.
    """
    moved = [row async for row in _sql.moved(conn, batch=batch)]
    for row in moved:
        async with conn.transaction():
            await lock_order(conn, row["order_id"])
            await lock_stock(conn, [row["sku"]])
            await _sql.move(conn, order_no=row["order_no"], line_id=row["line_id"])
    return len(moved)
