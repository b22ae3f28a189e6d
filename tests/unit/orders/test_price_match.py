"""A lower price is met: what is paid back, and what units that come back later count for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from domain.errors import InvalidInput, Refused
from domain.orders.amounts import LineWorth, Worth
from domain.orders.charges import Charges
from domain.orders.price_match import Listed, matched, owed_for_match
from domain.orders.price_match_messages import PriceMatchRequest
from domain.orders.quantities import LineQuantities

NOW = datetime(2026, 3, 1, tzinfo=UTC)
LISTED = Listed(
    unit_price=Decimal("10.00"), placed_at=NOW, within=timedelta(days=14), percent_max=30
)


def delivered(
    units: int = 3, *, goods: int = 30_00, tax: int = 5_70, includes_tax: bool = False
) -> Charges:
    """A line of which all units are charged, invoiced and delivered."""
    line = LineQuantities(ordered=units, shipped=units, delivered=units)
    whole = Worth(goods=goods, tax=tax, shipping=4_00)
    worth = LineWorth(line_id="1", quantity=units, whole=whole, includes_tax=includes_tax)
    charges = Charges({"1": line}, {"1": worth})
    charges.left({"1": units})
    return charges


def ask(price: str, line_id: str = "1") -> PriceMatchRequest:
    return PriceMatchRequest.model_validate(
        {"line_id": line_id, "unit_price": price, "evidence": "seen elsewhere"}
    )


def back(charges: Charges, price: str, *, listed: Listed = LISTED, now: datetime = NOW) -> Worth:
    owed = owed_for_match(charges, "EUR", listed, ask(price), now)
    assert owed.worth == owed.credited, "all of it was invoiced"
    return owed.worth


def test_the_difference_goes_back_with_its_tax_and_a_second_lower_price_only_the_rest() -> None:
    charges = delivered()
    assert back(charges, "9.00") == Worth(goods=3_00, tax=57)
    assert back(charges, "8.00") == Worth(goods=3_00, tax=57)
    with pytest.raises(Refused) as refused:
        back(charges, "8.50")
    assert refused.value.reason == "price_not_lower"


def test_where_prices_include_tax_the_tax_is_a_part_of_the_difference() -> None:
    assert back(delivered(goods=25_21, tax=4_79, includes_tax=True), "9.00") == Worth(
        goods=2_52, tax=48
    )


def test_a_tax_of_more_than_the_price_falls_with_it() -> None:
    odd = Listed.model_copy(LISTED, update={"unit_price": Decimal("0.10")})
    assert back(delivered(goods=30, tax=3_00), "0.09", listed=odd) == Worth(goods=3, tax=30)


def test_a_unit_that_came_back_before_is_not_matched_and_one_after_counts_for_less() -> None:
    charges = delivered()
    lines = charges._lines  # the counts that the caller moves
    assert isinstance(lines, dict)
    lines["1"] = LineQuantities(ordered=3, shipped=3, delivered=3, returned=1)
    first = charges.returned({"1": 1}).worth
    assert (first.goods, first.tax) == (10_00, 1_90)
    assert back(charges, "9.00") == Worth(goods=2_00, tax=38)
    lines["1"] = LineQuantities(ordered=3, shipped=3, delivered=3, returned=3)
    rest = charges.returned({"1": 2}).worth
    assert (rest.goods, rest.tax) == (18_00, 3_42)
    assert charges.refundable.total == 0


@pytest.mark.parametrize(
    ("price", "days", "reason"),
    [
        ("9.00", 15, "price_match_window_over"),
        ("6.99", 1, "price_match_limit"),
        ("10.00", 1, "price_not_lower"),
        ("12.00", 1, "price_not_lower"),
    ],
)
def test_a_rule_says_no_and_changes_nothing(price: str, days: int, reason: str) -> None:
    charges = delivered()
    with pytest.raises(Refused) as refused:
        back(charges, price, now=NOW + timedelta(days=days))
    assert refused.value.reason == reason
    assert (charges.refunded.total, charges.worth["1"].whole.goods) == (0, 30_00)


def test_what_is_not_charged_is_not_paid_back() -> None:
    worth = LineWorth(line_id="1", quantity=3, whole=Worth(goods=30_00))
    charges = Charges({"1": LineQuantities(ordered=3)}, {"1": worth})
    with pytest.raises(Refused) as refused:
        back(charges, "9.00")
    assert refused.value.reason == "nothing_to_pay_back"
    assert charges.worth["1"] == worth
    with pytest.raises(InvalidInput, match="no line 2"):
        owed_for_match(charges, "EUR", LISTED, ask("9.00", "2"), NOW)


@given(
    st.integers(1, 12),
    st.integers(0, 10**6),
    st.integers(0, 300),
    st.booleans(),
    st.lists(st.integers(1, 10**5), max_size=4),
    st.lists(st.integers(1, 12), max_size=12),
    st.data(),
)
def test_all_units_come_back_in_parts_and_exactly_what_was_paid_has_gone_back(
    units: int,
    unit_cents: int,
    percent: int,
    includes_tax: bool,
    lower: list[int],
    parts: list[int],
    data: st.DataObject,
) -> None:
    goods = unit_cents * units
    charges = delivered(units, goods=goods, tax=goods * percent // 100, includes_tax=includes_tax)
    paid, returned = charges.charged.total, 0
    lines = charges._lines  # the counts that the caller moves
    assert isinstance(lines, dict)
    events = data.draw(
        st.permutations([*(("match", n) for n in lower), *(("return", n) for n in parts)])
    )
    for kind, number in [*events, ("return", units)]:
        if kind == "return":
            count = min(number, units - returned)
            if not count:
                continue
            returned += count
            lines["1"] = LineQuantities(
                ordered=units, shipped=units, delivered=units, returned=returned
            )
            charges.returned({"1": count})
        else:
            old = Decimal(unit_cents) / 100
            new, before = Decimal(number) / 100, charges.money["1"].reduced
            whole = matched(charges.worth["1"], before, old, new, "EUR")
            if whole is not None:
                charges.reduce("1", whole)
        kept = units - returned
        assert charges.refundable == charges.worth["1"].first(kept)
    assume(returned == units)
    assert charges.refunded.total == paid
