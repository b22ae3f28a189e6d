"""Stock by SKU and location, and its journal of movements.

All changes go through `move` or `book`, which write the movements and apply them in one statement,
once per effect. The table's constraints refuse a change that would oversell.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict

from domain.errors import IllegalTransition, NotFound
from domain.stock.kits import Parts
from store.accounting import valuation
from store.accounting.valuation import NOTHING, Paid
from store.database import CheckViolation, Connection, Record, load_queries
from store.stock import backorders, kits
from store.stock.skus import know

_sql = load_queries(__file__)

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
    "to_supplier",
]


class Move(BaseModel):
    """A change of one stock row, in units."""

    model_config = ConfigDict(frozen=True)

    sku: str
    location: str
    on_hand: int = 0
    allocated: int = 0
    under_way: int = 0  # Units between two locations, counted at their destination.


def moves(parts: Parts, location: str, *, on_hand: int = 0, allocated: int = 0) -> list[Move]:
    """The moves of the parts' stock rows for a number of units that consist of these parts."""
    return [
        Move(sku=part, location=location, on_hand=on_hand * units, allocated=allocated * units)
        for part, units in parts.items()
    ]


@dataclass(frozen=True)
class Booking:
    """The moves of one effect, with its order if it has one."""

    effect: str
    moves: Sequence[Move]
    order_id: str | None = None
    paid: Paid = NOTHING

    def totals(self) -> list[tuple[str, str, int, int]]:
        """(SKU, location, on_hand, allocated) of each stock row that moves, sorted."""
        sums: dict[tuple[str, str], tuple[int, int]] = {}
        for item in self.moves:
            on_hand, allocated = sums.get((item.sku, item.location), (0, 0))
            sums[item.sku, item.location] = (on_hand + item.on_hand, allocated + item.allocated)
        return [(*key, *sums[key]) for key in sorted(sums)]

    def under_way(self) -> dict[tuple[str, str], int]:
        """(SKU, location) → change of the units between locations."""
        return {(item.sku, item.location): item.under_way for item in self.moves if item.under_way}


class StockLevel(BaseModel):
    """One stock row. available = on_hand − allocated − safety − soft_reserved.

    `soft_reserved`: soft reservations of baskets and backorders; `incoming` is on its way there.
    """

    model_config = ConfigDict(frozen=True)

    sku: str
    location: str
    on_hand: int
    allocated: int
    safety: int
    soft_reserved: int
    available: int
    incoming: int


async def move(
    conn: Connection,
    effect: str,
    kind: MovementKind,
    moves: Iterable[Move],
    *,
    order_id: str | None = None,
    counted: int | None = None,
    paid: Paid = NOTHING,
    who: str,
    why: str,
) -> None:
    """Book and apply the movements of one effect; see `Booking` and `book`."""
    booking = Booking(effect, list(moves), order_id, paid)
    await book(conn, kind, [booking], counted=counted, who=who, why=why)


async def arrive(
    conn: Connection,
    effect: str,
    kind: MovementKind,
    moves: Sequence[Move],
    *,
    damaged: Mapping[tuple[str, str], int],
    paid: Paid = NOTHING,
    who: str,
    why: str,
    why_not: str,
) -> None:
    """Book goods that arrive, and write off those that are damaged: (SKU, location) → units.

    Whoever waits is promised only the others. `why_not`: why they are written off.
    """
    booking = Booking(effect, moves, paid=paid)
    await book(conn, kind, [booking], serves=not damaged, who=who, why=why)
    if damaged:
        broken = [Move(sku=sku, location=at, on_hand=-n) for (sku, at), n in damaged.items()]
        await book(
            *(conn, "written_off", [Booking(f"{effect}:damaged", broken)]),
            serves=False,
            who=who,
            why=why_not,
        )
        await backorders.serve(conn, [one.sku for one in moves if one.on_hand > 0])


