"""Changes of locations: renamed, retired, opened again or removed."""

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
"""SKUs whose stock moves in one transaction, at most."""


class Left(BaseModel):
    """The rest at a retired location: units, parcels to send, and units under way to it."""

    model_config = ConfigDict(frozen=True)

    units: int
    to_send: int
    awaited: int


async def retire(conn: Connection, location: str) -> Left:
    """Stop a location from sending and receiving anything new. Its stock stays visible.

    Units that baskets and backorders were given there are taken from other locations, if those have
    some. Open parcels are still sent or refused, and goods under way there still arrive. Raises
    NotFound.
    """
    async with conn.transaction():
        await _retire(conn, location)
    return await left_at(conn, location)


async def _retire(conn: Connection, location: str) -> None:
    if await _sql.retire(conn, location=location) is None:
        raise NotFound(locations.unknown(location, await locations.names(conn)))
    await lock_stock(conn, [row["sku"] async for row in _sql.skus_at(conn, location=location)])
    freed = [row["sku"] async for row in _sql.give_up(conn, location=location)]
    await backorders.serve(conn, freed)


async def reopen(conn: Connection, location: str) -> None:
    """Let a retired location send and receive again. Raises NotFound."""
    if await _sql.reopen(conn, location=location) is None:
        raise NotFound(locations.unknown(location, await locations.names(conn)))


async def left_at(conn: Connection, location: str) -> Left:
    """The units that are still there, or on their way there."""
    return Left(**await _sql.left_at(conn, location=location))


async def rename(
    conn: Connection, old: str, new: str, *, merge: bool = False, who: str
) -> tuple[int, Left]:
    """Give a location another name. Returns the units that moved, and the units left.

    The new location gets the calendar, lanes, levels and stock of the old one, which is retired:
    the journal and open parcels keep the old name, and allocated units stay there until they are
    sent. `merge`: the new location may exist already (as after a rename that stopped halfway), and
    keeps its own settings. Raises NotFound, InvalidInput for the same name, and Conflict for a name
    that is taken, or is another seller's.
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
    owners = {one.location: one.seller for one in await locations.find(conn)}
    if new in known and owners[old] != owners[new]:
        raise Conflict(
            f"{old} has goods of {owners[old]}, {new} of {owners[new]}: `orderloom stock transfer` "
            "brings them from one to the other"
        )
    async with conn.transaction():
        await _sql.copy(conn, old=old, new=new)
        await _sql.copy_rows(conn, old=old, new=new)
        await _retire(conn, old)
    moved = await _move_all(conn, old, new, who)
    return moved, await left_at(conn, old)


async def _move_all(conn: Connection, old: str, new: str, who: str) -> int:
    """Move the units without a claim, some SKUs at a time. A repeat moves the rest."""
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
    """Remove a location that never held, sent or expected anything.

    Raises NotFound, and IllegalTransition for a location with a history.
    """
    try:
        async with conn.transaction():
            rows = _sql.all_skus_at(conn, location=location)
            await lock_stock(conn, [row["sku"] async for row in rows])
            if await _sql.remove(conn, location=location) is None:
                raise NotFound(locations.unknown(location, await locations.names(conn)))
    except StillReferred:
        raise IllegalTransition(
            f"{location} has a history, so it stays: `orderloom locations retire {location}` has "
            "it send and take nothing any more"
        ) from None
