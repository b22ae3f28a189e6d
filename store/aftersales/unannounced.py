"""Parcels at the dock that no return has announced, and what becomes of them.

Each is asked for at its order, as a return, under a request id that is always the same until a
person asks anew. The return is linked in the transaction in which it is made. A duty of the relay
counts it once it is approved.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict

from domain.aftersales.return_counts import Found, FoundGoods, by_line
from domain.errors import Conflict, NotFound, Refused
from domain.orders.quantities import LineId
from store.database import Connection, StillReferred, load_queries
from store.locks import lock_order

_sql = load_queries(__file__)


class Unannounced(BaseModel):
    """A parcel. `order_id`: None: nobody knows whose. `came_with`: the return in whose parcel it
    was. `why`: why a person is asked. `return_id`: what it has become. `note`: how it was settled.
    """

    model_config = ConfigDict(frozen=True)

    parcel_no: int
    location: str
    order_id: str | None
    came_with: str | None
    why: str | None
    return_id: str | None
    who: str
    since: datetime
    ended_at: datetime | None
    note: str | None
    units: tuple[FoundGoods, ...]


class Candidate(BaseModel):
    """An order that a parcel may be of."""

    model_config = ConfigDict(frozen=True)

    order_id: str
    placed_at: datetime


class Asked(BaseModel):
    """How a parcel is asked for at its order: these units, under this request id."""

    model_config = ConfigDict(frozen=True)

    order_id: str
    request_id: str
    units: dict[LineId, int]


class Counted(BaseModel):
    """A return that is to be counted, because its parcel is here already."""

    model_config = ConfigDict(frozen=True)

    parcel_no: int
    return_id: str
    location: str
    who: str
    units: dict[LineId, list[Found]]


async def receive(
    conn: Connection,
    key: str,
    units: Sequence[FoundGoods],
    *,
    location: str,
    order_id: str | None = None,
    came_with: str | None = None,
    why: str | None = None,
    who: str,
) -> int:
    """Write a parcel down, once for each key. Returns its number.

    Raises NotFound for an order or a location that is not there, and Conflict for a key that had
    other content.
    """
    async with conn.transaction():
        if order_id is not None:
            await lock_order(conn, order_id)
        try:
            async with conn.transaction():
                number = await _sql.receive(
                    conn,
                    key=key,
                    location=location,
                    order_id=order_id,
                    came_with=came_with,
                    why=why,
                    who=who,
                )
        except StillReferred:
            raise NotFound(
                f"there is no location {location}; see `orderloom locations list`"
            ) from None
        content = [each.model_dump() for each in units]
        if number is not None:
            await _sql.add_units(conn, parcel_no=number, units=content)
            return int(number)
        known = await _sql.known(conn, key=key)
        if known["units"] != content or known["location"] != location:
            raise Conflict(f"parcel {key} was told before with other content; nothing was changed")
        return int(known["parcel_no"])


async def find(
    conn: Connection,
    *,
    parcel_no: int | None = None,
    open_only: bool = False,
    location: str | None = None,
    channels: Sequence[str] | None = None,
    sellers: Sequence[str] | None = None,
    at_most: int = 100,
) -> list[Unannounced]:
    """Parcels, the newest first. Of orders of these channels and sellers, or of nobody's."""
    rows = _sql.find(
        conn,
        parcel_no=parcel_no,
        open_only=open_only,
        location=location,
        channels=None if channels is None else list(channels),
        sellers=None if sellers is None else list(sellers),
        at_most=at_most,
    )
    return [Unannounced(**row) async for row in rows]


async def could_be_of(
    conn: Connection,
    parcel_no: int,
    *,
    channels: Sequence[str] | None = None,
    sellers: Sequence[str] | None = None,
    at_most: int = 10,
) -> list[Candidate]:
    """Orders at whose customers all of a parcel's units may be, the latest first."""
    rows = _sql.could_be_of(
        conn,
        parcel_no=parcel_no,
        channels=None if channels is None else list(channels),
        sellers=None if sellers is None else list(sellers),
        at_most=at_most,
    )
    return [Candidate(**row) async for row in rows]


