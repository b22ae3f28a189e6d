"""Goods that their customers have in the hand, and that no count of the shelf knows of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime

from domain.errors import NotFound
from domain.orders.handling import DIGITAL
from store.database import Connection, load_queries
from store.locks import empty_baskets, lock_stock
from store.stock import backorders, items, kits, locations, stock
from store.stock.skus import know

_sql = load_queries(__file__, "baskets")


async def make_room(
    conn: Connection,
    basket: str,
    units: Mapping[str, int],
    location: str,
    *,
    expires_at: datetime,
    who: str,
    why: str,
) -> dict[str, int]:
    """Soft-reserve these units (SKU → units) at a location for a sale that has happened.

    Where fewer are free than were sold, the count was wrong, or others' units were taken: so many
    are added as an adjustment, once for this basket, and told. Orders and backorders keep theirs.
    Codes are none of them: a till alone has given out none. Returns SKU → units that were added.
    Raises NotFound for an unknown location.
    """
    await know(conn, units)
    described = await items.find(conn, list(units))
    codes = {sku for sku, item in described.items() if item.handling == DIGITAL}
    units = {sku: n for sku, n in units.items() if sku not in codes}
    known = await locations.names(conn)
    if location not in known:
        raise locations.fault_of(location, known) or NotFound(f"there is no location {location}")
    effect = f"till:{basket}"
    async with conn.transaction():
        await kits.refuse(conn, units)
        skus = sorted(units)
        await stock.ensure_rows(conn, [(sku, location) for sku in skus])
        free = Counter[str]()
        for shelf in await lock_stock(conn, skus):
            if shelf.location == location:
                free[shelf.sku] += max(shelf.quantity, 0)
        for served in await backorders.serve(conn, skus):
            if served.location == location:
                free[served.sku] -= served.quantity
        for own in (await empty_baskets(conn, [basket], skus)).get(basket, ()):
            free[own.sku] += own.quantity
        before = await stock.booked(conn, effect)
        more = {
            sku: n - free[sku] for sku, n in units.items() if n > free[sku] and sku not in before
        }
        held = {sku: n if sku in more else min(n, free[sku]) for sku, n in units.items()}
        held = {sku: n for sku, n in held.items() if n}
        # Before the units are there: nobody who waits for some gets them.
        await _sql.hold(
            conn,
            basket=basket,
            skus=list(held),
            locations=[location] * len(held),
            quantities=list(held.values()),
            expires_at=expires_at,
        )
        goods = [
            stock.Move(sku=sku, location=location, on_hand=units) for sku, units in more.items()
        ]
        await stock.move(conn, effect, "adjusted", goods, who=who, why=why)
    return more


async def await_goods(
    conn: Connection,
    basket: str,
    units: Mapping[str, int],
    location: str,
    *,
    expires_at: datetime,
) -> None:
    """Soft-reserve units that are about to come to a location, so that nobody else gets them.

    The caller books them in, in the same transaction.
    """
    skus = sorted(units)
    await stock.ensure_rows(conn, [(sku, location) for sku in skus])
    await lock_stock(conn, skus)
    await _sql.hold(
        conn,
        basket=basket,
        skus=skus,
        locations=[location] * len(skus),
        quantities=[units[sku] for sku in skus],
        expires_at=expires_at,
    )
