"""The levels at which stock is bought, and the calls to buy when stock is below them."""

from __future__ import annotations

from collections.abc import Sequence

from domain.stock.stock_levels import StockLevels
from store.database import Connection, load_queries
from store.locks import lock_stock
from store.stock import backorders, locations, stock

_sql = load_queries(__file__)


class LevelRow(StockLevels):
    """The levels of a stock row, and the inventory position to compare them with."""

    position: int


async def call_if_low(conn: Connection, skus: Sequence[str]) -> None:
    """Call purchasing for those of these SKUs that are low. The caller holds their locks."""
    await _sql.call_if_low(conn, skus=list(skus))


async def set_levels(conn: Connection, wanted: Sequence[StockLevels]) -> None:
    """Set the levels of these stock rows; missing rows are created.

    Purchasing is called at once for rows below their new level. If a row appears several times, the
    last one counts. Raises NotFound for an unknown location; then nothing is set.
    """
    latest = {(row.sku, row.location): row for row in wanted}
    rows = [latest[key] for key in sorted(latest)]
    async with conn.transaction():
        await locations.check(conn, [row.location for row in rows])
        await stock.ensure_rows(conn, latest)
        await lock_stock(conn, [row.sku for row in rows])
        await _sql.set_levels(
            conn,
            skus=[row.sku for row in rows],
            locations=[row.location for row in rows],
            reorder_points=[row.reorder_point for row in rows],
            order_up_tos=[row.order_up_to for row in rows],
            service_levels=[row.service_level for row in rows],
            safeties=[row.safety for row in rows],
        )
        # Less safety stock leaves more units for backorders.
        await backorders.serve(conn, [row.sku for row in rows if row.safety is not None])


async def levels(
    conn: Connection,
    *,
    sku: str | None = None,
    location: str | None = None,
    after: tuple[str, str] | None = None,
    at_most: int | None = None,
) -> list[LevelRow]:
    """Stock rows that have levels to buy at, with their levels and positions.

    A page has `at_most` rows and begins behind the (SKU, location) `after`.
    """
    after_sku, after_location = after or (None, None)
    rows = _sql.list_levels(
        conn,
        sku=sku,
        location=location,
        after_sku=after_sku,
        after_location=after_location,
        at_most=at_most,
    )
    return [LevelRow(**row) async for row in rows]
