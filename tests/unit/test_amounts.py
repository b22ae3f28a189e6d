"""What units are worth: whatever the order of events, nothing is gained and nothing lost."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.amounts import LineWorth, Worth, value_lines, worth_of
from domain.order import Order
from tests.builders import an_order
from tests.strategies import orders

PARTS = ("goods", "tax", "shipping", "shipping_tax")


def _total(lines: dict[str, LineWorth]) -> Worth:
    return sum((line.whole for line in lines.values()), Worth())


@given(orders())
def test_the_lines_are_worth_the_order_to_the_minor_unit(order: Order) -> None:
    whole = _total(value_lines(order))
    assert whole.total == order.total_minor
    assert whole.shipping == order._minor(order.shipping.price)
    assert whole.shipping_tax == order._minor(order.shipping.tax)
    assert whole.tax == sum(order._minor(line.tax) for line in order.lines)


@given(orders())
def test_no_part_of_a_line_is_negative(order: Order) -> None:
    for line in value_lines(order).values():
        assert min(getattr(line.whole, part) for part in PARTS) >= 0


@given(orders())
def test_the_worth_of_the_first_units_only_grows_and_is_exact_at_the_end(order: Order) -> None:
    for line in value_lines(order).values():
        worths = [line.first(units) for units in range(line.quantity + 1)]
        assert worths[0] == Worth()
        assert worths[-1] == line.whole
        for part in PARTS:
            values = [getattr(worth, part) for worth in worths]
            assert values == sorted(values)
            # Any unit is worth what any other of its line is, but for one minor unit.
            steps = [after - before for before, after in pairwise(values)]
            assert max(steps) - min(steps) <= 1


@pytest.mark.parametrize("units", [-1, 4])
def test_only_units_that_the_line_has_are_worth_something(units: int) -> None:
    line = LineWorth(line_id="1", quantity=3, whole=Worth(goods=100))
    with pytest.raises(ValueError, match="line 1"):
        line.first(units)


@given(st.data(), orders())
def test_s19_parcels_add_up_whatever_they_hold_and_in_whatever_order_they_go(
    data: st.DataObject, order: Order
) -> None:
    lines = value_lines(order)
    sent = dict.fromkeys(lines, 0)
    charged = Worth()
    while left := {
        k: line.quantity - sent[k] for k, line in lines.items() if line.quantity > sent[k]
    }:
        parcel = {k: data.draw(st.integers(0, units)) for k, units in left.items()}
        if not any(parcel.values()):
            parcel = left
        charged += worth_of(lines, sent, parcel)
        for line_id, units in parcel.items():
            sent[line_id] += units
    assert charged == _total(lines)


@given(st.data(), orders())
def test_s21_returning_everything_one_unit_at_a_time_gives_back_what_was_paid(
    data: st.DataObject, order: Order
) -> None:
    lines = value_lines(order)
    units = [line_id for line_id, line in lines.items() for _ in range(line.quantity)]
    back = dict.fromkeys(lines, 0)
    refunded = Worth()
    for line_id in data.draw(st.permutations(units)):
        refunded += worth_of(lines, back, {line_id: 1})
        back[line_id] += 1
        assert refunded.total <= order.total_minor
    assert refunded.total == order.total_minor


def test_s20_the_whole_includes_shipping_and_the_tax_on_it() -> None:
    order = an_order(("TEA", 1, "10.00"), ("CUP", 2, "10.00"))
    shipping = order.shipping.model_copy(update={"tax": order.shipping.price / 5})
    lines = value_lines(order.model_copy(update={"shipping": shipping}))
    assert _total(lines) == Worth(goods=3000, shipping=500, shipping_tax=100)
    assert [line.whole.shipping for line in lines.values()] == [167, 333]


def test_goods_that_cost_nothing_share_the_shipping_evenly() -> None:
    lines = value_lines(an_order(("TEA", 1, "0"), ("CUP", 9, "0")))
    assert [line.whole.shipping for line in lines.values()] == [250, 250]


def test_an_order_discount_is_spread_by_what_the_lines_cost() -> None:
    lines = value_lines(an_order(("TEA", 1, "10.00"), ("CUP", 1, "20.00"), discount="1.00"))
    assert [line.whole.goods for line in lines.values()] == [967, 1933]


def test_worth_counts_on_from_what_went_before() -> None:
    whole = Worth(goods=100, tax=100, shipping=100, shipping_tax=100)
    lines = {"1": LineWorth(line_id="1", quantity=3, whole=whole)}
    units = [worth_of(lines, {"1": before}, {"1": 1}) for before in range(3)]
    # The database adds up the same way: rounded down, and the last unit makes up for it.
    for part in PARTS:
        assert [getattr(unit, part) for unit in units] == [33, 33, 34]
