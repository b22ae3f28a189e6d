"""Locations, and the cost and the days of a parcel from each of them to an address."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

from domain.errors import Conflict, IllegalTransition, NotFound, Refused
from domain.money import to_decimal
from domain.orders.order import Shipping
from domain.stock.locations import Location, Way
from domain.stored import stored
from store.database import Connection, Record, load_queries

_sql = load_queries(__file__)


async def save(conn: Connection, wanted: Sequence[Location]) -> None:
    """Replace the settings of these locations; unknown ones are created.

    Raises Conflict when lanes would have prices in several currencies; then nothing changes.
    """
    async with conn.transaction():
        for location in wanted:
            await _save(conn, location)
        priced = [row async for row in _sql.lane_currencies(conn)]
        if len(priced) > 1:
            some = ", ".join(f"{row['location']} in {row['currency']}" for row in priced)
            raise Conflict(
                f"lanes are compared by their cost, so all must be in one currency, but there is "
                f"{some}; nothing was changed"
            )


async def _save(conn: Connection, location: Location) -> None:
    await _sql.save_location(
        conn,
        location=location.location,
        priority=location.priority,
        calendar=location.calendar.model_dump(mode="json", exclude_defaults=True),
        parcels_a_day=location.parcels_a_day,
    )
    await _sql.drop_lanes(conn, location=location.location)
    await _sql.add_lanes(
        conn,
        location=location.location,
        countries=[lane.country for lane in location.lanes],
        postal_prefixes=[lane.postal_prefix for lane in location.lanes],
        services=[lane.service for lane in location.lanes],
        costs=[lane.cost_minor for lane in location.lanes],
        currencies=[lane.currency for lane in location.lanes],
        distances=[lane.distance_km for lane in location.lanes],
        transits=[lane.transit_days for lane in location.lanes],
    )


async def ways(conn: Connection, locations: Sequence[str], shipping: Shipping) -> list[Way]:
    """The way of a parcel from each of these locations."""
    (found,) = await ways_to(conn, locations, [shipping])
    return found


async def ways_to(
    conn: Connection, locations: Sequence[str], shippings: Sequence[Shipping]
) -> list[list[Way]]:
    """For each of these addresses in turn, the way of a parcel from each location."""
    to = [(s.country, s.postal_code, s.service) for s in shippings]
    found: dict[tuple[str, str | None, str], list[Way]] = {key: [] for key in to}
    rows = _sql.ways(
        conn,
        locations=list(locations),
        countries=[country for country, _, _ in found],
        postal_codes=[postal_code for _, postal_code, _ in found],
        services=[service for _, _, service in found],
    )
    asked = list(found)
    async for row in rows:
        found[asked[row["number"] - 1]].append(stored(Way, dict(row)))
    return [found[key] for key in to]


async def names(conn: Connection) -> dict[str, bool]:
    """The names of all locations → whether each is retired."""
    return {row["location"]: row["retired"] async for row in _sql.names(conn)}


async def add(conn: Connection, wanted: Iterable[str]) -> None:
    """Create locations of which only the name is known; existing ones stay as they are."""
    await _sql.add(conn, locations=sorted(set(wanted)))


async def check(conn: Connection, wanted: Iterable[str]) -> None:
    """Raises NotFound for an unknown location, IllegalTransition for a retired one."""
    known = await names(conn)
    for name in sorted(set(wanted)):
        if fault := fault_of(name, known):
            raise fault


def fault_of(name: str, known: Mapping[str, bool]) -> Refused | None:
    """The reason why this location receives nothing, or None; `known` as `names` returns it."""
    if name not in known:
        return NotFound(unknown(name, known))
    if known[name]:
        return IllegalTransition(
            f"{name} is retired and takes nothing; `orderloom locations reopen {name}` opens it"
        )
    return None


def unknown(name: str, known: Iterable[str]) -> str:
    """The message for an unknown location, with a similar name if there is one."""
    near = get_close_matches(name, sorted(known), 1)
    perhaps = f" (did you mean {near[0]}?)" if near else ""
    return (
        f"there is no location {name}{perhaps}; `orderloom locations list` shows what there is, "
        f"and `orderloom locations add {name}` makes it"
    )


async def find(conn: Connection, location: str | None = None) -> list[Location]:
    """All locations, or the one of that name."""
    return [_location(row) async for row in _sql.list_locations(conn, location=location)]


def _location(row: Record) -> Location:
    lanes = [
        {"cost": to_decimal(lane.pop("cost_minor"), lane["currency"]), **lane}
        for lane in row["lanes"]
    ]
    return stored(Location, {**row, "lanes": lanes})
