"""Which location serves which units: a pure decision over a snapshot of the available stock."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from itertools import islice, product
from typing import Final, TypeAlias

from pydantic import BaseModel, ConfigDict

from domain.orders.handling import SHIPPED, Handling
from domain.orders.sourcing_rules import SourcingRules
from domain.stock.kits import Dividing, Parts, Way
from domain.stock.location_ranking import Place, barred, weight, worse
from domain.stock.shelf_choice import EFFORT_MAX, cover

TOGETHER_MAX: Final = 1000
"""Combinations of ways to divide shelves that are examined to find a reason."""


class Demand(BaseModel):
    """Units of a SKU that one order line needs. `parts`: the stock that one kit takes."""

    model_config = ConfigDict(frozen=True)

    line_id: str
    sku: str
    quantity: int
    parts: dict[str, int] = {}
    handling: Handling = SHIPPED

    @property
    def takes(self) -> Parts:
        """The stock that one unit takes."""
        return self.parts or {self.sku: 1}


class Available(BaseModel):
    """Units of a SKU that are free at a location."""

    model_config = ConfigDict(frozen=True)

    sku: str
    location: str
    quantity: int


class Take(Demand):
    """Units of one line to be taken from one location."""

    location: str


class Considered(BaseModel):
    """A location that was considered: its wanted units, and the reason for the decision."""

    model_config = ConfigDict(frozen=True)

    place: Place
    has: int
    serves: int
    why: str


class SourcingPlan(BaseModel):
    """The units that each location gives, the missing units, and the reasons.

    Not `exact`: there were too many ways to examine them all, so a better one may exist.
    """

    model_config = ConfigDict(frozen=True)

    takes: tuple[Take, ...]
    missing: dict[str, int]
    considered: tuple[Considered, ...] = ()
    exact: bool = True

    def beside(self, other: SourcingPlan) -> SourcingPlan:
        """Both together, where they are for different lines."""
        return SourcingPlan(
            takes=(*self.takes, *other.takes),
            missing={**self.missing, **other.missing},
            considered=(*self.considered, *other.considered),
            exact=self.exact and other.exact,
        )


def plan_sourcing(
    demands: Sequence[Demand],
    stock: Iterable[Available],
    places: Iterable[Place] = (),
    rules: SourcingRules | None = None,
    *,
    excluded: Set[tuple[str, str]] = frozenset(),
    effort_max: int = EFFORT_MAX,
) -> SourcingPlan:
    """Serve as many units as possible, in the best way by the rules.

    Lines with the same SKU, or kits with a common part, share its stock; a kit is served whole from
    one location. A location without a place has the defaults of `Place`. `excluded` are forbidden
    (SKU, location) pairs, for instance after a picker has found the shelf empty. Never plans more
    units than are available, or more parcels than the best way needs. Each line is demanded once,
    and each SKU given once per location.
    """
    rules = rules or SourcingRules()
    wanted: dict[_Takes, int] = {}
    for demand in demands:
        wanted[_takes(demand)] = wanted.get(_takes(demand), 0) + demand.quantity
    shelves: dict[str, dict[str, int]] = {}
    for item in stock:
        shelf = shelves.setdefault(item.location, {})
        if item.quantity > 0 and (item.sku, item.location) not in excluded:
            shelf[item.sku] = item.quantity
    dividing = Dividing((units, dict(takes)) for takes, units in wanted.items())
    divided = {name: dividing.ways(shelf) for name, shelf in shelves.items()}
    ways = {name: found for name, (found, _) in divided.items()}
    known = {place.location: place for place in places}
    seen = [known.get(name, Place(location=name)) for name in sorted(shelves)]
    usable = [place for place in seen if _most(ways[place.location]) and not barred(place, rules)]
    options = [(i, way) for i, place in enumerate(usable) for way in ways[place.location]]
    weights = [weight(place, rules) for place in usable]
    choice = cover(
        list(wanted.values()),
        [way for _, way in options],
        [weights[i] for i, _ in options],
        owners=[i for i, _ in options],
        at_most=rules.parcels_max or len(usable),
        effort_max=effort_max,
    )
    chosen = sorted(
        (options[k] for k in choice.chosen),
        key=lambda option: (-sum(option[1]), weights[option[0]]),
    )
    takes, missing = _share_out(
        demands, list(wanted), [(usable[i].location, way) for i, way in chosen]
    )
    serves = {place.location: 0 for place in seen}
    for take in takes:
        serves[take.location] += take.quantity
    # A choice that was cut short may hold a location that is not needed.
    needed = [usable[i] for i, _ in chosen if serves[usable[i].location]]
    reasons = _Reasons(list(wanted.values()), ways, rules, needed)
    return SourcingPlan(
        takes=tuple(takes),
        missing=missing,
        considered=tuple(
            Considered(
                place=place,
                has=_most(ways[place.location]),
                serves=serves[place.location],
                why=reasons.why(place),
            )
            for place in seen
        ),
        exact=choice.exact and all(whole for _, whole in divided.values()),
    )


_Takes: TypeAlias = tuple[tuple[str, int], ...]


def _takes(demand: Demand) -> _Takes:
    """The stock that one unit takes. Sourcing treats lines with equal parts alike."""
    return tuple(sorted(demand.takes.items()))


def _most(ways: Sequence[Way]) -> int:
    """The most wanted units that a location could serve."""
    return max(map(sum, ways))


def _share_out(
    demands: Sequence[Demand], wanted: Sequence[_Takes], chosen: Sequence[tuple[str, Way]]
) -> tuple[list[Take], dict[str, int]]:
    """Take each line whole from the first location that has it; split a line that none has."""
    left = [(location, dict(zip(wanted, way, strict=True))) for location, way in chosen]
    takes: dict[tuple[str, str], Take] = {}
    missing: dict[str, int] = {}

    def take(demand: Demand, location: str, shelf: dict[_Takes, int], units: int) -> None:
        shelf[_takes(demand)] -= units
        takes[location, demand.line_id] = Take(
            line_id=demand.line_id,
            sku=demand.sku,
            quantity=units,
            parts=demand.parts,
            handling=demand.handling,
            location=location,
        )

    split = []
    for demand in demands:
        whole = ((name, shelf) for name, shelf in left if shelf[_takes(demand)] >= demand.quantity)
        if found := next(whole, None):
            take(demand, *found, demand.quantity)
        else:
            split.append(demand)
    for demand in split:
        units_left = demand.quantity
        for location, shelf in left:
            if units := min(units_left, shelf[_takes(demand)]):
                take(demand, location, shelf, units)
                units_left -= units
        if units_left:
            missing[demand.line_id] = units_left
    sequence = [(name, demand.line_id) for name, _ in chosen for demand in demands]
    return [takes[key] for key in sequence if key in takes], missing


class _Reasons:
    """The reason why each location serves or does not, found by exchanging one location."""

    def __init__(
        self,
        wanted: Sequence[int],
        ways: Mapping[str, Sequence[Way]],
        rules: SourcingRules,
        chosen: Sequence[Place],
    ) -> None:
        self._wanted = wanted
        self._ways = ways
        self._rules = rules
        self._chosen = chosen
        self._served = self._together(chosen)

    def why(self, place: Place) -> str:
        """One clause about one location."""
        total = sum(self._wanted)
        has = _most(self._ways[place.location])
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
        """The number of wanted units that these locations have together."""
        each = [self._ways[place.location] for place in places]
        return max(
            sum(map(min, self._wanted, map(sum, zip(*ways, strict=True))))
            for ways in islice(product(*each), TOGETHER_MAX)
        )
