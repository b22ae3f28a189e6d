"""Which location serves which units. A pure decision over a snapshot of what is available."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ConfigDict


class Demand(BaseModel):
    """Units of a SKU that one order line needs."""

    model_config = ConfigDict(frozen=True)

    line_id: str
    sku: str
    quantity: int


class Available(BaseModel):
    """Units of a SKU that are free at a location. Locations with a lower `priority` come first."""

    model_config = ConfigDict(frozen=True)

    sku: str
    location: str
    quantity: int
    priority: int = 100


class Take(BaseModel):
    """Units of one line to be taken from one location."""

    model_config = ConfigDict(frozen=True)

    line_id: str
    sku: str
    location: str
    quantity: int


class SourcingPlan(BaseModel):
    """What each location gives, and what is missing (line id → units)."""

    model_config = ConfigDict(frozen=True)

    takes: tuple[Take, ...]
    missing: dict[str, int]


def plan_sourcing(
    demands: Sequence[Demand],
    stock: Sequence[Available],
    *,
    excluded: frozenset[tuple[str, str]] = frozenset(),
) -> SourcingPlan:
    """Serve the demands from as few locations as a greedy choice finds.

    Each round takes the location that can serve the most units of what is left (ties: priority,
    then name), so an order that one location can serve whole ships in one parcel. Lines that share
    a SKU share its stock. `excluded` are (sku, location) pairs not to be used, for instance where a
    picker has just found the shelf empty. Never plans more than is available. A line is demanded
    once, and a SKU given once per location.
    """
    shelves: dict[str, dict[str, int]] = {}
    rank: dict[str, tuple[int, str]] = {}
    for item in stock:
        if item.quantity > 0 and (item.sku, item.location) not in excluded:
            shelves.setdefault(item.location, {})[item.sku] = item.quantity
            rank[item.location] = (item.priority, item.location)
    left = {demand.line_id: demand.quantity for demand in demands}
    wanted: dict[str, int] = {}
    for demand in demands:
        wanted[demand.sku] = wanted.get(demand.sku, 0) + demand.quantity
    takes: list[Take] = []
    while shelves:
        served = {place: _units(wanted, shelf) for place, shelf in shelves.items()}
        best = min(served, key=lambda place: (-served[place], rank[place]))
        if served[best] == 0:
            break
        shelf = shelves.pop(best)  # it gives all it can, so it is asked once
        for demand in demands:
            units = min(left[demand.line_id], shelf.get(demand.sku, 0))
            if units > 0:
                shelf[demand.sku] -= units
                left[demand.line_id] -= units
                wanted[demand.sku] -= units
                takes.append(
                    Take(line_id=demand.line_id, sku=demand.sku, location=best, quantity=units)
                )
    return SourcingPlan(
        takes=tuple(takes), missing={line_id: units for line_id, units in left.items() if units}
    )


def _units(wanted: Mapping[str, int], shelf: Mapping[str, int]) -> int:
    """How many of the wanted units a location can give."""
    return sum(min(units, shelf.get(sku, 0)) for sku, units in wanted.items())
