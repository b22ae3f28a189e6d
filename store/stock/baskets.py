"""Baskets: soft reservations for somebody at checkout, with an expiry.

Nothing has to run when a basket expires: from then on it does not count. The order that names the
basket takes over its units.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from domain.errors import IllegalTransition
from store.database import Connection, load_queries
from store.locks import empty_baskets, lock_stock
from store.stock import backorders, kits

_sql = load_queries(__file__)


class Basket(BaseModel):
    """The units soft-reserved for a basket (SKU → units), and their expiry."""

    model_config = ConfigDict(frozen=True)

    basket: str
    units: dict[str, int]
    expires_at: datetime


async def hold(
    conn: Connection, basket: str, units: Mapping[str, int], *, expires_at: datetime
) -> Basket:
    """Soft-reserve exactly these units (SKU → units) for a basket, in place of its earlier ones.

    All of them or none. Raises IllegalTransition when there are too few, or for a kit whose parts
    alone are there; then the basket keeps its earlier units. Backorders of a SKU come before
    additional units of the basket.
    """
    async with conn.transaction():
        await kits.refuse(conn, units)
        skus = sorted({*units, *[row["sku"] async for row in _sql.skus_of(conn, basket=basket)]})
        free: dict[str, dict[str, int]] = {}
        for item in await lock_stock(conn, skus):
            free.setdefault(item.sku, {})[item.location] = max(item.quantity, 0)
        for served in await backorders.serve(conn, skus):
            free[served.sku][served.location] -= served.quantity
        earlier = await empty_baskets(conn, [basket], skus)
        for own in earlier.get(basket, ()):
            free[own.sku][own.location] += own.quantity
        taken = []
        for sku, wanted in units.items():
            shelves = free.get(sku, {})
            if (there := sum(shelves.values())) < wanted:
                raise IllegalTransition(f"only {there} of {wanted} {sku} are free; none are held")
            taken += [(sku, place, n) for place, n in _spread(wanted, shelves)]
        await _sql.forget_expired(conn, skus=skus)
        await _sql.hold(
            conn,
            basket=basket,
            skus=[sku for sku, _, _ in taken],
            locations=[place for _, place, _ in taken],
            quantities=[n for _, _, n in taken],
            expires_at=expires_at,
        )
        if earlier:
            await backorders.serve(conn, skus)
    return Basket(basket=basket, units=dict(units), expires_at=expires_at)


async def release(conn: Connection, basket: str) -> None:
    """Free a basket's units, for the first backorders of them."""
    async with conn.transaction():
        skus = [row["sku"] async for row in _sql.skus_of(conn, basket=basket)]
        await lock_stock(conn, skus)
        await empty_baskets(conn, [basket], skus)
        await backorders.serve(conn, skus)


async def find(
    conn: Connection,
    basket: str | None = None,
    *,
    sku: str | None = None,
    after: tuple[datetime, str] | None = None,
    at_most: int | None = None,
) -> list[Basket]:
    """One basket or all baskets; the first to expire comes first.

    `sku`: those that hold it, with its units alone. A page has `at_most` of them, behind the one
    that expires then and has this id.
    """
    after_at, after_basket = after or (None, None)
    rows = _sql.list_baskets(
        conn, basket=basket, sku=sku, after_at=after_at, after_basket=after_basket, at_most=at_most
    )
    return [Basket(**row) async for row in rows]


def _spread(wanted: int, shelves: Mapping[str, int]) -> list[tuple[str, int]]:
    """Take units from as few locations as possible: the fullest first."""
    taken = []
    for place in sorted(shelves, key=lambda place: -shelves[place]):
        if units := min(wanted, shelves[place]):
            wanted -= units
            taken.append((place, units))
    return taken