async def book(
    conn: Connection,
    kind: MovementKind,
    bookings: Sequence[Booking],
    *,
    counted: int | None = None,
    serves: bool = True,
    who: str,
    why: str,
) -> None:
    """Book and apply movements, once per effect. The caller holds the locks (`store.locks`).

    Moves of the same stock row by the same effect are summed first. Goods that arrive or leave,
    which is one effect at a time, are booked with their cost. Freed units are soft-reserved for the
    backorders of their SKU, unless the caller does that later. Raises IllegalTransition when a row
    would fall below zero or below its allocated units, and InvalidInput for an impossible price.
    """
    rows = [(booking, *total) for booking in bookings for total in booking.totals()]
    if not rows:
        return
    goods = [b for b in bookings if any(m.on_hand or m.under_way for m in b.moves)]
    if goods and len(bookings) > 1:
        raise ValueError("goods come and go by one effect at a time")
    with impossible((sku, location) for _, sku, location, _, _ in rows):
        # Read to the end: a generator that is not read to its end would leave the statement
        # unfinished.
        moved = [  # A repeat moves nothing.
            row
            async for row in _sql.move(
                conn,
                kind=kind,
                goods=bool(goods),
                effects=[booking.effect for booking, *_ in rows],
                order_ids=[booking.order_id for booking, *_ in rows],
                skus=[sku for _, sku, _, _, _ in rows],
                locations=[location for _, _, location, _, _ in rows],
                on_hand_changes=[on_hand for _, _, _, on_hand, _ in rows],
                allocated_changes=[allocated for _, _, _, _, allocated in rows],
                counted=counted,
                who=who,
                why=why,
            )
        ]
    for booking in goods:
        await valuation.book(
            conn,
            moved,
            effect=booking.effect,
            kind=kind,
            order_id=booking.order_id,
            under_way=booking.under_way(),
            paid=booking.paid,
            why=why,
        )
    less = [row["sku"] for row in moved if row["freed"] < 0 and kind != "allocated"]
    if less:
        await backorders.give_way(conn, less)
    # Also the backorders that had to give way here: other locations may have some.
    wanted = less + [row["sku"] for row in moved if row["freed"] > 0]
    if serves and wanted:
        await backorders.serve(conn, wanted)


@contextmanager
def impossible(rows: Iterable[tuple[str, str]]) -> Iterator[None]:
    """Raise IllegalTransition where these (SKU, location) rows do not allow what is booked."""
    try:
        yield
    except CheckViolation as fault:
        if fault.table_name not in (None, "stock"):
            raise  # A fault in the code, not in what was asked.
        places = ", ".join(sorted({f"{sku} at {place}" for sku, place in rows}))
        raise IllegalTransition(
            f"stock of {places} does not allow it: on hand would fall below zero or below what "
            "orders have allocated"
        ) from None


async def ensure_rows(conn: Connection, rows: Iterable[tuple[str, str]]) -> None:
    """Make sure that these (SKU, location) rows exist, new ones with nothing in stock.

    Raises IllegalTransition for a kit. The locations exist.
    """
    wanted = sorted(set(rows))
    await kits.refuse(conn, [sku for sku, _ in wanted])
    await know(conn, [sku for sku, _ in wanted])
    try:
        await _sql.add_stock_rows(
            conn, skus=[sku for sku, _ in wanted], locations=[location for _, location in wanted]
        )
    except CheckViolation as fault:
        raise IllegalTransition(f"{fault}; it became one a moment ago") from None


async def recorded(conn: Connection, effect: str, sku: str, location: str) -> Record | None:
    """An effect's change of a stock row (on_hand_change, counted), if it has been booked."""
    row: Record | None = await _sql.find_movement(conn, effect=effect, sku=sku, location=location)
    return row


async def row_of(conn: Connection, sku: str, location: str) -> StockLevel:
    """One stock row. Raises NotFound."""
    found = await level(conn, sku, location)
    if found is None:
        await kits.refuse(conn, [sku])
        raise NotFound(f"no stock is kept of {sku} at {location}; `orderloom stock list` shows it")
    return found


async def booked(conn: Connection, effect: str) -> dict[str, int]:
    """SKU → units by which an effect changed on_hand; empty when it was not booked."""
    rows = _sql.movements_of(conn, effect=effect)
    return {row["sku"]: row["on_hand_change"] async for row in rows}


async def level(conn: Connection, sku: str, location: str) -> StockLevel | None:
    """One stock row, or None."""
    return next(iter(await levels(conn, sku=sku, location=location)), None)


async def levels(
    conn: Connection,
    *,
    sku: str | None = None,
    location: str | None = None,
    after: tuple[str, str] | None = None,
    at_most: int | None = None,
) -> list[StockLevel]:
    """Stock rows by SKU and location: all, those of one SKU or location, or a page of them.

    A page has `at_most` rows and begins behind the (SKU, location) `after`.
    """
    after_sku, after_location = after or (None, None)
    rows = _sql.list_stock(
        conn,
        sku=sku,
        location=location,
        after_sku=after_sku,
        after_location=after_location,
        at_most=at_most,
    )
    return [StockLevel(**row) async for row in rows]
