"""Which location serves which units."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from domain.sourcing import Available, Demand, SourcingPlan, plan_sourcing

SKUS = ("TEA", "CUP", "POT")
LOCATIONS = ("main", "north", "south", "west")

demands = st.lists(st.tuples(st.sampled_from(SKUS), st.integers(1, 9)), min_size=1, max_size=6).map(
    lambda lines: [
        Demand(line_id=str(number), sku=sku, quantity=quantity)
        for number, (sku, quantity) in enumerate(lines, start=1)
    ]
)
# A location has one priority, whatever it holds.
shelves = st.builds(
    lambda units, priorities: [
        Available(sku=sku, location=place, quantity=n, priority=priorities[place])
        for (sku, place), n in units.items()
    ],
    st.dictionaries(
        st.tuples(st.sampled_from(SKUS), st.sampled_from(LOCATIONS)), st.integers(-3, 15)
    ),
    st.fixed_dictionaries({place: st.sampled_from([1, 100]) for place in LOCATIONS}),
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


@given(demands, shelves)
def test_one_location_is_used_when_one_suffices_and_then_the_preferred(
    wanted: list[Demand], stock: list[Available]
) -> None:
    free, needed = _free(stock), _needed(wanted)
    rank = {item.location: (item.priority, item.location) for item in stock}
    sufficient = [
        place for place in rank if all(free[sku, place] >= units for sku, units in needed.items())
    ]
    if sufficient:
        assert _places(plan_sourcing(wanted, stock)) == {min(sufficient, key=rank.__getitem__)}


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
    assert plan == plan_sourcing(wanted, usable)


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
        Available(sku="TEA", location="near", quantity=4, priority=1),
        Available(sku="TEA", location="far", quantity=5),
        Available(sku="CUP", location="other", quantity=5),
    ]
    takes = plan_sourcing(wanted, stock).takes
    assert [(take.location, take.quantity) for take in takes] == [("far", 5), ("other", 5)]


def test_a_location_counts_for_what_is_left_and_not_for_what_it_could_have_given() -> None:
    wanted = [
        Demand(line_id="1", sku="TEA", quantity=5),
        Demand(line_id="2", sku="CUP", quantity=2),
    ]
    stock = [
        Available(sku="TEA", location="first", quantity=5, priority=1),
        Available(sku="TEA", location="second", quantity=4),
        Available(sku="CUP", location="second", quantity=1),
        Available(sku="CUP", location="third", quantity=2),
    ]
    takes = plan_sourcing(wanted, stock).takes
    assert [(take.location, take.quantity) for take in takes] == [("first", 5), ("third", 2)]


def test_nothing_there_is_everything_missing() -> None:
    plan = plan_sourcing([Demand(line_id="1", sku="TEA", quantity=2)], [])
    assert (plan.takes, plan.missing) == ((), {"1": 2})
