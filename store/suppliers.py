"""Suppliers, on which terms they sell, and the levels at which is bought from them."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from domain.errors import NotFound
from domain.money import to_decimal
from domain.purchasing import StockLevels, SupplierItem
from store import backorders, locations, stock
from store.database import Connection, Record, load_queries
from store.locks import lock_stock
from store.skus import know

_sql = load_queries("suppliers")


class Supplier(BaseModel):
    """A supplier: how many SKUs it sells us, and how many purchase orders it has to serve."""

    model_config = ConfigDict(frozen=True)

    supplier: str
    name: str
    skus: int
    open_orders: int


class LevelRow(StockLevels):
    """The levels of a stock row, and the inventory position that they are compared with."""

    position: int


async def save(conn: Connection, terms: Sequence[SupplierItem]) -> None:
    """Set these terms, and make their suppliers known; other terms stay as they are.

    Of several rows of one supplier and SKU the last one counts. What is low of these SKUs is called
    for: nobody may have sold it until now.
    """
    latest = list({(item.sku, item.supplier): item for item in terms}.values())
    names: dict[str, str | None] = {}
    for item in latest:
        names[item.supplier] = item.name or names.get(item.supplier)
    async with conn.transaction():
        await know(conn, [item.sku for item in latest])
        await lock_stock(conn, [item.sku for item in latest])
        await _sql.save_suppliers(conn, suppliers=list(names), names=list(names.values()))
        await _sql.save_terms(
            conn,
            skus=[item.sku for item in latest],
            suppliers=[item.supplier for item in latest],
            lead_times=[item.lead_time_days for item in latest],
            minimums=[item.minimum for item in latest],
            multiples=[item.multiple for item in latest],
            prices=[item.price_minor for item in latest],
            currencies=[item.currency for item in latest],
            priorities=[item.priority for item in latest],
        )
        await call_if_low(conn, [item.sku for item in latest])


async def call_if_low(conn: Connection, skus: Sequence[str]) -> None:
    """Have somebody look whether these SKUs are to be bought. The caller holds their locks."""
    await _sql.call_if_low(conn, skus=list(skus))


async def terms(
    conn: Connection, *, supplier: str | None = None, skus: Sequence[str] | None = None
) -> list[SupplierItem]:
    """Terms by supplier and SKU: all, one supplier's, or those of some SKUs."""
    rows = _sql.list_terms(conn, supplier=supplier, skus=None if skus is None else list(skus))
    return [_terms(row) async for row in rows]


async def find(conn: Connection, supplier: str | None = None) -> list[Supplier]:
    """All suppliers, or the one of that id. Raises NotFound for one that is not known."""
    found = [Supplier(**row) async for row in _sql.list_suppliers(conn, supplier=supplier)]
    if supplier is not None and not found:
        raise NotFound(f"there is no supplier {supplier}; `orderloom suppliers list` shows them")
    return found


async def set_levels(conn: Connection, wanted: Sequence[StockLevels]) -> None:
    """Set the levels of these stock rows, which are made where they are not there.

    What is below its level from now on is called for at once. Of several for one row the last one
    counts. Raises NotFound where a location is not known; nothing is set then.
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
        # Less safety stock is more for those who wait.
        await backorders.serve(conn, [row.sku for row in rows if row.safety is not None])


async def levels(
    conn: Connection,
    *,
    sku: str | None = None,
    location: str | None = None,
    after: tuple[str, str] | None = None,
    at_most: int | None = None,
) -> list[LevelRow]:
    """Stock rows that are bought by themselves, with their levels and positions.

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


def _terms(row: Record) -> SupplierItem:
    values = dict(row)
    price = to_decimal(values.pop("price_minor"), values["currency"])
    return SupplierItem(**values, unit_price=price)
