"""Suppliers, and the terms on which they sell."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from domain.errors import NotFound
from domain.purchasing.purchase_orders import SupplierItem
from domain.stored import stored
from store.database import Connection, Record, load_queries
from store.locks import lock_stock
from store.stock.skus import know
from store.stock.stock_levels import call_if_low

_sql = load_queries(__file__)


class Supplier(BaseModel):
    """A supplier, with the number of SKUs it sells and of purchase orders that are open."""

    model_config = ConfigDict(frozen=True)

    supplier: str
    name: str
    skus: int
    open_orders: int


async def save(conn: Connection, terms: Sequence[SupplierItem]) -> None:
    """Save these terms and their suppliers; other terms stay as they are.

    If a supplier and SKU appear several times, the last row counts. Purchasing is called to look at
    these SKUs, because no supplier may have sold them until now.
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
            prices=[item.unit_price for item in latest],
            currencies=[item.currency for item in latest],
            priorities=[item.priority for item in latest],
        )
        await call_if_low(conn, [item.sku for item in latest])


async def terms(
    conn: Connection,
    *,
    supplier: str | None = None,
    skus: Sequence[str] | None = None,
    after: tuple[str, str] | None = None,
    at_most: int | None = None,
) -> list[SupplierItem]:
    """Terms by supplier and SKU: all, one supplier's, or those of some SKUs.

    A page has `at_most` rows and begins behind the (supplier, SKU) `after`.
    """
    after_supplier, after_sku = after or (None, None)
    rows = _sql.list_terms(
        conn,
        supplier=supplier,
        skus=None if skus is None else list(skus),
        after_supplier=after_supplier,
        after_sku=after_sku,
        at_most=at_most,
    )
    return [terms_of(row) async for row in rows]


async def find(
    conn: Connection,
    supplier: str | None = None,
    *,
    locations: Sequence[str] | None = None,
    after: str | None = None,
    at_most: int | None = None,
) -> list[Supplier]:
    """Suppliers by id: all, one, or a page of `at_most` that begins behind the id `after`.

    `locations`: of which open orders are counted; None: of all. Raises NotFound where one is asked
    for that is not there.
    """
    places = None if locations is None else list(locations)
    rows = _sql.list_suppliers(
        conn, supplier=supplier, locations=places, after=after, at_most=at_most
    )
    found = [Supplier(**row) async for row in rows]
    if supplier is not None and not found:
        raise NotFound(f"there is no supplier {supplier}; `orderloom suppliers list` shows them")
    return found


async def names(conn: Connection, *, at_most: int) -> dict[str, str]:
    """Supplier → name, by name."""
    return {row["supplier"]: row["name"] async for row in _sql.names(conn, at_most=at_most)}


def terms_of(row: Record) -> SupplierItem:
    """A supplier's terms as they were accepted, whatever today's lists say."""
    return stored(SupplierItem, dict(row))
