"""Locations that go on under another name, are retired, opened again or removed."""

from __future__ import annotations

import uuid
from typing import Final

from pydantic import BaseModel, ConfigDict

from domain.errors import Conflict, IllegalTransition, InvalidInput, NotFound
from store.database import Connection, StillReferred, load_queries
from store.locks import lock_stock
from store.stock import backorders, locations, stock

_sql = load_queries(__file__)

SKUS_AT_ONCE: Final = 1_000
"""Of so many SKUs the stock moves in one transaction."""


class Left(BaseModel):
    """The rest at a retired location: units, parcels to send, and units under way to it."""

    model_config = ConfigDict(frozen=True)

    units: int
    to_send: int
    awaited: int


async def retire(conn: Connection, location: str) -> Left:
    """Have a location send nothing new and take nothing new. Its stock stays visible there.

    What baskets and those who wait were given there is given to them from elsewhere, as far as
    there is some. Open parcels are still sent or refused, and what is on its way there arrives.
    Raises NotFound.
    """
    async with conn.transaction():
        await _retire(conn, location)
    return await left_at(conn, location)


async def _retire(conn: Connection, location: str) -> None:
    if await _sql.retire(conn, location=location) is None:
        raise NotFound(locations.unknown(location, await locations.names(conn)))
    await lock_stock(conn, [row["sku"] async for row in _sql.held(conn, location=location)])
    freed = [row["sku"] async for row in _sql.give_up(conn, location=location)]
    await backorders.serve(conn, freed)


async def reopen(conn: Connection, location: str) -> None:
    """Have a retired location send and take again. Raises NotFound."""
    if await _sql.reopen(conn, location=location) is None:
        raise NotFound(locations.unknown(location, await locations.names(conn)))


async def left_at(conn: Connection, location: str) -> Left:
    """The units that are still there, or on their way there."""
    return Left(**await _sql.left_at(conn, location=location))


async def rename(
    conn: Connection, old: str, new: str, *, merge: bool = False, who: str
) -> tuple[int, Left]:
    """A location goes on under another name. Returns the units that moved, and what is left.

    The new one has the calendar, the lanes, the levels and the stock of the old one, which is
    retired: the journal and the parcels that are open keep the name they have. What orders hold
    there stays until it is sent. `merge`: the new one may be there already, as after a rename that
    ended in the middle, and keeps what is known of it. Raises NotFound, InvalidInput for the same
    name, and Conflict for a name that is taken.
    """
    if old == new:
        raise InvalidInput(f"{old} has this name already")
    known = await locations.names(conn)
    if old not in known:
        raise NotFound(locations.unknown(old, known))
    if new in known and not merge:
        raise Conflict(f"there is a location {new}; --merge puts the stock of both together")
    if new in known and (fault := locations.fault_of(new, known)):
        raise fault
    async with conn.transaction():
        await _sql.copy(conn, old=old, new=new)
        await _sql.copy_rows(conn, old=old, new=new)
        await _retire(conn, old)
    moved = await _move_all(conn, old, new, who)
    return moved, await left_at(conn, old)


async def _move_all(conn: Connection, old: str, new: str, who: str) -> int:
    """Move what no order holds, some SKUs at a time. Repeated, it moves what is left."""
    effect = f"rename:{uuid.uuid4()}"
    moved = 0
    after = ""
    while True:
        rows = _sql.movable(conn, location=old, after=after, at_most=SKUS_AT_ONCE)
        skus = [row["sku"] async for row in rows]
        if not skus:
            return moved
        after = skus[-1]
        async with conn.transaction():
            await lock_stock(conn, skus)
            free = [row async for row in _sql.free_of(conn, location=old, skus=skus)]
            moves = [
                stock.Move(sku=row["sku"], location=place, on_hand=sign * row["units"])
                for row in free
                for place, sign in ((old, -1), (new, 1))
            ]
            await stock.move(
                conn, effect, "transferred", moves, who=who, why=f"{old} is {new} from now on"
            )
        moved += sum(row["units"] for row in free)


async def remove(conn: Connection, location: str) -> None:
    """Remove a location that never held, sent or awaited anything.

    Raises NotFound, and IllegalTransition where it did.
    """
    try:
        async with conn.transaction():
            if await _sql.remove(conn, location=location) is None:
                raise NotFound(locations.unknown(location, await locations.names(conn)))
    except StillReferred:
        raise IllegalTransition(
            f"{location} has a history, so it stays: `orderloom locations retire {location}` has "
            "it send and take nothing any more"
        ) from None
