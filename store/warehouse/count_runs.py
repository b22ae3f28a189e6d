"""Counts on the floor: what is counted, what should lie there, and what is recorded.

Units that were picked, or are to be put back, are on hand and lie on no shelf: whoever counts the
shelves does not see them, and they are added to what was counted.
"""

from __future__ import annotations

from dataclasses import replace

from domain.errors import Refused
from domain.warehouse.counting import refused
from domain.warehouse.counts import Counting, CountStop, Plan, Shelf
from domain.warehouse.scans import Fact, Read, Turn
from store.database import Connection, load_queries
from store.stock import corrections, stock
from store.warehouse import bins
from store.warehouse.runs import Run

_sql = load_queries(__file__)


async def read(conn: Connection, location: str, state: Counting, code: str) -> Read:
    """What a code is in a count: before it has begun, with what is counted by it."""
    found = await bins.read_code(conn, location, code)
    if state.stops:
        return replace(found, found=await _shelf(conn, location, state.sku))
    if found.sku is None and found.place is None:
        return found
    return replace(found, found=await _plan(conn, location, found))


async def _plan(conn: Connection, location: str, found: Read) -> Plan:
    """All places of the SKU, or of what lies at the place, which comes first."""
    rows = [
        CountStop(sku=row["sku"], place=row["place"])
        async for row in _sql.stops(conn, location=location, sku=found.sku, place=found.place)
    ]
    names = await bins.names_of(conn, [stop.sku for stop in rows])
    return Plan(stops=tuple(rows), names=names)


async def _shelf(conn: Connection, location: str, sku: str) -> Shelf | None:
    row = await _sql.shelf(conn, location=location, sku=sku)
    return None if row is None else Shelf(**row)


async def record(conn: Connection, run: Run, _state: Counting, fact: Fact) -> None:
    """Set what is on hand. Raises Refused where that has changed since the count began."""
    seen = Shelf.model_validate({name: fact.said[name] for name in ("on_hand", "away")})
    key, sku, counted = f"run-{run.run_no}", fact.part, int(fact.said["counted"])
    if await _shelf(conn, run.location, sku) != seen:
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
    return refused(state, fact, why)
