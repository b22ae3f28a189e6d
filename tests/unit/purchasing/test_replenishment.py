"""When to buy and how much; what the figures come from."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.purchasing.replenishment import Demand, Levels, levels_for, to_order

UNITS = st.integers(-2_000, 2_000)


@st.composite
def levels(draw: st.DrawFn) -> Levels:
    point = draw(st.integers(0, 500))
    return Levels(reorder_point=point, order_up_to=point + draw(st.integers(1, 500)))


@given(UNITS, levels(), st.integers(1, 100), st.integers(1, 60))
def test_an_order_is_made_at_the_reorder_point_and_fills_up_in_the_smallest_way_that_is_sold(
    position: int, at: Levels, minimum: int, multiple: int
) -> None:
    units = to_order(position, at, minimum=minimum, multiple=multiple)
    assert (units > 0) == (position <= at.reorder_point)
    if units:
        assert units % multiple == 0
        assert units >= minimum
        assert position + units >= at.order_up_to
        less = units - multiple
        assert less < minimum or position + less < at.order_up_to


@given(UNITS, levels(), st.integers(1, 100), st.integers(1, 60))
def test_what_was_ordered_is_no_need_any_more(
    position: int, at: Levels, minimum: int, multiple: int
) -> None:
    units = to_order(position, at, minimum=minimum, multiple=multiple)
    assert to_order(position + units, at, minimum=minimum, multiple=multiple) == 0


@given(st.lists(st.integers(0, 1000), min_size=2, max_size=60))
def test_demand_is_the_mean_and_the_sample_variance_of_its_days(days: list[int]) -> None:
    demand = Demand.over(len(days), sum(days), sum(units * units for units in days))
    mean = sum(days) / len(days)
    assert demand.mean == pytest.approx(mean)
    variance = sum((units - mean) ** 2 for units in days) / (len(days) - 1)
    assert demand.variance == pytest.approx(variance, abs=1e-6)


def test_a_level_from_demand_as_the_book_computes_it() -> None:
    # A day's demand of 10 ± 3 over 4 days, at 95 %: 40 + 1.645 × 3 × 2 = 49.87.
    demand = Demand(mean=10, variance=9)
    assert levels_for(demand, lead_time_days=4, review_days=7, service_level=0.95) == Levels(
        reorder_point=50, order_up_to=120
    )


@given(st.floats(0, 100), st.floats(0, 1000), st.integers(0, 120), st.floats(0.5, 0.999))
def test_better_service_longer_ways_and_unsteadier_demand_never_lower_a_level(
    mean: float, variance: float, lead_time: int, service: float
) -> None:
    def point(variance: float, lead_time: int, service: float) -> int:
        demand = Demand(mean=mean, variance=variance)
        found = levels_for(demand, lead_time_days=lead_time, review_days=1, service_level=service)
        return found.reorder_point

    here = point(variance, lead_time, service)
    assert here >= mean * lead_time - 1e-6
    assert point(variance + 10, lead_time, service) >= here
    assert point(variance, lead_time + 1, service) >= here
    assert point(variance, lead_time, (service + 1) / 2) >= here


def test_a_level_that_is_not_above_the_reorder_point_is_refused() -> None:
    with pytest.raises(ValidationError, match="must be more than the reorder point"):
        Levels(reorder_point=5, order_up_to=5)
