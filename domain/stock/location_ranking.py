"""Locations as one order sees them, and the comparison between them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from pydantic import BaseModel, ConfigDict

from domain.orders.shipping import Shipping
from domain.orders.sourcing_rules import CRITERIA, SourcingRules
from domain.stock.shelf_choice import Weight


class Place(BaseModel):
    """A location as one order sees it. Lower is better, in every field."""

    model_config = ConfigDict(frozen=True)

    location: str
    priority: int = 100
    reached: bool = True
    """It ships to the order's address."""
    cost_minor: int = 0
    """The cost of a parcel from there to the order's address, in minor units."""
    currency: str | None = None
    distance_km: int = 0
    wait_days: int = 0
    """Days until a parcel can leave."""
    measures: tuple[tuple[str, int], ...] = ()
    """What extensions measure, by their names."""


Measure: TypeAlias = Callable[[Place, Shipping], int]
"""What a parcel from there to the order's address adds to a criterion of an extension.

It is asked while stock is locked: it computes, from what it has learnt before, and asks nobody.
"""


def barred(place: Place, rules: SourcingRules) -> str | None:
    """The reason why a location may not serve the order, or None if it may."""
    if not place.reached:
        return "no lane leads from it to there"
    if rules.locations is not None and place.location not in rules.locations:
        return "the order's policy does not allow it"
    return None


def criteria(rules: SourcingRules) -> tuple[str, ...]:
    """All criteria, the most important first.

    The number of parcels is always among them, so that no unneeded location is chosen.
    """
    return (*rules.prefer, *(name for name in CRITERIA if name not in rules.prefer))


def measure(place: Place, criterion: str) -> int:
    """The amount that one parcel from there adds to a criterion."""
    match criterion:
        case "parcels":
            return 1
        case "cost":
            return place.cost_minor
        case "distance":
            return place.distance_km
        case "wait":
            return place.wait_days
    return dict(place.measures).get(criterion, 0)


def weight(place: Place, rules: SourcingRules) -> Weight:
    """The weight of a location by these rules: less is better."""
    return (*(measure(place, name) for name in criteria(rules)), place.priority)


def worse(place: Place, other: Place, rules: SourcingRules) -> str:
    """The reason why the other location is preferred to this one."""
    for name in criteria(rules):
        mine, its = measure(place, name), measure(other, name)
        if mine < its:
            return "was not looked at: there were too many ways to serve the order"
        if mine > its:
            words = {
                "cost": f"dearer than {other.location}",
                "distance": f"farther than {other.location}: {mine} km, not {its}",
                "wait": f"later than {other.location}: in {mine} days, not {its}",
            }
            return words.get(name, f"worse by {name} than {other.location}: {mine}, not {its}")
    if place.priority != other.priority:
        return f"{other.location} comes before it by priority"
    return f"as good as {other.location}, which comes first by name"
