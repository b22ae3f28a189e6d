"""Items: the shop's settings for each SKU."""

from __future__ import annotations

from collections.abc import Sequence

from domain.stock.items import Item
from store.database import Connection, load_queries
from store.locks import lock_stock
from store.stock import stock_levels
from store.stock.skus import know

_sql = load_queries(__file__)


async def save(conn: Connection, items: Sequence[Item]) -> None:
    """Replace the settings of these SKUs, each given once; other SKUs stay as they are.

    Purchasing is called to look at these SKUs, because one may have been discontinued until now.
    """
    skus = [item.sku for item in items]
    async with conn.transaction():
        await know(conn, skus)
        # Items come before the locks of stock: see store/locks.py.
        await _sql.save_items(
            conn,
            skus=skus,
            names=[item.name for item in items],
            backorders=[item.backorder for item in items],
            available_from=[item.available_from for item in items],
            discontinued=[item.discontinued for item in items],
            handlings=[item.handling for item in items],
            categories=[item.category for item in items],
        )
        await lock_stock(conn, skus)
        await stock_levels.call_if_low(conn, skus)


async def find(conn: Connection, skus: Sequence[str] | None = None) -> dict[str, Item]:
    """SKU → item, of these SKUs or of all that have settings."""
    rows = _sql.list_items(conn, skus=None if skus is None else list(skus))
    return {row["sku"]: Item(**row) async for row in rows}


async def listed(
    conn: Connection,
    *,
    sku: str | None = None,
    after: str | None = None,
    at_most: int | None = None,
) -> list[Item]:
    """Items by SKU: all, one, or a page of `at_most` that begins behind the SKU `after`."""
    rows = _sql.page_of_items(conn, sku=sku, after=after, at_most=at_most)
    return [Item(**row) async for row in rows]
