"""Backorders: the units that orders wait for, in the sequence in which we took the orders in.

A transaction that frees units soft-reserves them for the first backorders, under the stock's locks,
and wakes the workflows of just these orders. So a new order never overtakes one that waits, and no
workflow has to ask repeatedly. The order's workflow then allocates its soft reservations.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Final

from domain import ids
from domain.orders.handling import DIGITAL
from domain.orders.order import Shipping
from domain.orders.quantities import LineUnits
from domain.stock.locations import Promise
from domain.stock.sourcing import Available, Take
from domain.stored import stored
from store import waits
from store.database import Connection, Record, load_queries
from store.locks import lock_stock
from store.orders import orders
from store.stock import locations

_sql = load_queries(__file__)

WAIT: Final = "await_stock"
"""The step of an order's workflow that waits for its backordered units."""


async def wait(
    conn: Connection,
    order_id: str,
    units: LineUnits,
    skus: Mapping[str, str],
    *,
    round: int,
    barred: Sequence[str] = (),
    promises: Mapping[str, Promise],
) -> None:
    """Turn open units into backorders. The caller holds the order's and stock's locks.

    `round` is the number of the workflow's wait; 0: it has not joined one yet. `barred`: locations
    that refused to serve the units. `promises`: the days that the customer was told, by line.
    """
    if not units:
        return
    promised = [promises.get(line_id) for line_id in units]
    await _sql.insert_backorders(
        conn,
        order_id=order_id,
        line_ids=list(units),
        skus=[skus[line_id] for line_id in units],
        quantities=list(units.values()),
        leaves=[None if promise is None else promise.leaves_on for promise in promised],
        arrivals=[None if promise is None else promise.arrives_on for promise in promised],
        barred=list(barred),
        round=round,
    )
    await orders.move_lines(conn, order_id, {k: {"backordered": n} for k, n in units.items()})


async def serve(conn: Connection, skus: Iterable[str]) -> list[Available]:
    """Soft-reserve the free units of these SKUs for the first backorders, and wake their workflows.

    The caller holds the stock's locks. The workflows allocate the units later.
    Returns the new soft reservations.
    """
    wanted = sorted(set(skus))
    waiting = [row async for row in _sql.in_turn(conn, skus=wanted)] if wanted else []
    if not waiting:
        return []
    free: dict[str, dict[str, int]] = {}
    async for row in _sql.free(conn, skus=sorted({row["sku"] for row in waiting})):
        if row["quantity"] > 0:
            free.setdefault(row["sku"], {})[row["location"]] = row["quantity"]
    reached = await _reached(conn, waiting, free)
    given = [
        (row, *one)
        for row, places in zip(waiting, reached, strict=True)
        for one in _share(row, free.get(row["sku"], {}), places)
    ]
    if not given:
        return []
    await _sql.soft_reserve(
        conn,
        order_ids=[row["order_id"] for row, _, _ in given],
        line_ids=[row["line_id"] for row, _, _ in given],
        skus=[row["sku"] for row, _, _ in given],
        locations=[location for _, location, _ in given],
        quantities=[units for _, _, units in given],
    )
    await waits.report_to_all(
        conn,
        {
            _wait_id(row["order_id"], row["round"]): row["order_id"]
            for row, _, _ in given
            if row["round"]  # A workflow without a round has not heard yet that it waits.
        },
        {},
    )
    return [
        Available(sku=row["sku"], location=location, quantity=units)
        for row, location, units in given
    ]


async def _reached(
    conn: Connection, waiting: Sequence[Record], free: Mapping[str, Mapping[str, int]]
) -> list[set[str]]:
    """For each of these orders, the locations with free units that can ship to it.

    Codes are given out from anywhere.
    """
    there = sorted({place for shelves in free.values() for place in shelves})
    if not there:
        return [set() for _ in waiting]
    to = [stored(Shipping, row["shipping"]) for row in waiting]
    ways = await locations.ways_to(conn, there, to)
    return [
        {way.location for way in theirs if way.reaches or row["handling"] == DIGITAL}
        for row, theirs in zip(waiting, ways, strict=True)
    ]


def _share(row: Record, free: dict[str, int], reached: Set[str]) -> list[tuple[str, int]]:
    """Take a line's units out of the free ones, from as few locations as possible."""
    wanted = row["quantity"]
    usable = [
        place
        for place in free
        if place in reached
        and place not in row["barred"]
        and (row["only_from"] is None or place in row["only_from"])
    ]
    taken = []
    # A location that has all of it comes first.
    for place in sorted(usable, key=lambda place: free[place] < wanted):
        units = min(wanted, free[place])
        if units:
            free[place] -= units
            wanted -= units
            taken.append((place, units))
    return taken


