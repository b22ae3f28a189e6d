"""How a figure compares with the same one of earlier days."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.days.figures import Trend, days_before, trend_of
from store.days.losses import Loss

DAY = date(2026, 11, 30)
MONTH = days_before(DAY, 30)


def test_a_month_ends_with_its_day() -> None:
    assert (MONTH[0], MONTH[-1], len(MONTH)) == (date(2026, 11, 1), DAY, 30)


def test_a_figure_stands_beside_the_day_and_the_week_before() -> None:
    values = {DAY: 12, DAY - timedelta(days=1): 10, DAY - timedelta(days=7): 8}
    trend = trend_of(values, MONTH, DAY)
    assert trend[:3] == (12, 10, 8)
    assert trend.change_percent == 20


def test_a_day_that_was_not_counted_is_not_known() -> None:
    trend = trend_of({DAY: 12}, {DAY}, DAY)
    assert (trend.yesterday, trend.week_before, trend.change_percent) == (None, None, None)
    assert trend.days == (*(None,) * 29, 12)
    assert trend_of({}, {DAY - timedelta(days=1)}, DAY)[:2] == (None, 0)


@pytest.mark.parametrize(
    ("now", "before", "percent"), [(0, 10, -100), (5, 0, None), (-5, -10, 50), (10, 10, 0)]
)
def test_a_change_is_in_per_cent_of_what_was(now: int, before: int, percent: int | None) -> None:
    assert Trend(now, before, None, ()).change_percent == percent


@given(st.dictionaries(st.sampled_from(MONTH), st.integers(-(10**15), 10**15)))
def test_each_day_that_was_counted_has_its_figure_or_none_of_it(values: dict[date, int]) -> None:
    trend = trend_of(values, MONTH, DAY)
    assert trend.days == tuple(values.get(day, 0) for day in MONTH)
    assert trend.now == trend.days[-1]


@pytest.mark.parametrize(
    ("cost", "sent_again", "is_below"),
    [(900, [], False), (1100, [], True), (1100, [False], True), (1100, [False, True], False)],
)
def test_goods_that_were_sent_twice_are_not_called_below_cost(
    cost: int, sent_again: list[bool], is_below: bool
) -> None:
    parcels = [
        {"fulfilment_id": f"web-1:{n}", "claim": "due", "sent_again": again}
        for n, again in enumerate(sent_again, 1)
    ]
    amounts = {
        "day_minor": -1,
        "sold_minor": 1000,
        "refunds_minor": 0,
        "cost_minor": cost,
        "others_minor": 0,
        "result_minor": -1,
    }
    named = {"seller": "main", "order_id": "web-1", "channel": "web", "currency": "USD"}
    why = {"refunds": (), "reasons": (), "claims": (), "disputed": False, "not_found": 0}
    loss = Loss.model_validate({**named, **amounts, **why, "lost_parcels": parcels, "booked": ()})
    assert loss.is_below_cost is is_below
