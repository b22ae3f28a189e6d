"""Pick runs: which parcels they are made of, and what they record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from domain.errors import Refused
from domain.warehouse.pick_ends import planned, refused
from domain.warehouse.picking import Picking, PickLine, PickParcel, Style
from domain.warehouse.scans import Fact, Read, Turn
from domain.warehouse.waves import CANDIDATES_MAX, Candidate, together
from store.database import Connection, load_queries
from store.warehouse import bins, facts

_sql = load_queries(__file__)


@dataclass(frozen=True)
class Wave:
    """Parcels to be picked in one run, with their lines. `places`: SKU → where it lies."""

    lines: Mapping[str, Sequence[PickLine]]
    places: Mapping[str, tuple[str, ...]]


async def wave(
    conn: Connection,
    location: str,
    *,
    parts: Sequence[str] | None = None,
    channels: Sequence[str] | None = None,
    sellers: Sequence[str] | None = None,
    zone: str | None = None,
    only_due: bool = False,
    at_most: int,
) -> Wave:
    """Parcels to pick here that nobody works on, those first that must leave first.

    `parts`: of these alone. `zone`: with goods there. `only_due`: to leave today, or late. Of
    several, those are taken together that are on one way. Raises Refused where there is none.
    """
    rows = _sql.candidates(
        conn,
        location=location,
        parts=None if parts is None else list(parts),
        channels=None if channels is None else list(channels),
        sellers=None if sellers is None else list(sellers),
        zone=zone,
        only_due=only_due,
        at_most=1 if at_most == 1 else max(at_most, CANDIDATES_MAX),
    )
    found = {row["fulfilment_id"]: (row["promised_leave"], row["is_due"]) async for row in rows}
    lines: dict[str, list[PickLine]] = {part: [] for part in found}
    async for row in _sql.contents(conn, parts=list(found)):
        line = PickLine(line_id=row["line_id"], quantity=row["quantity"], parts=row["parts"])
        lines[row["fulfilment_id"]].append(line)
    skus = {part: {sku for line in of_it for sku in line.parts} for part, of_it in lines.items()}
    places = await bins.places_of(conn, location, sorted(set().union(*skus.values())))
    candidates = [Candidate(part, skus[part], *found[part]) for part in found if lines[part]]
    chosen = together(candidates, places, at_most)
    if not chosen:
        raise Refused("nothing is to be picked here", reason="nothing_to_pick")
    return Wave({part: lines[part] for part in chosen}, places)


async def plan(conn: Connection, wave: Wave, style: Style) -> Picking:
    """A run for these parcels, as it begins."""
    parcels = tuple(
        PickParcel(part_id=part, spot=spot, lines=tuple(found))
        for spot, (part, found) in enumerate(wave.lines.items(), start=1)
    )
    stops = planned(parcels, wave.places)
    names = await bins.names_of(conn, [stop.sku for stop in stops])
    return Picking(style=style, parcels=parcels, stops=stops, names=names)


async def read(conn: Connection, location: str, state: Picking, code: str) -> Read:
    """What a code is in a run: beside all else, one of its parcels."""
    if any(parcel.part_id == code.strip() for parcel in state.parcels):
        return Read(code.strip(), part=code.strip())
    return await bins.read_code(conn, location, code)


async def record(conn: Connection, fact: Fact, who: str) -> None:
    """A parcel was picked, or refused."""
    if fact.what == "refuse":
        await facts.refuse(conn, fact.part, str(fact.said["reason"]), who=who)
    else:
        await facts.pick(conn, fact.part, fact.counted, who=who)


async def not_recorded(conn: Connection, state: Picking, fact: Fact, why: str) -> Turn[Picking]:
    """What becomes of a parcel of which the rules did not take a fact."""
    now = {row["line_id"]: row["quantity"] async for row in _sql.now(conn, part=fact.part)}
    return refused(state, fact, now or None, why)


async def zones(conn: Connection, location: str) -> list[str]:
    """The zones of a location that have a name."""
    return [row["zone"] async for row in _sql.zones(conn, location=location)]
