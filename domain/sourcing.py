"""Which location serves which units. A pure decision over a snapshot of what is available."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set

from pydantic import BaseModel, ConfigDict

from domain.covering import EFFORT_MAX, cover
from domain.places import Place, SourcingRules, barred, weight, worse


class Demand(BaseModel):
    """Units of a SKU that one order line needs."""

    model_config = ConfigDict(frozen=True)

    line_id: str
    sku: str
    quantity: int


class Available(BaseModel):
    """Units of a SKU that are free at a location."""

    model_config = ConfigDict(frozen=True)

    sku: str
    location: str
    quantity: int


class Take(BaseModel):
    """Units of one line to be taken from one location."""

    model_config = ConfigDict(frozen=True)

    line_id: str
    sku: str
    location: str
    quantity: int


class Considered(BaseModel):
    """A location that was looked at: what it has of the wanted units, and why it serves or not."""

    model_config = ConfigDict(frozen=True)

    place: Place
    has: int
    serves: int
    why: str


class SourcingPlan(BaseModel):
    """What each location gives, what is missing (line id → units), and why so.

    Not `exact`: there were too many ways to look at them all, so a better one may exist.
    """

    model_config = ConfigDict(frozen=True)

    takes: tuple[Take, ...]
    missing: dict[str, int]
    considered: tuple[Considered, ...] = ()
    exact: bool = True


def plan_sourcing(
    demands: Sequence[Demand],
    stock: Iterable[Available],
    places: Iterable[Place] = (),
    rules: SourcingRules | None = None,
    *,
    excluded: Set[tuple[str, str]] = frozenset(),
    effort_max: int = EFFORT_MAX,
) -> SourcingPlan:
    """Serve as many units as there are, in the way that the rules call the best.

    Lines that share a SKU share its stock. A location of which no place is given is as `Place` has
    it by default. `excluded` are (sku, location) pairs not to be used, for instance where a picker
    has just found the shelf empty. Never plans more than is available, or more parcels than the
    best way needs. A line is demanded once, and a SKU given once per location.
    """
    rules = rules or SourcingRules()
    wanted: dict[str, int] = {}
    for demand in demands:
        wanted[demand.sku] = wanted.get(demand.sku, 0) + demand.quantity
    shelves: dict[str, dict[str, int]] = {}
    for item in stock:
        shelf = shelves.setdefault(item.location, {})
        if item.quantity > 0 and item.sku in wanted and (item.sku, item.location) not in excluded:
            shelf[item.sku] = item.quantity
    known = {place.location: place for place in places}
    seen = [known.get(name, Place(location=name)) for name in sorted(shelves)]
    usable = [place for place in seen if shelves[place.location] and not barred(place, rules)]
    choice = cover(
        list(wanted.values()),
        [[shelves[place.location].get(sku, 0) for sku in wanted] for place in usable],
        [weight(place, rules) for place in usable],
        at_most=rules.parcels_max or len(usable),
        effort_max=effort_max,
    )
    chosen = sorted(
        (usable[i] for i in choice.chosen),
        key=lambda place: (-_units(wanted, shelves[place.location]), weight(place, rules)),
    )
    takes, missing = _share_out(demands, [(p.location, shelves[p.location]) for p in chosen])
    serves = {place.location: 0 for place in seen}
    for take in takes:
        serves[take.location] += take.quantity
    # A choice that was cut short can hold a location that is not needed after all.
    needed = [place for place in chosen if serves[place.location]]
    reasons = _Reasons(wanted, shelves, rules, needed)
    return SourcingPlan(
        takes=tuple(takes),
        missing=missing,
        considered=tuple(
            Considered(
                place=place,
                has=_units(wanted, shelves[place.location]),
                serves=serves[place.location],
                why=reasons.why(place),
            )
            for place in seen
        ),
        exact=choice.exact,
    )


def _units(wanted: Mapping[str, int], shelf: Mapping[str, int]) -> int:
    """How many of the wanted units a location has."""
    return sum(min(units, shelf.get(sku, 0)) for sku, units in wanted.items())


def _share_out(
    demands: Sequence[Demand], chosen: Sequence[tuple[str, Mapping[str, int]]]
) -> tuple[list[Take], dict[str, int]]:
    """Take each line whole from the first location that has it; split what none has whole."""
    left = [(location, dict(shelf)) for location, shelf in chosen]
    takes: dict[tuple[str, str], Take] = {}
    missing: dict[str, int] = {}

    def take(demand: Demand, location: str, shelf: dict[str, int], units: int) -> None:
        shelf[demand.sku] -= units
        takes[location, demand.line_id] = Take(
            line_id=demand.line_id, sku=demand.sku, location=location, quantity=units
        )

    split = []
    for demand in demands:
        whole = (
            (name, shelf) for name, shelf in left if shelf.get(demand.sku, 0) >= demand.quantity
        )
        if found := next(whole, None):
            take(demand, *found, demand.quantity)
        else:
            split.append(demand)
    for demand in split:
        wanted = demand.quantity
        for location, shelf in left:
            if units := min(wanted, shelf.get(demand.sku, 0)):
                take(demand, location, shelf, units)
                wanted -= units
        if wanted:
            missing[demand.line_id] = wanted
    sequence = [(name, demand.line_id) for name, _ in chosen for demand in demands]
    return [takes[key] for key in sequence if key in takes], missing


class _Reasons:
    """Why each location serves, or does not: each true by itself, found by exchanging one."""

    def __init__(
        self,
        wanted: Mapping[str, int],
        shelves: Mapping[str, Mapping[str, int]],
        rules: SourcingRules,
        chosen: Sequence[Place],
    ) -> None:
        self._wanted = wanted
        self._shelves = shelves
        self._rules = rules
        self._chosen = chosen
        self._served = self._together(chosen)

    def why(self, place: Place) -> str:
        """One clause about one location."""
        total = sum(self._wanted.values())
        has = _units(self._wanted, self._shelves[place.location])
        if place in self._chosen:
            others = len(self._chosen) - 1
            return f"serves it with {others} more" if others else "serves it alone"
        if reason := barred(place, self._rules):
            return reason
        if not has:
            return "has none of it that is free and may be used"
        for other in self._chosen:
            instead = [place, *(p for p in self._chosen if p != other)]
            if self._together(instead) >= self._served:
                return worse(place, other, self._rules)
        if self._rules.parcels_max == len(self._chosen):
            return f"has {has} of {total} units, and would make one parcel too many"
        return f"has {has} of {total} units, which does not spare a parcel"

    def _together(self, places: Sequence[Place]) -> int:
        """How many of the wanted units these locations have."""
        return sum(
            min(units, sum(self._shelves[place.location].get(sku, 0) for place in places))
            for sku, units in self._wanted.items()
        )
