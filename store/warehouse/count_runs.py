"""Counts on the floor: what is counted, what should lie there, and what is recorded.

Units that were picked, are to be put back, or are in somebody's hand are on hand and lie on no
shelf: whoever counts the shelves does not see them, and they are added to what was counted. Those
of a receipt that is not over lie on a shelf and are not on hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from domain.errors import Refused
from domain.warehouse import counting
from domain.warehouse.counts import (
    CYCLES,
    Counting,
    CountStop,
    Plan,
    Shelf,
    ToCount,
    Watched,
)
from domain.warehouse.scans import Fact, Read, Turn
from store.database import Connection, load_queries
from store.stock import corrections, stock
from store.warehouse import bins
from store.warehouse.runs import Run

_sql = load_queries(__file__)


async def begun(conn: Connection, location: str, code: str) -> Counting:
    """A count, of this place or SKU; "": it is scanned first. Raises Refused for neither."""
    state = Counting(location=location)
    if not code:
        return state
    state = counting.begun(state, await read(conn, location, state, code)).state
    if not state.stops:
        raise Refused(f"nothing is to be counted by {code}", reason="nothing_begins_so")
    return state


async def due(conn: Connection, location: str, at_most: int = 30) -> list[ToCount]:
    """What is to be counted there, by worth and by when it was counted last."""
    rows = _sql.due(
        conn,
        location=location,
        classes=list(CYCLES),
        every=[one.every for one in CYCLES.values()],
        at_most=at_most,
    )
    return [ToCount(**row) async for row in rows]


async def measure(conn: Connection) -> None:
    """Put all stock into its class anew, by what it is worth now."""
    await _sql.measure(conn, shares=[one.share for one in CYCLES.values()])


async def read(conn: Connection, location: str, state: Counting, code: str) -> Read:
    """What a code is in a count: before it has begun, with what is counted by it."""
    found = await bins.read_code(conn, location, code)
    if not state.stops:
        is_any = found.sku is not None or found.place is not None
        return replace(found, found=await _plan(conn, location, found)) if is_any else found
    shelves = await _shelves(conn, location, state.watched)
    is_strange = found.sku is not None and found.sku not in {stop.sku for stop in state.stops}
    plan = await _plan(conn, location, replace(found, place=None)) if is_strange else None
    if plan is not None and plan.stops:
        shelves |= await _shelves(conn, location, [plan.stops[0].sku])
    return replace(found, found=Watched(shelves=shelves, plan=plan))


async def _plan(conn: Connection, location: str, found: Read) -> Plan:
    """All places of the SKU, or of what lies at the place, which comes first."""
    rows = [
        CountStop(sku=row["sku"], place=row["place"])
        async for row in _sql.stops(conn, location=location, sku=found.sku, place=found.place)
    ]
    names = await bins.names_of(conn, [stop.sku for stop in rows])
    return Plan(stops=tuple(rows), names=names)


async def _shelves(conn: Connection, location: str, skus: Sequence[str]) -> dict[str, Shelf]:
    """SKU → what is on record of it; those of which no stock is kept are left out."""
    rows = _sql.shelves(conn, location=location, skus=list(skus))
    return {row["sku"]: Shelf(on_hand=row["on_hand"], away=row["away"]) async for row in rows}


async def record(conn: Connection, run: Run, _state: Counting, fact: Fact) -> None:
    """Set what is on hand. Raises Refused where that has changed since the count began.

    Or goods lie at a place where they were not known to.
    """
    if fact.what == "lies":
        await bins.put(conn, run.location, fact.part, str(fact.said["place"]))
        return
    seen = Shelf.model_validate({name: fact.said[name] for name in ("on_hand", "away")})
    key, sku, counted = f"run-{run.run_no}", fact.part, int(fact.said["counted"])
    if (await _shelves(conn, run.location, [sku])).get(sku) != seen:
        raise _changed(sku)
    await corrections.count(
        *(conn, key, sku, run.location, counted), who=run.who, why=str(fact.said["why"])
    )
    # Between the look and the lock somebody may have taken or brought units.
    booked = await stock.recorded(conn, f"count:{key}", sku, run.location)
    if booked is not None and booked["on_hand_change"] != counted - seen.on_hand:
        raise _changed(sku)


def _changed(sku: str) -> Refused:
    return Refused(f"units of {sku} were taken or brought while it was counted")


async def not_recorded(_conn: Connection, state: Counting, fact: Fact, why: str) -> Turn[Counting]:
    """A SKU whose count the rules did not take is counted anew."""
    return counting.refused(state, fact, why)
