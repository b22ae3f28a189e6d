"""Where goods lie within a location, and by which codes they are scanned."""

from __future__ import annotations

from collections.abc import Sequence

from domain.errors import NotFound, Refused
from domain.warehouse.codes import forms
from domain.warehouse.places import ItemCode, PlacedItem
from domain.warehouse.scans import Read, command_in
from domain.words import few
from store.database import Connection, load_queries

_sql = load_queries(__file__)


async def read_code(conn: Connection, location: str, code: str) -> Read:
    """What a code is at this location: a command, a place, units of a SKU, or none of these.

    Of the forms that it may have had on the goods, the first one counts that is known.
    """
    code = code.strip()
    command = command_in(code)
    if command is not None or code[:3].upper() == "OL:":
        return Read(code, command=command)
    row = await _sql.read_code(conn, location=location, forms=forms(code))
    return Read(code, sku=row["sku"], units=row["units"], place=row["place"])


async def places_of(
    conn: Connection, location: str, skus: Sequence[str]
) -> dict[str, tuple[str, ...]]:
    """SKU → its places, the first one first; the SKUs in walking order. Others are left out."""
    rows = _sql.places_of(conn, location=location, skus=list(skus))
    return {row["sku"]: tuple(row["bins"]) async for row in rows}


async def names_of(conn: Connection, skus: Sequence[str]) -> dict[str, str]:
    """SKU → name, of those that have one."""
    return {row["sku"]: row["name"] async for row in _sql.names_of(conn, skus=list(skus))}


async def are_there(conn: Connection, location: str) -> bool:
    """Whether a location has places, so that goods are put away into them."""
    return bool(await _sql.are_there(conn, location=location))


async def places(conn: Connection, location: str, at_most: int) -> list[str]:
    """The places of a location in walking order."""
    rows = _sql.places(conn, location=location, at_most=at_most)
    return [row["bin"] async for row in rows]


async def codes_of(conn: Connection, skus: Sequence[str]) -> dict[str, str]:
    """SKU → the code by which one unit of it is scanned: what is printed on it, or the SKU."""
    return {row["sku"]: row["code"] async for row in _sql.codes_of(conn, skus=list(skus))}


async def free_place(conn: Connection, location: str) -> str:
    """The first place in walking order where nothing lies; "": there is none."""
    found: str | None = await _sql.free_place(conn, location=location)
    return found or ""


async def put(conn: Connection, location: str, sku: str, place: str) -> None:
    """A SKU lies at this place, too, from now on. Raises NotFound for no place of the location."""
    if not await _sql.put(conn, location=location, sku=sku, place=place):
        raise NotFound(f"there is no place {place} at {location}", reason="no_place")


async def move(conn: Connection, location: str, sku: str, source: str, to: str) -> None:
    """A SKU lies at `to`, too, from now on, and at `source` no more; "": it stays where it was.

    It takes the turn of the place that it leaves. Raises NotFound for no place of the location.
    """
    await put(conn, location, sku, to)
    if source:
        await _sql.leave(conn, location=location, sku=sku, place=source, to=to)


async def place_items(conn: Connection, wanted: Sequence[PlacedItem]) -> None:
    """Say where SKUs lie; a row without a place forgets where the SKU lay.

    Raises Refused for a location or a SKU that is not known; then nothing changes.
    """
    async with conn.transaction():
        await _check(conn, [row.location for row in wanted], [row.sku for row in wanted])
        gone = [row for row in wanted if not row.place]
        await _sql.forget_places(
            conn, locations=[row.location for row in gone], skus=[row.sku for row in gone]
        )
        rows = [row for row in wanted if row.place]
        await _sql.place_items(
            conn,
            locations=[row.location for row in rows],
            skus=[row.sku for row in rows],
            bins=[row.place for row in rows],
            zones=[row.zone for row in rows],
            walks=[row.walk for row in rows],
            ranks=[row.rank for row in rows],
        )


async def save_codes(conn: Connection, wanted: Sequence[ItemCode]) -> None:
    """Say by which codes goods are scanned; one of 0 units counts no more.

    Raises Refused for a SKU that is not known; then nothing changes.
    """
    async with conn.transaction():
        await _check(conn, [], [row.sku for row in wanted])
        await _sql.forget_codes(conn, codes=[row.code for row in wanted if not row.units])
        rows = [row for row in wanted if row.units]
        await _sql.save_codes(
            conn,
            codes=[row.code for row in rows],
            skus=[row.sku for row in rows],
            units=[row.units for row in rows],
        )


async def _check(conn: Connection, locations: Sequence[str], skus: Sequence[str]) -> None:
    lacking = await _sql.not_there(conn, locations=list(locations), skus=list(skus))
    if lacking["locations"]:
        raise Refused(f"there is no {few(sorted(lacking['locations']), 'location')}")
    if lacking["skus"]:
        raise Refused(
            f"nothing is known of {few(sorted(lacking['skus']), 'SKU')}: `orderloom items import` "
            "or the first stock makes it known"
        )
