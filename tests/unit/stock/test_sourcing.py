"""Which location serves which units."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.orders.sourcing_rules import CRITERIA, Criterion, SourcingRules
from domain.stock.location_ranking import Place
from domain.stock.sourcing import Available, Demand, SourcingPlan, plan_sourcing

SKUS = ("TEA", "CUP", "POT")
LOCATIONS = ("main", "north", "south", "west")

demands = st.lists(st.tuples(st.sampled_from(SKUS), st.integers(1, 9)), min_size=1, max_size=6).map(
    lambda lines: [
        Demand(line_id=str(number), sku=sku, quantity=quantity)
        for number, (sku, quantity) in enumerate(lines, start=1)
    ]
)
shelves = st.dictionaries(
    st.tuples(st.sampled_from(SKUS), st.sampled_from(LOCATIONS)), st.integers(-3, 15)
).map(
    lambda units: [
        Available(sku=sku, location=place, quantity=n) for (sku, place), n in units.items()
    ]
)
places = st.tuples(
    *(
        st.builds(
            Place,
            location=st.just(name),
            priority=st.sampled_from([1, 100]),
            cost_minor=st.integers(0, 3),
            distance_km=st.integers(0, 3),
            wait_days=st.integers(0, 2),
        )
        for name in LOCATIONS
    )
)
rules = st.builds(
    SourcingRules,
    prefer=st.permutations(CRITERIA).map(tuple),
    parcels_max=st.none() | st.integers(1, 3),
    locations=st.none() | st.sets(st.sampled_from(LOCATIONS), min_size=1).map(tuple),
)


def _free(stock: list[Available]) -> Counter[tuple[str, str]]:
    return Counter({(item.sku, item.location): max(0, item.quantity) for item in stock})


def _needed(wanted: list[Demand]) -> Counter[str]:
    needed: Counter[str] = Counter()
    for demand in wanted:
        needed[demand.sku] += demand.quantity
    return needed


def _places(plan: SourcingPlan) -> set[str]:
    return {take.location for take in plan.takes}


def _served_by(wanted: list[Demand], stock: list[Available], chosen: tuple[Place, ...]) -> int:
    free, names = _free(stock), [place.location for place in chosen]
    return sum(
        min(units, sum(free[sku, name] for name in names)) for sku, units in _needed(wanted).items()
    )


def _weight(chosen: tuple[Place, ...], prefer: tuple[Criterion, ...]) -> tuple[int, ...]:
    measures = {
        "parcels": len(chosen),
        "cost": sum(place.cost_minor for place in chosen),
        "distance": sum(place.distance_km for place in chosen),
        "wait": sum(place.wait_days for place in chosen),
    }
    return (*(measures[name] for name in prefer), sum(place.priority for place in chosen))


@given(demands, shelves, places, rules)
def test_no_plan_serves_more_or_is_better_by_the_rules(
    wanted: list[Demand],
    stock: list[Available],
    there: tuple[Place, ...],
    rules: SourcingRules,
) -> None:
    plan = plan_sourcing(wanted, stock, there, rules)
    used = tuple(place for place in there if place.location in _places(plan))
    allowed = [p for p in there if rules.locations is None or p.location in rules.locations]
    assert set(used) <= set(allowed)

    def rank(chosen: tuple[Place, ...]) -> tuple[int, tuple[int, ...]]:
        return -_served_by(wanted, stock, chosen), _weight(chosen, rules.prefer)

    most = rules.parcels_max or len(LOCATIONS)
    ways = (way for n in range(most + 1) for way in itertools.combinations(allowed, n))
    assert rank(used) == min(map(rank, ways))
    assert sum(take.quantity for take in plan.takes) == -rank(used)[0]
    assert plan.exact


@given(demands, shelves, places, rules)
def test_every_location_is_told_why(
    wanted: list[Demand],
    stock: list[Available],
    there: tuple[Place, ...],
    rules: SourcingRules,
) -> None:
    plan = plan_sourcing(wanted, stock, there, rules)
    assert [c.place.location for c in plan.considered] == sorted({s.location for s in stock})
    for considered in plan.considered:
        serves = sum(t.quantity for t in plan.takes if t.location == considered.place.location)
        assert considered.serves == serves <= considered.has
        assert considered.why.startswith("serves it") == (serves > 0)
        assert "not looked at" not in considered.why


@given(demands, shelves, places)
def test_no_line_is_split_that_one_of_the_chosen_has_whole_and_to_itself(
    wanted: list[Demand], stock: list[Available], there: tuple[Place, ...]
) -> None:
    plan = plan_sourcing(wanted, stock, there)
    free = _free(stock)
    for demand in wanted:
        parts = [take for take in plan.takes if take.line_id == demand.line_id]
        alone = sum(other.sku == demand.sku for other in wanted) == 1
        if len(parts) > 1 and alone:
            assert all(free[demand.sku, place] < demand.quantity for place in _places(plan))


@given(demands, shelves)
def test_s2_no_more_is_taken_than_there_is_also_when_lines_share_a_sku(
    wanted: list[Demand], stock: list[Available]
) -> None:
    taken: Counter[tuple[str, str]] = Counter()
    for take in plan_sourcing(wanted, stock).takes:
        assert take.quantity > 0
        taken[take.sku, take.location] += take.quantity
    assert taken <= _free(stock)


@given(demands, shelves)
def test_what_is_taken_and_what_is_missing_is_what_was_wanted(
    wanted: list[Demand], stock: list[Available]
) -> None:
    plan = plan_sourcing(wanted, stock)
    accounted = Counter(plan.missing)
    for take in plan.takes:
        accounted[take.line_id] += take.quantity
    assert accounted == {demand.line_id: demand.quantity for demand in wanted}
    assert all(plan.missing.values())
    skus = {demand.line_id: demand.sku for demand in wanted}
    assert all(take.sku == skus[take.line_id] for take in plan.takes)


@given(demands, shelves)
def test_nothing_is_missing_that_is_there(wanted: list[Demand], stock: list[Available]) -> None:
    plan = plan_sourcing(wanted, stock)
    there: Counter[str] = Counter()
    for (sku, _), units in _free(stock).items():
        there[sku] += units
    missing: Counter[str] = Counter()
    for demand in wanted:
        missing[demand.sku] += plan.missing.get(demand.line_id, 0)
    assert +missing == _needed(wanted) - there


@given(st.data(), demands, shelves)
def test_the_same_stock_in_another_order_is_the_same_plan(
    data: st.DataObject, wanted: list[Demand], stock: list[Available]
) -> None:
    shuffled = data.draw(st.permutations(stock))
    assert plan_sourcing(wanted, shuffled) == plan_sourcing(wanted, stock)


@given(st.data(), demands, shelves)
def test_what_is_excluded_is_not_used(
    data: st.DataObject, wanted: list[Demand], stock: list[Available]
) -> None:
    excluded = data.draw(
        st.frozensets(st.tuples(st.sampled_from(SKUS), st.sampled_from(LOCATIONS)))
    )
    plan = plan_sourcing(wanted, stock, excluded=excluded)
    assert not {(take.sku, take.location) for take in plan.takes} & excluded
    usable = [item for item in stock if (item.sku, item.location) not in excluded]
    without = plan_sourcing(wanted, usable)
    assert (plan.takes, plan.missing) == (without.takes, without.missing)


def test_s2_two_lines_of_one_sku_are_checked_together() -> None:
    wanted = [
        Demand(line_id="1", sku="TEA", quantity=2),
        Demand(line_id="2", sku="TEA", quantity=2),
    ]
    plan = plan_sourcing(wanted, [Available(sku="TEA", location="main", quantity=3)])
    assert [(take.line_id, take.quantity) for take in plan.takes] == [("1", 2), ("2", 1)]
    assert plan.missing == {"2": 1}


def test_s4_two_units_at_two_locations_are_two_takes() -> None:
    stock = [Available(sku="TEA", location=place, quantity=1) for place in ("north", "main")]
    plan = plan_sourcing([Demand(line_id="1", sku="TEA", quantity=2)], stock)
    assert [take.location for take in plan.takes] == ["main", "north"]
    assert plan.missing == {}


def test_the_location_that_serves_most_comes_first_then_the_preferred_one() -> None:
    wanted = [
        Demand(line_id="1", sku="TEA", quantity=5),
        Demand(line_id="2", sku="CUP", quantity=5),
    ]
    stock = [
        Available(sku="TEA", location="near", quantity=4),
        Available(sku="TEA", location="far", quantity=5),
        Available(sku="CUP", location="other", quantity=5),
    ]
    takes = plan_sourcing(wanted, stock, [Place(location="near", priority=1)]).takes
    assert [(take.location, take.quantity) for take in takes] == [("far", 5), ("other", 5)]


def test_a_location_counts_for_what_is_left_and_not_for_what_it_could_have_given() -> None:
    wanted = [
        Demand(line_id="1", sku="TEA", quantity=5),
        Demand(line_id="2", sku="CUP", quantity=2),
    ]
    stock = [
        Available(sku="TEA", location="first", quantity=5),
        Available(sku="TEA", location="second", quantity=4),
        Available(sku="CUP", location="second", quantity=1),
        Available(sku="CUP", location="third", quantity=2),
    ]
    takes = plan_sourcing(wanted, stock, [Place(location="first", priority=1)]).takes
    assert [(take.location, take.quantity) for take in takes] == [("first", 5), ("third", 2)]


def test_nothing_there_is_everything_missing() -> None:
    plan = plan_sourcing([Demand(line_id="1", sku="TEA", quantity=2)], [])
    assert (plan.takes, plan.missing) == ((), {"1": 2})


TEAS = [Demand(line_id="1", sku="TEA", quantity=2)]


def _why(
    units: dict[str, int], places: list[Place], rules: SourcingRules | None = None
) -> dict[str, str]:
    stock = [Available(sku="TEA", location=name, quantity=n) for name, n in units.items()]
    plan = plan_sourcing(TEAS, stock, places, rules)
    return {considered.place.location: considered.why for considered in plan.considered}


def test_a_plan_says_why_it_ships_from_there() -> None:
    cheap = Place(location="berlin", cost_minor=420, distance_km=30)
    dear = Place(location="paris", cost_minor=900)
    far = Place(location="tokyo", cost_minor=420, distance_km=9000)
    late = Place(location="ulm", cost_minor=420, distance_km=30, wait_days=2)
    after = Place(location="xanten", cost_minor=420, distance_km=30, priority=200)
    same = Place(location="zwickau", cost_minor=420, distance_km=30)
    places = [cheap, dear, far, late, after, same]
    units = {place.location: 5 for place in places} | {"oslo": 1, "rome": 0}
    assert _why(units, places) == {
        "berlin": "serves it alone",
        "oslo": "has 1 of 2 units, which does not spare a parcel",
        "paris": "dearer than berlin",
        "rome": "has none of it that is free and may be used",
        "tokyo": "farther than berlin: 9000 km, not 30",
        "ulm": "later than berlin: in 2 days, not 0",
        "xanten": "berlin comes before it by priority",
        "zwickau": "as good as berlin, which comes first by name",
    }


def test_a_plan_says_what_its_rules_rule_out() -> None:
    only = SourcingRules(locations=("north", "south"), parcels_max=1)
    abroad = [Place(location="abroad", reached=False)]
    assert _why({"abroad": 9, "east": 9, "north": 2, "south": 2}, abroad, only) == {
        "abroad": "no lane leads from it to there",
        "east": "the order's policy does not allow it",
        "north": "serves it alone",
        "south": "as good as north, which comes first by name",
    }
    both = SourcingRules(parcels_max=2)
    assert _why({"north": 1, "south": 1}, [], both)["south"] == "serves it with 1 more"


def test_a_search_that_was_cut_short_says_so_and_serves_everything() -> None:
    wanted = [Demand(line_id=sku, sku=sku, quantity=4) for sku in ("TEA", "CUP")]
    both = [Available(sku=sku, location="both", quantity=3) for sku in ("TEA", "CUP")]
    each = [Available(sku=sku, location=sku.lower(), quantity=4) for sku in ("TEA", "CUP")]
    best = plan_sourcing(wanted, both + each)
    assert (best.exact, best.missing, _places(best)) == (True, {}, {"tea", "cup"})
    cut_short = plan_sourcing(wanted, both + each, effort_max=0)
    assert (cut_short.exact, cut_short.missing) == (False, {})
    serving = [c.place.location for c in cut_short.considered if c.why.startswith("serves it")]
    assert set(serving) == _places(cut_short)


def test_rules_name_a_criterion_once() -> None:
    with pytest.raises(ValidationError, match="must name each criterion once"):
        SourcingRules(prefer=("cost", "cost"))
