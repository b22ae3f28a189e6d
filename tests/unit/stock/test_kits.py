"""Kits: made up of parts that others want too, never beyond what there is."""

from __future__ import annotations

import itertools
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from domain.orders.sourcing_rules import SourcingRules
from domain.stock.kits import WAYS_MAX, Dividing, could_make
from domain.stock.location_ranking import Place
from domain.stock.sourcing import Available, Demand, SourcingPlan, plan_sourcing

KITS = {
    "SET": {"TEA": 2, "CUP": 1},
    "PAIR": {"CUP": 2},
    "CRATE": {"TEA": 3, "POT": 1},
}
SKUS = ("TEA", "CUP", "POT", *KITS)
LOCATIONS = ("main", "north")


def demand(line_id: int, sku: str, quantity: int) -> Demand:
    return Demand(line_id=str(line_id), sku=sku, quantity=quantity, parts=KITS.get(sku, {}))


demands = st.lists(st.tuples(st.sampled_from(SKUS), st.integers(1, 3)), min_size=1, max_size=3).map(
    lambda lines: [demand(number, *line) for number, line in enumerate(lines, start=1)]
)
shelves = st.fixed_dictionaries(
    {(part, place): st.integers(-1, 6) for part in ("TEA", "CUP", "POT") for place in LOCATIONS}
)
places = st.tuples(
    *(st.builds(Place, location=st.just(name), cost_minor=st.integers(0, 2)) for name in LOCATIONS)
)


def available(free: dict[tuple[str, str], int]) -> list[Available]:
    return [Available(sku=sku, location=at, quantity=n) for (sku, at), n in free.items()]


def used_by(takes: list[tuple[Demand, str, int]]) -> Counter[tuple[str, str]]:
    """Units of each part that go from each location."""
    used: Counter[tuple[str, str]] = Counter()
    for of, location, units in takes:
        for part, each in of.takes.items():
            used[part, location] += units * each
    return used


def taken_by(plan: SourcingPlan) -> list[tuple[Demand, str, int]]:
    return [(take, take.location, take.quantity) for take in plan.takes]


def rank(takes: list[tuple[Demand, str, int]], there: tuple[Place, ...]) -> tuple[int, int, int]:
    """Units served, the most; parcels and their cost, the least."""
    locations = {location for _, location, units in takes if units}
    cost = sum(place.cost_minor for place in there if place.location in locations)
    return -sum(units for *_, units in takes), len(locations), cost


@given(demands, shelves, places, st.sampled_from([None, 1]))
def test_no_plan_serves_more_or_in_fewer_parcels_and_none_takes_more_than_there_is(
    wanted: list[Demand],
    free: dict[tuple[str, str], int],
    there: tuple[Place, ...],
    parcels_max: int | None,
) -> None:
    plan = plan_sourcing(wanted, available(free), there, SourcingRules(parcels_max=parcels_max))

    def possible(takes: list[tuple[Demand, str, int]]) -> bool:
        parcels = len({location for _, location, units in takes if units})
        enough = all(free[key] >= units for key, units in used_by(takes).items() if units)
        return enough and parcels <= (parcels_max or len(LOCATIONS))

    # Every way there is: so many units of each line from main, and so many from north.
    ways = itertools.product(
        *(
            [(a, b) for a in range(d.quantity + 1) for b in range(d.quantity + 1 - a)]
            for d in wanted
        )
    )
    each = (
        [
            (of, location, units)
            for of, split in zip(wanted, way, strict=True)
            for location, units in zip(LOCATIONS, split, strict=True)
        ]
        for way in ways
    )
    assert possible(taken_by(plan))
    assert rank(taken_by(plan), there) == min(
        rank(takes, there) for takes in each if possible(takes)
    )
    assert plan.exact
    served: Counter[str] = Counter()
    for take in plan.takes:
        served[take.line_id] += take.quantity
    assert {d.line_id: d.quantity for d in wanted} == served + Counter(plan.missing)
    for considered in plan.considered:
        assert considered.serves <= considered.has
        assert "not looked at" not in considered.why


def test_a_kit_is_never_put_together_from_two_locations() -> None:
    free = {("TEA", "main"): 9, ("CUP", "north"): 9}
    plan = plan_sourcing([demand(1, "SET", 1)], available(free))
    assert (plan.takes, plan.missing) == ((), {"1": 1})
    assert [c.why for c in plan.considered] == ["has none of it that is free and may be used"] * 2


def test_a_part_that_a_kit_needs_here_is_taken_from_elsewhere() -> None:
    # Main has both lines' units when each is looked at alone; only together they are too many.
    free = {("TEA", "main"): 4, ("CUP", "main"): 2, ("TEA", "north"): 2}
    plan = plan_sourcing([demand(1, "TEA", 2), demand(2, "SET", 2)], available(free))
    assert [(t.line_id, t.location, t.quantity) for t in plan.takes] == [
        ("2", "main", 2),
        ("1", "north", 2),
    ]
    assert plan.missing == {}


def test_an_empty_shelf_of_one_part_is_avoided_for_the_whole_kit() -> None:
    free = {("TEA", "main"): 4, ("CUP", "main"): 2}
    for part in ("TEA", "CUP"):
        plan = plan_sourcing(
            [demand(1, "SET", 1)], available(free), excluded=frozenset({(part, "main")})
        )
        assert plan.missing == {"1": 1}


def test_of_too_many_ways_to_divide_shelves_a_good_one_is_taken_and_it_says_so() -> None:
    many = 50 * WAYS_MAX
    free = {("TEA", at): 3 * many for at in LOCATIONS} | {("CUP", "main"): many}
    wanted = [demand(1, "SET", many), demand(2, "TEA", 4 * many)]
    plan = plan_sourcing(wanted, available(free))
    assert plan.missing == {}
    assert not plan.exact
    assert all(units <= free[key] for key, units in used_by(taken_by(plan)).items())


def test_as_many_kits_could_be_made_as_the_scarcest_part_allows() -> None:
    assert could_make({"TEA": 2, "CUP": 1}, {"TEA": 5, "CUP": 9}) == 2
    assert could_make({"TEA": 2, "CUP": 1}, {"TEA": 5}) == 0
    assert could_make({"TEA": 2}, {"TEA": -3}) == 0


def test_a_shelf_is_divided_only_where_it_is_too_small_for_all() -> None:
    both = Dividing([(2, {"TEA": 2, "CUP": 1}), (3, {"TEA": 1}), (4, {"POT": 1})])
    assert both.ways({"TEA": 7, "CUP": 2, "POT": 1}) == ([(2, 3, 1)], True)
    assert both.ways({"TEA": 4, "CUP": 2, "POT": 9}) == ([(2, 0, 4), (1, 2, 4), (0, 3, 4)], True)
