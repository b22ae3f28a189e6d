"""When units can be there: available to promise, by date. Pure, like sourcing.

Units in stock are promised by the parcel that would take them now; incoming units, by the parcel
that would leave after they arrive. Nothing is promised twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time
from itertools import accumulate
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict

from domain.orders.sourcing_rules import SourcingRules
from domain.stock.kits import Kit, could_make
from domain.stock.locations import Promise, Way, places
from domain.stock.sourcing import Available, Demand, plan_sourcing


class Incoming(BaseModel):
    """Units of a SKU that are due at a location. `source`: what brings them, such as a transfer."""

    model_config = ConfigDict(frozen=True)

    sku: str
    location: str
    quantity: int
    due_on: date
    source: str


class PromisedUnits(BaseModel):
    """Units, their location, and their promise; no promise if the transit time is not known.

    `source` is `stock`, or the supply that brings them to the location first.
    """

    model_config = ConfigDict(frozen=True)

    quantity: int
    location: str
    source: str
    promise: Promise | None


def less(incoming: Iterable[Incoming], units: int) -> list[Incoming]:
    """The rest of the incoming units after others have taken `units`, the earliest due first."""
    left = []
    for supply in sorted(incoming, key=lambda s: (s.due_on, s.location, s.source)):
        taken = min(units, supply.quantity)
        units -= taken
        if supply.quantity > taken:
            left.append(supply.model_copy(update={"quantity": supply.quantity - taken}))
    return left


def without(incoming: Iterable[Incoming], told: Iterable[PromisedUnits]) -> list[Incoming]:
    """The rest of the incoming units after these units are promised."""
    taken = Counter[tuple[str, str]]()
    for one in told:
        taken[one.location, one.source] += one.quantity
    left = []
    for supply in incoming:
        units = min(taken[supply.location, supply.source], supply.quantity)
        taken[supply.location, supply.source] -= units
        if supply.quantity > units:
            left.append(supply.model_copy(update={"quantity": supply.quantity - units}))
    return left


def covered_on(wanted: Sequence[int], incoming: Iterable[Incoming]) -> list[date | None]:
    """The days on which backorders of these sizes, served in turn, are complete.

    None if the supply is not enough.
    """
    supply = sorted(incoming, key=lambda s: (s.due_on, s.location, s.source))
    there, days, index = 0, list[date | None](), 0
    for needed in accumulate(wanted):
        while there < needed and index < len(supply):
            there += supply[index].quantity
            index += 1
        days.append(supply[index - 1].due_on if index and there >= needed else None)
    return days


def last_of(promised: Sequence[PromisedUnits], wanted: int) -> Promise | None:
    """The promise for the last of the wanted units; None if that is not known."""
    known = [one.promise for one in promised if one.promise is not None]
    if len(known) < len(promised) or sum(one.quantity for one in promised) < wanted:
        return None
    return max(known, key=lambda one: one.arrives_on, default=None)


def promise(
    sku: str,
    quantity: int,
    stock: Iterable[Available],
    incoming: Iterable[Incoming],
    ways: Sequence[Way],
    *,
    country: str,
    now: datetime,
    rules: SourcingRules | None = None,
) -> tuple[PromisedUnits, ...]:
    """The promises for the units, the earliest first. Units without a promise are left out.

    Stock goes first, sourced as an order would be; then incoming units in the order of their days.
    Overdue supply is promised for today at the earliest. What extensions measure is left out.
    """
    by_location = {way.location: way for way in ways}
    demand = Demand(line_id="1", sku=sku, quantity=quantity)
    usual = None if rules is None else rules.without_measures
    plan = plan_sourcing([demand], stock, places(ways, now), usual)
    found = [
        PromisedUnits(
            quantity=take.quantity,
            location=take.location,
            source="stock",
            promise=by_location[take.location].promise(now, country),
        )
        for take in plan.takes
    ]
    allowed = None if rules is None else rules.locations
    left = plan.missing.get("1", 0)
    for supply in sorted(incoming, key=lambda s: (s.due_on, s.location, s.source)):
        way = by_location.get(supply.location)
        units = min(left, supply.quantity)
        if supply.sku != sku or units < 1 or way is None or not way.reaches:
            continue
        if allowed is not None and supply.location not in allowed:
            continue
        there = max(now, _morning(supply.due_on, way))
        found.append(
            PromisedUnits(
                quantity=units,
                location=supply.location,
                source=supply.source,
                promise=way.promise(there, country),
            )
        )
        left -= units
    return tuple(sorted(found, key=lambda one: one.promise.arrives_on if one.promise else date.max))


def kit_supply(
    kit: Kit, stock: Iterable[Available], incoming: Iterable[Incoming]
) -> tuple[list[Available], list[Incoming]]:
    """The stock and supply of a kit's parts, in units of the kit.

    A part that arrives counts for the kits that it completes at its location.
    """
    shelves: dict[str, dict[str, int]] = {}
    for item in stock:
        shelves.setdefault(item.location, {})[item.sku] = max(0, item.quantity)
    free = [
        Available(sku=kit.sku, location=location, quantity=could_make(kit.parts, shelf))
        for location, shelf in shelves.items()
    ]
    due = []
    for supply in sorted(incoming, key=lambda s: (s.due_on, s.location, s.source)):
        shelf = shelves.setdefault(supply.location, {})
        before = could_make(kit.parts, shelf)
        shelf[supply.sku] = shelf.get(supply.sku, 0) + supply.quantity
        if completed := could_make(kit.parts, shelf) - before:
            due.append(supply.model_copy(update={"sku": kit.sku, "quantity": completed}))
    return free, due


def _morning(day: date, way: Way) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(way.calendar.time_zone)).astimezone(UTC)