async def get(conn: Connection, parcel_no: int) -> Unannounced:
    """One parcel. Raises NotFound."""
    found = await find(conn, parcel_no=parcel_no, at_most=1)
    if not found:
        raise NotFound(
            f"there is no unannounced parcel {parcel_no}; see `orderloom returns parcels`"
        )
    return found[0]


async def ask(conn: Connection, parcel_no: int, order_id: str | None) -> Asked | None:
    """Say that its order, or this one, is asked to take it back now. None: it has been.

    Under the same request id as before, where that ask came to nothing yet. Raises NotFound, and
    Refused where it is settled, nobody knows whose it is, or these units are not of this order.
    """
    async with conn.transaction():
        whose = order_id or (await get(conn, parcel_no)).order_id
        if whose is None:
            raise Refused(
                f"nobody knows whose parcel {parcel_no} is: name the order", reason="no_order"
            )
        await lock_order(conn, whose)
        asked = await _sql.ask(conn, parcel_no=parcel_no, order_id=whose)
        now = await get(conn, parcel_no)
        if asked is None:
            if now.return_id is not None:
                return None
            raise Refused(f"parcel {parcel_no} is settled: {now.note}", reason="parcel_settled")
        lines = {x["line_id"]: (x["sku"], x["returnable"]) for x in asked["lines"] or ()}
        found = by_line(now.units, lines)
        if found is None:
            raise Refused(
                f"{whose} has not so many of these units that could come back",
                reason="more_than_delivered",
            )
        units = {k: sum(each.quantity for each in some) for k, some in found.items()}
        request_id = f"parcel-{parcel_no}-{asked['asks']}"
        return Asked(order_id=whose, request_id=request_id, units=units)


async def needs_a_person(conn: Connection, parcel_no: int, why: str) -> None:
    """Its order does not take it back, or it cannot be counted: somebody decides what to do."""
    await _sql.needs_a_person(conn, parcel_no=parcel_no, why=why)


async def becomes(conn: Connection, return_id: str, request_id: str) -> None:
    """Link the parcel that was asked for so, if it was one, with its return.

    The caller holds the order's lock.
    """
    await _sql.becomes(conn, return_id=return_id, request_id=request_id)


async def settle(conn: Connection, parcel_no: int, note: str) -> None:
    """A person has dealt with it. Raises NotFound, and Refused for one that has become a return."""
    if not await _sql.settle(conn, parcel_no=parcel_no, note=note):
        now = await get(conn, parcel_no)
        if now.return_id is not None:
            raise Refused(
                f"parcel {parcel_no} is {now.return_id} by now", reason="parcel_is_a_return"
            )


async def let_go(conn: Connection) -> None:
    """Parcels whose return has ended: counted, they are done; otherwise a person is asked."""
    await _sql.let_go(conn)


async def to_count(conn: Connection, at_most: int) -> list[Counted]:
    """Parcels whose return is approved by now, the oldest first."""
    return [_counted(row) async for row in _sql.to_count(conn, at_most=at_most)]


def _counted(row: Any) -> Counted:
    goods = [FoundGoods.model_validate(each) for each in row["units"]]
    lines = {x["line_id"]: (x["sku"], x["quantity"]) for x in row["lines"]}
    return Counted(
        parcel_no=row["parcel_no"],
        return_id=row["return_id"],
        location=row["location"],
        who=row["who"],
        units=by_line(goods, lines) or {},
    )


async def forget(conn: Connection, kept: timedelta, batch: int) -> int:
    """Delete parcels that ended so long ago. Returns how many."""
    deleted: int = await _sql.forget(conn, kept=kept, batch=batch)
    return deleted
