"""Stock by SKU and location, and its journal of movements.

All changes go through `move`, which books a movement and applies it in one statement, once per
effect. The table's constraints refuse what would oversell.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from domain.errors import Conflict, IllegalTransition, InvalidInput, NotFound
from store import backorders
from store.database import CheckViolation, Connection, Record, load_queries
from store.locks import lock_stock

_sql = load_queries("stock")

MovementKind = Literal[
    "received",
    "allocated",
    "released",
    "shipped",
    "returned",
    "adjusted",
    "counted",
    "transferred",
    "written_off",
]


class Move(BaseModel):
    """A change of one stock row, in units."""

    model_config = ConfigDict(frozen=True)

    sku: str
    location: str
    on_hand: int = 0
    allocated: int = 0


class StockLevel(BaseModel):
    """One stock row. available = on_hand − allocated − safety; incoming is on its way there."""

    model_config = ConfigDict(frozen=True)

    sku: str
    location: str
    on_hand: int
    allocated: int
    safety: int
    available: int
    incoming: int


class Movement(BaseModel):
    """One line of a stock row's story, with what the row held after it.

    `counted`: what a count found, where it was one.
    """

    model_config = ConfigDict(frozen=True)

    movement_id: int
    at: datetime
    sku: str
    location: str
    kind: MovementKind
    on_hand_change: int
    allocated_change: int
    on_hand: int
    allocated: int
    counted: int | None
    order_id: str | None
    who: str
    why: str


async def move(
    conn: Connection,
    effect: str,
    kind: MovementKind,
    moves: Iterable[Move],
    *,
    order_id: str | None = None,
    counted: int | None = None,
    who: str,
    why: str,
) -> None:
    """Book and apply movements, once per effect. The caller holds the locks (`store.locks`).

    Moves of the same stock row are summed first. What becomes free is set aside for those who wait
    for it. Raises IllegalTransition where a row would go below zero or below what is allocated.
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
        moved = [
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
                counted=counted,
                who=who,
                why=why,
            )
        ]
    except CheckViolation:
        raise IllegalTransition(
            f"stock of {', '.join(f'{sku} at {place}' for sku, place in keys)} does not allow it: "
            "on hand would fall below zero or below what orders have allocated"
        ) from None
    done = {(row["sku"], row["location"]) for row in moved}  # nothing, the second time
    freed = {key: on_hand - allocated for key, (on_hand, allocated) in totals.items()}
    if less := [sku for sku, place in done if freed[sku, place] < 0 and kind != "allocated"]:
        await backorders.give_way(conn, less)
    if more := [sku for sku, place in done if freed[sku, place] > 0]:
        await backorders.serve(conn, more)


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


async def write_off(
    conn: Connection, key: str, sku: str, location: str, quantity: int, *, who: str, why: str
) -> StockLevel:
    """Damaged, expired, stolen: on_hand − quantity, once per key, with the reason.

    Raises as `adjust` does, and InvalidInput for a quantity below 1.
    """
    if quantity < 1:
        raise InvalidInput(f"cannot write off {quantity} of {sku}; it is one unit or more")
    return await _change(
        conn, f"write_off:{key}", "written_off", sku, location, -quantity, who, why
    )


async def count(
    conn: Connection, key: str, sku: str, location: str, counted: int, *, who: str, why: str
) -> StockLevel:
    """A count found this many: on_hand becomes that, once per key. The journal keeps the count.

    Raises NotFound for an unknown row, InvalidInput for a negative count, IllegalTransition where
    orders have allocated more than was found, and Conflict when the key was used for another count.
    """
    if counted < 0:
        raise InvalidInput(f"counted {counted} of {sku}; a count is zero or more")
    effect = f"count:{key}"
    async with conn.transaction():
        row = await _locked(conn, sku, location)
        earlier: Record | None = await _sql.find_movement(
            conn, effect=effect, sku=sku, location=location
        )
        if earlier is None:
            found = Move(sku=sku, location=location, on_hand=counted - row.on_hand)
            await move(conn, effect, "counted", [found], counted=counted, who=who, why=why)
        elif earlier["counted"] != counted:
            raise Conflict(f"key {key} was used for a count of {earlier['counted']} {sku} already")
        return await _found(conn, sku, location)


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
        await _locked(conn, sku, location)
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
        return await _found(conn, sku, location)


async def _locked(conn: Connection, sku: str, location: str) -> StockLevel:
    await lock_stock(conn, [sku])  # once: a row that came meanwhile would be locked out of order
    return await _found(conn, sku, location)


async def _found(conn: Connection, sku: str, location: str) -> StockLevel:
    found = await level(conn, sku, location)
    if found is None:
        raise NotFound(f"no stock is kept of {sku} at {location}; `orderloom stock list` shows it")
    return found


async def booked(conn: Connection, effect: str) -> dict[str, int]:
    """SKU → units by which an effect changed what is on hand; empty when it was not booked."""
    rows = _sql.movements_of(conn, effect=effect)
    return {row["sku"]: row["on_hand_change"] async for row in rows}


async def history(
    conn: Connection, sku: str, *, location: str | None = None, at_most: int = 1000
) -> list[Movement]:
    """What happened to a SKU, oldest first; the latest of it where there is more than `at_most`."""
    rows = _sql.history(conn, sku=sku, location=location, at_most=at_most)
    return [Movement(**row) async for row in rows]


async def level(conn: Connection, sku: str, location: str) -> StockLevel | None:
    """One stock row, or None."""
    return next(iter(await levels(conn, sku=sku, location=location)), None)


async def levels(
    conn: Connection, *, sku: str | None = None, location: str | None = None
) -> list[StockLevel]:
    """All stock rows, or those of one SKU or location."""
    rows = _sql.list_stock(conn, sku=sku, location=location)
    return [StockLevel(**row) async for row in rows]