async def soft_reserve(
    conn: Connection, order_id: str, units: LineUnits, skus: Mapping[str, str], place: str
) -> None:
    """Soft-reserve units at a location for an order that waits for them.

    The caller holds the order's and the stock's locks. No workflow is woken.
    """
    await _sql.soft_reserve(
        conn,
        order_ids=[order_id] * len(units),
        line_ids=list(units),
        skus=[skus[line_id] for line_id in units],
        locations=[place] * len(units),
        quantities=list(units.values()),
    )


async def join(conn: Connection, order_id: str, *, round: int) -> None:
    """Let the order's backorders join this round. The caller holds the order's lock.

    Units that have arrived for the order by now are reported at once.
    """
    if await _sql.join_round(conn, order_id=order_id, round=round):
        await waits.report(conn, order_id, _wait_id(order_id, round), {})


def _wait_id(order_id: str, round: int) -> str:
    return ids.wait_id(WAIT, ids.backorder_id(order_id, round))


async def give_way(conn: Connection, skus: Iterable[str]) -> None:
    """End soft reservations that stock no longer covers: baskets first, then the latest orders.

    The caller holds the stock's locks. The orders keep their places in the queue.
    """
    excess: dict[tuple[str, str], int] = {}
    for row in [row async for row in _sql.beyond_stock(conn, skus=sorted(set(skus)))]:
        shelf = (row["sku"], row["location"])
        less = min(excess.setdefault(shelf, row["excess"]), row["quantity"])
        if less > 0:
            excess[shelf] -= less
            await _sql.keep(
                conn,
                basket=row["basket"],
                order_id=row["order_id"],
                line_id=row["line_id"],
                sku=row["sku"],
                location=row["location"],
                quantity=row["quantity"] - less,
            )


async def lines_of(conn: Connection, order_id: str) -> list[Record]:
    """An order's backorders: line_id, sku, quantity."""
    return [row async for row in _sql.lines_that_wait(conn, order_id=order_id)]


async def fill(
    conn: Connection, order_id: str, wanted: LineUnits, *, round: int
) -> tuple[list[Take], dict[str, Promise], dict[str, int]]:
    """End the wait for units that have arrived: they become open, and are allocated next.

    Takes at most `wanted` units of each line: units that became backordered without the workflow
    knowing it yet stay soft-reserved. The caller holds the order's and the stock's locks. Returns
    the units to take by location, the promise for each location's part, and the units that still
    wait, now in `round`.
    """
    takes: list[Take] = []
    told: dict[str, list[Promise | None]] = {}
    units = dict.fromkeys(wanted, 0)
    async for row in _sql.what_came(conn, order_id=order_id):
        line_id, location = row["line_id"], row["location"]
        quantity = min(row["quantity"], wanted.get(line_id, 0) - units.get(line_id, 0))
        if quantity:
            units[line_id] += quantity
            take = Take(
                line_id=line_id,
                sku=row["sku"],
                location=location,
                quantity=quantity,
                handling=row["handling"],
            )
            takes.append(take)
            told.setdefault(location, []).append(_promise(row))
    left = {
        row["line_id"]: row["quantity"]
        async for row in _sql.fill(
            conn,
            order_id=order_id,
            round=round,
            line_ids=[take.line_id for take in takes],
            locations=[take.location for take in takes],
            quantities=[take.quantity for take in takes],
        )
        if row["quantity"]
    }
    await orders.move_lines(conn, order_id, {k: {"backordered": -n} for k, n in units.items()})
    promised = {}
    for location, promises in told.items():
        known = [promise for promise in promises if promise is not None]
        if len(known) == len(promises):
            promised[location] = max(known, key=lambda promise: promise.arrives_on)
    return takes, promised, left


def _promise(row: Record) -> Promise | None:
    if row["promised_leave"] is None:
        return None
    return Promise(leaves_on=row["promised_leave"], arrives_on=row["promised_on"])


async def give_up(conn: Connection, order_id: str, units: LineUnits) -> None:
    """Stop waiting for units, and cancel them on the order's lines.

    The caller holds the order's and the stock's locks. Units that had arrived for them go to the
    next backorder.
    """
    if not units:
        return
    waited = {row["line_id"]: row["sku"] for row in await lines_of(conn, order_id)}
    await _sql.give_up(
        conn, order_id=order_id, line_ids=list(units), quantities=list(units.values())
    )
    await orders.move_lines(
        conn, order_id, {k: {"backordered": -n, "cancelled": n} for k, n in units.items()}
    )
    await serve(conn, [waited[line_id] for line_id in units])


async def serve_late(conn: Connection, batch: int) -> None:
    """Serve backorders with units that time has freed.

    A basket expired, or a first day of sale came. A new order for such a SKU serves the backorders
    first, so no order overtakes them if this runs late.
    """
    for row in [row async for row in _sql.could_be_served(conn, batch=batch)]:
        async with conn.transaction():
            await lock_stock(conn, [row["sku"]])
            await serve(conn, [row["sku"]])
