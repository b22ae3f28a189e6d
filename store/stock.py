"""Stock by SKU and location, and its journal of movements.

All changes go through `move`, which books a movement and applies it in one statement, once per
effect. The table's constraints refuse what would oversell.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pydantic import BaseModel, ConfigDict

from domain.errors import Conflict, IllegalTransition, InvalidInput, NotFound
from store.database import CheckViolation, Connection, Record, load_queries
from store.locks import lock_stock

_sql = load_queries("stock")

MovementKind = Literal[
    "received", "allocated", "released", "shipped", "returned", "adjusted", "written_off"
]


class Move(BaseModel):
    """A change of one stock row, in units."""

    model_config = ConfigDict(frozen=True)

    sku: str
    location: str
    on_hand: int = 0
    allocated: int = 0


class StockLevel(BaseModel):
    """One stock row. available = on_hand − allocated − safety."""

    model_config = ConfigDict(frozen=True)

    sku: str
    location: str
    on_hand: int
    allocated: int
    safety: int
    available: int


async def move(
    conn: Connection,
    effect: str,
    kind: MovementKind,
    moves: Iterable[Move],
    *,
    order_id: str | None = None,
    who: str,
    why: str,
) -> None:
    """Book and apply movements, once per effect. The caller holds the locks (`store.locks`).

    Moves of the same stock row are summed first. Raises IllegalTransition where a row would go
    below zero or below what is allocated.
    """
    totals: dict[tuple[str, str], tuple[int, int]] = {}
    for item in moves:
        on_hand, allocated = totals.get((item.sku, item.location), (0, 0))
        totals[item.sku, item.location] = (on_hand + item.on_hand, allocated + item.allocated)
    if not totals:
        return
    keys = sorted(totals)
    try:
        # Read to the end: the generator of an unread statement would leave it unfinished.
        [
            row
            async for row in _sql.move(
                conn,
                effect=effect,
                kind=kind,
                skus=[sku for sku, _ in keys],
                locations=[location for _, location in keys],
                on_hand_changes=[totals[key][0] for key in keys],
                allocated_changes=[totals[key][1] for key in keys],
                order_id=order_id,
                who=who,
                why=why,
            )
        ]
    except CheckViolation:
        raise IllegalTransition(
            f"stock of {', '.join(f'{sku} at {place}' for sku, place in keys)} does not allow it: "
            "on hand would fall below zero or below what orders have allocated"
        ) from None


async def ensure_rows(
    conn: Connection, rows: Iterable[tuple[str, str]], *, priority: int = 100
) -> None:
    """Make sure that these (sku, location) rows exist, new ones with nothing in stock."""
    wanted = sorted(set(rows))
    for location in sorted({location for _, location in wanted}):
        await _sql.add_location(conn, location=location, priority=priority)
    await _sql.add_stock_rows(
        conn, skus=[sku for sku, _ in wanted], locations=[location for _, location in wanted]
    )


async def receive(
    conn: Connection, key: str, sku: str, location: str, quantity: int, *, who: str, why: str
) -> StockLevel:
    """Goods arrived: on_hand + quantity, once per key. A new SKU or location is created.

    Raises InvalidInput for a quantity below 1, and Conflict when the key was used for another one.
    """
    if quantity < 1:
        raise InvalidInput(f"cannot receive {quantity} of {sku}; a receipt is more than zero units")
    await ensure_rows(conn, [(sku, location)])
    return await _change(conn, f"receive:{key}", "received", sku, location, quantity, who, why)


async def adjust(
    conn: Connection, key: str, sku: str, location: str, change: int, *, who: str, why: str
) -> StockLevel:
    """Correct on_hand by `change` units (may be negative), once per key, with the reason.

    Raises NotFound for an unknown row, IllegalTransition when it would fall below what is
    allocated, and Conflict when the key was used for another change.
    """
    return await _change(conn, f"adjust:{key}", "adjusted", sku, location, change, who, why)


async def _change(
    conn: Connection,
    effect: str,
    kind: MovementKind,
    sku: str,
    location: str,
    change: int,
    who: str,
    why: str,
) -> StockLevel:
    async with conn.transaction():
        await lock_stock(conn, [sku])
        if await level(conn, sku, location) is None:
            raise NotFound(
                f"no stock is kept of {sku} at {location}; `orderloom stock list` shows it"
            )
        earlier: Record | None = await _sql.find_movement(
            conn, effect=effect, sku=sku, location=location
        )
        if earlier is not None and earlier["on_hand_change"] != change:
            raise Conflict(
                f"key {effect} was used for {earlier['on_hand_change']:+} units of {sku} already"
            )
        await move(
            conn, effect, kind, [Move(sku=sku, location=location, on_hand=change)], who=who, why=why
        )
        after = await level(conn, sku, location)
        assert after is not None
        return after


async def level(conn: Connection, sku: str, location: str) -> StockLevel | None:
    """One stock row, or None."""
    row = await _sql.known_stock(conn, sku=sku, location=location)
    return None if row is None else StockLevel(**row)


async def levels(
    conn: Connection, *, sku: str | None = None, location: str | None = None
) -> list[StockLevel]:
    """All stock rows, or those of one SKU or location."""
    rows = _sql.list_stock(conn, sku=sku, location=location)
    return [StockLevel(**row) async for row in rows]
