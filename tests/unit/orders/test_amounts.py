"""What units are worth: whatever the order of events, nothing is gained and nothing lost."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.money import to_minor
from domain.orders.amounts import (
    NOTHING,
    LineWorth,
    Tally,
    Worth,
    spread,
    sum_of,
    value_lines,
    worth_of,
)
from domain.orders.order import Order
from tests.support.builders import a_document, an_order, shipping
from tests.support.strategies import orders

PARTS = ("goods", "tax", "shipping", "shipping_tax")


def _total(lines: dict[str, LineWorth]) -> Worth:
    return sum_of(line.whole for line in lines.values())


@given(orders())
def test_the_lines_are_worth_the_order_to_the_minor_unit(order: Order) -> None:
    whole = _total(value_lines(order))
    assert whole.total == order.total_minor
    prices = order.prices
    beside = (prices.shipping, *prices.fees)
    assert whole.shipping == sum(part.net for part in beside)
    assert whole.shipping_tax == sum(part.tax for part in beside)
    for fee, price in zip(order.fees, prices.fees, strict=True):
        paid = price.total if order.prices_include_tax else price.net
        assert paid == to_minor(fee.amount, order.currency)
    assert whole.tax == sum(line.tax for line in prices.lines)
    for line, price in zip(order.lines, prices.lines, strict=True):
        if line.tax is not None:
            assert price.tax == to_minor(line.tax, order.currency)
        paid = price.total if order.prices_include_tax else price.net
        assert paid == price.listed - price.discount
    assert sum(prices.roundings) == to_minor(order.rounding, order.currency)


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
            # Any unit is worth what any other of its line is, but for one minor unit; where the
            # price includes tax, that holds for the price, and the tax may differ by one more.
            steps = [after - before for before, after in pairwise(values)]
            assert max(steps) - min(steps) <= 1 + line.includes_tax
        if line.includes_tax:
            values = [worth.goods + worth.tax for worth in worths]
            steps = [after - before for before, after in pairwise(values)]
            assert max(steps) - min(steps) <= 1


@given(orders(), st.data())
def test_no_units_of_a_line_are_worth_more_than_the_most_that_is_said(
    order: Order, data: st.DataObject
) -> None:
    for line in value_lines(order).values():
        before = data.draw(st.integers(0, line.quantity))
        units = data.draw(st.integers(0, line.quantity - before))
        worth = line.first(before + units) - line.first(before)
        assert worth.total <= line.most(units).total <= worth.total + 4


def test_three_at_ten_with_tax_in_them_are_ten_each_whichever_go_first() -> None:
    document = a_document(("TEA", 3, "10.00"), currency="EUR", prices_include_tax=True)
    document["lines"][0]["tax_rate"] = "19"
    document["shipping"] = shipping("0")
    order = Order.model_validate(document)
    (line,) = value_lines(order).values()
    assert [line.first(units).total for units in range(4)] == [0, 1000, 2000, 3000]
    assert line.whole == Worth(goods=2521, tax=479)


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
    tallies = dict.fromkeys(lines, Tally())
    charged = Worth()
    while left := {
        k: line.quantity - sent[k] for k, line in lines.items() if line.quantity > sent[k]
    }:
        parcel = {k: data.draw(st.integers(0, units)) for k, units in left.items()}
        if not any(parcel.values()):
            parcel = left
        for line_id, units in parcel.items():
            sent[line_id] += units
            due = tallies[line_id].due(lines[line_id], sent[line_id], lines[line_id].whole)
            tallies[line_id] = tallies[line_id].take(due)
            charged += due
        assert charged == worth_of(lines, sent)
    assert charged == _total(lines)


@given(st.data(), orders())
def test_s21_returning_everything_one_unit_at_a_time_gives_back_what_was_paid(
    data: st.DataObject, order: Order
) -> None:
    lines = value_lines(order)
    units = [line_id for line_id, line in lines.items() for _ in range(line.quantity)]
    kept = {line_id: line.quantity for line_id, line in lines.items()}
    tallies = {line_id: Tally(taken=line.whole) for line_id, line in lines.items()}
    refunded = Worth()
    for line_id in data.draw(st.permutations(units)):
        kept[line_id] -= 1
        owed = tallies[line_id].owed(lines[line_id], kept[line_id])
        tallies[line_id] = tallies[line_id].give(owed)
        refunded += owed
        assert _total(lines) - refunded == worth_of(lines, kept)
    assert refunded == _total(lines)


@given(st.data(), orders(lines_max=1))
def test_whatever_goes_out_and_comes_back_what_is_kept_is_the_worth_of_the_first_units(
    data: st.DataObject, order: Order
) -> None:
    (line,) = value_lines(order).values()
    tally, kept, charged = Tally(), 0, 0
    for _ in range(data.draw(st.integers(1, 12))):
        if kept and data.draw(st.booleans(), label="come back"):
            kept -= data.draw(st.integers(1, kept))
            tally = tally.give(tally.owed(line, kept))
        else:
            more = data.draw(st.integers(0, line.quantity - charged))
            kept, charged = kept + more, charged + more
            tally = tally.take(tally.due(line, kept, line.whole))
        for part in PARTS:
            claimed, worth, whole = (
                getattr(it, part) for it in (tally.kept, line.first(kept), line.whole)
            )
            assert getattr(tally.taken, part) <= whole
            # Short of it by the limit alone: what was given back is not claimed a second time.
            assert claimed == worth or (claimed < worth and getattr(tally.taken, part) == whole)
    tally = tally.give(tally.owed(line, 0))
    assert tally.kept == NOTHING


def test_refunds_give_back_the_worth_of_the_last_units_first() -> None:
    line = LineWorth(line_id="1", quantity=3, whole=Worth(goods=100))
    tally = Tally(taken=line.whole)
    back = []
    for kept in (2, 1, 0):
        back.append(tally.owed(line, kept).goods)
        tally = tally.give(tally.owed(line, kept))
    assert back == [34, 33, 33]


def test_a_limit_holds_the_claim_for_the_unit_that_follows_one_that_was_paid_back() -> None:
    line = LineWorth(line_id="1", quantity=3, whole=Worth(goods=100))
    tally = Tally(taken=Worth(goods=66)).give(Worth(goods=33))  # two went, one came back
    assert tally.due(line, 2, line.whole) == Worth(goods=33)
    assert tally.due(line, 2, Worth(goods=66)) == NOTHING
    assert tally.due(line, 2, Worth(goods=90)) == Worth(goods=24)


@given(st.integers(0, 10_000), st.tuples(*[st.integers(0, 3_000)] * 4))
def test_a_part_of_an_amount_adds_up_and_is_within_it(
    amount: int, parts: tuple[int, int, int, int]
) -> None:
    whole = Worth(**dict(zip(PARTS, parts, strict=True)))
    amount = min(amount, whole.total)
    part = whole.part(amount)
    assert part.total == amount
    assert all(0 <= getattr(part, name) <= getattr(whole, name) for name in PARTS)


@given(
    st.dictionaries(st.sampled_from("abcd"), st.integers(0, 100)),
    st.lists(st.integers(0, 150), max_size=3),
)
def test_payers_pay_each_up_to_their_limit_and_the_last_one_the_rest(
    parts: dict[str, int], limits: list[int]
) -> None:
    shares = spread(parts, [*limits, None])
    for part, amount in parts.items():
        assert sum(share.get(part, 0) for share in shares) == amount
    left = sum(parts.values())
    for limit, share in zip(limits, shares, strict=False):
        assert sum(share.values()) == min(limit, left)
        left -= min(limit, left)
    assert all(amount > 0 for share in shares for amount in share.values())


def test_s20_the_whole_includes_shipping_and_the_tax_on_it() -> None:
    order = an_order(("TEA", 1, "10.00"), ("CUP", 2, "10.00"), shipping=shipping("5.00", "1.00"))
    lines = value_lines(order)
    assert _total(lines) == Worth(goods=3000, shipping=500, shipping_tax=100)
    assert [line.whole.shipping for line in lines.values()] == [167, 333]


def test_goods_that_cost_nothing_share_the_shipping_evenly() -> None:
    lines = value_lines(an_order(("TEA", 1, "0"), ("CUP", 9, "0")))
    assert [line.whole.shipping for line in lines.values()] == [250, 250]


@pytest.mark.parametrize(
    ("included", "goods", "tax"),
    [(False, 1800, 342), (True, 1513, 287)],  # 19 % on 18.00, and in 18.00
)
def test_a_discount_lowers_the_tax_that_is_computed_and_leaves_one_that_is_given(
    included: bool, goods: int, tax: int
) -> None:
    document = a_document(
        ("TEA", 2, "10.00"), discount="2.00", prices_include_tax=included, shipping=shipping("0")
    )
    document["lines"][0]["tax_rate"] = "19"
    (line,) = value_lines(Order.model_validate(document)).values()
    assert (line.whole.goods, line.whole.tax) == (goods, tax)
    document["lines"][0]["tax"] = "3.19" if included else "3.80"
    (line,) = value_lines(Order.model_validate(document)).values()
    assert line.whole.tax == (319 if included else 380)
    assert line.whole.total == (1800 if included else 2180)


def test_an_order_discount_is_spread_by_what_the_lines_cost() -> None:
    lines = value_lines(an_order(("TEA", 1, "10.00"), ("CUP", 1, "20.00"), discount="1.00"))
    assert [line.whole.goods for line in lines.values()] == [967, 1933]


def test_worth_counts_on_from_what_went_before() -> None:
    whole = Worth(goods=100, tax=100, shipping=100, shipping_tax=100)
    lines = {"1": LineWorth(line_id="1", quantity=3, whole=whole)}
    upto = [worth_of(lines, {"1": units}) for units in range(4)]
    units = [after - before for before, after in pairwise(upto)]
    # The database adds up the same way: rounded down, and the last unit makes up for it.
    for part in PARTS:
        assert [getattr(unit, part) for unit in units] == [33, 33, 34]
