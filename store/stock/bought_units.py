"""Units that are bought for one order: they come for it, and serve no other that waits."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from domain import ids
from domain.orders.quantities import LineUnits
from store import waits
from store.database import Connection, load_queries
from store.stock import backorders

_sql = load_queries(__file__, "backorders")


async def came_for(
    conn: Connection, order_id: str, units: LineUnits, skus: Mapping[str, str], place: str
) -> dict[str, int]:
    """Soft-reserve units that come for this order and for no other, and wake its workflow.

    The caller holds the stock's locks, and books the units next. Returns the units that it waits
    for: what it does not wait for any more is free.
    """
    waiting = {row["line_id"]: row["quantity"] for row in await backorders.lines_of(conn, order_id)}
    wanted = {k: min(n, waiting.get(k, 0)) for k, n in units.items()}
    wanted = {k: n for k, n in wanted.items() if n}
    if wanted:
        await backorders.soft_reserve(conn, order_id, wanted, skus, place)
        round_ = await _sql.rounds_of(conn, order_id=order_id)
        if round_:
            await waits.report(
                conn, order_id, ids.wait_id(backorders.WAIT, ids.backorder_id(order_id, round_)), {}
            )
    return wanted


async def promise_line(conn: Connection, order_id: str, line_id: str, day: date) -> None:
    """Promise what is bought for a line by the day that its supplier has named."""
    await _sql.promise_line(conn, order_id=order_id, line_id=line_id, day=day)
