"""Locations, and the cost and the days of a parcel from each of them to an address."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

from domain.errors import Conflict, IllegalTransition, InvalidInput, NotFound, Refused
from domain.money import to_decimal
from domain.orders.order import Shipping
from domain.stock.locations import Location, Way
from domain.stored import stored
from domain.words import few
from store.database import Connection, Record, load_queries

_sql = load_queries(__file__)


async def save(conn: Connection, wanted: Sequence[Location], *, only_new: bool = False) -> None:
    """Replace the settings of these locations; unknown ones are created.

    Raises Conflict when lanes would have prices in several currencies, InvalidInput for a seller
    that is not there or not named, and Refused for another seller while there are goods. Then
    nothing changes. `only_new`: raises Conflict where one of them is there.
    """
    async with conn.transaction():
        for number, location in enumerate(wanted):
            where = f"locations[{number}].seller"
            seller = await _owner(conn, location.location, location.seller, where)
            await _save(conn, location, seller, only_new=only_new)
        priced = [row async for row in _sql.lane_currencies(conn)]
        if len(priced) > 1:
            some = ", ".join(f"{row['location']} in {row['currency']}" for row in priced)
            raise Conflict(
                f"lanes are compared by their cost, so all must be in one currency, but there is "
                f"{some}; nothing was changed"
            )


async def lock(conn: Connection, location: str) -> Location:
    """A location that nobody else changes until the transaction ends. Raises NotFound."""
    await _sql.lock(conn, location=location)
    found = await find(conn, location)
    if not found:
        raise NotFound(f"there is no location {location}")
    return found[0]


async def _owner(conn: Connection, location: str, wanted: str | None, where: str) -> str:
    """Whose goods lie at a location from now on."""
    found = await _sql.owner(conn, location=location)
    now: str | None = found["seller"]
    if wanted is None and now is not None:
        return now
    choice: list[str] = [one for one in found["sellers"] if wanted in (None, one)]
    if not choice:
        raise InvalidInput(
            f"there is no seller {wanted}; `orderloom sellers list` shows those that there are",
            where=where,
        )
    if len(choice) > 1:
        raise InvalidInput(
            f"there are several sellers, {few(choice, 'seller')}: say whose goods lie at "
            f"{location}, as `orderloom locations add {location} --seller {choice[0]}` does",
            where=where,
        )
    if now not in (None, choice[0]):
        await _sql.stop_movements(conn)
        if await _sql.holds_goods(conn, location=location):
            raise Refused(
                f"{location} has goods of {now}, or awaits some: `orderloom stock transfer` takes "
                f"them to another location, and when none are left it can be {choice[0]}'s"
            )
    return choice[0]


async def _save(conn: Connection, location: Location, seller: str, *, only_new: bool) -> None:
    kept = await _sql.save_location(
        conn,
        location=location.location,
        seller=seller,
        priority=location.priority,
        calendar=location.calendar.model_dump(mode="json", exclude_defaults=True),
        parcels_a_day=location.parcels_a_day,
        only_new=only_new,
    )
    if kept is None:
        raise Conflict("there is a location of this name already", reason="code_taken")
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


async def add(conn: Connection, wanted: Iterable[str], seller: str | None = None) -> None:
    """Create locations of which only the name is known; existing ones stay as they are.

    `seller`: whose goods lie there; may be left out where there is one alone. Raises InvalidInput.
    """
    new = sorted(set(wanted) - (await names(conn)).keys())
    if new:
        owner = await _owner(conn, new[0], seller, "--seller")
        await _sql.add(conn, locations=new, seller=owner)


async def owner(conn: Connection, location: str) -> str | None:
    """Whose goods lie at a location; None: there is no such location."""
    found = await _sql.owner(conn, location=location)
    seller: str | None = found["seller"]
    return seller


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


async def find(
    conn: Connection,
    location: str | None = None,
    *,
    after: str | None = None,
    at_most: int | None = None,
) -> list[Location]:
    """Locations by name: all, one, or a page of `at_most` that begins behind the name `after`."""
    rows = _sql.list_locations(conn, location=location, after=after, at_most=at_most)
    return [_location(row) async for row in rows]


def _location(row: Record) -> Location:
    lanes = [
        {"cost": to_decimal(lane.pop("cost_minor"), lane["currency"]), **lane}
        for lane in row["lanes"]
    ]
    return stored(Location, {**row, "lanes": lanes})
