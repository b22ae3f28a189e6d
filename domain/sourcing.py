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
    picker has just found the shelf empty. Never plans more than is available.
    """
    free = {
        (item.sku, item.location): item.quantity
        for item in stock
        if item.quantity > 0 and (item.sku, item.location) not in excluded
    }
    rank = {item.location: (item.priority, item.location) for item in stock}
    left = {demand.line_id: demand.quantity for demand in demands}
    takes: list[Take] = []
    while True:
        candidates = {location for (_, location), units in free.items() if units > 0}
        offers = {location: _offer(location, demands, left, free) for location in candidates}
        offers = {location: offer for location, offer in offers.items() if offer}
        if not offers:
            break
        best = min(offers, key=lambda place: (-sum(t.quantity for t in offers[place]), rank[place]))
        for take in offers[best]:
            free[take.sku, take.location] -= take.quantity
            left[take.line_id] -= take.quantity
        takes += offers[best]
    return SourcingPlan(
        takes=tuple(takes), missing={line_id: units for line_id, units in left.items() if units}
    )


def _offer(
    location: str,
    demands: Sequence[Demand],
    left: Mapping[str, int],
    free: Mapping[tuple[str, str], int],
) -> list[Take]:
    remaining = {sku: units for (sku, place), units in free.items() if place == location}
    offer = []
    for demand in demands:
        units = min(left[demand.line_id], remaining.get(demand.sku, 0))
        if units > 0:
            remaining[demand.sku] -= units
            offer.append(
                Take(line_id=demand.line_id, sku=demand.sku, location=location, quantity=units)
            )
    return offer
