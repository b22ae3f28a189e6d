"""Amounts in minor units, and the one way to split them."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidInput
from domain.money import Money, decimals, limit_minor, split, to_decimal, to_minor
from tests.support.strategies import CURRENCIES

WEIGHTS = st.lists(st.integers(0, 10**9), min_size=1, max_size=12)
AMOUNTS = st.integers(-(10**12), 10**12)


@pytest.mark.parametrize(("currency", "places"), [("JPY", 0), ("USD", 2), ("KWD", 3), ("CLF", 4)])
def test_a_currency_has_its_own_number_of_decimals(currency: str, places: int) -> None:
    assert decimals(currency) == places


@pytest.mark.parametrize("code", ["", "usd", "USD ", "US", "US Dollar", "840", "XXX", "XAU", "ZZZ"])
def test_a_code_that_is_no_spendable_currency_is_refused(code: str) -> None:
    with pytest.raises(InvalidInput, match="ISO 4217"):
        decimals(code)


def test_s17_500_yen_are_500_and_dinars_have_three_decimals() -> None:
    assert to_minor("500", "JPY") == 500
    assert to_minor("1.234", "KWD") == 1234
    assert str(Money(minor=500, currency="JPY")) == "500 JPY"
    assert str(Money(minor=1234, currency="KWD")) == "1.234 KWD"
    assert str(Money(minor=-5, currency="USD")) == "-0.05 USD"


@given(st.integers(-(10**18), 10**18), st.sampled_from(CURRENCIES))
def test_minor_units_and_decimals_are_two_ways_to_write_the_same(minor: int, currency: str) -> None:
    written = to_decimal(minor, currency)
    assert to_minor(written, currency) == minor
    assert -written.as_tuple().exponent == decimals(currency)  # type: ignore[operator]  # finite


@pytest.mark.parametrize(
    ("amount", "currency"),
    [("12.345", "USD"), ("0.5", "JPY"), ("1.2345", "KWD"), (Decimal("1E-7"), "USD")],
)
def test_more_decimals_than_the_currency_has_are_refused(
    amount: Decimal | str, currency: str
) -> None:
    with pytest.raises(InvalidInput, match="more decimals"):
        to_minor(amount, currency)


def test_zeros_at_the_end_are_no_decimals() -> None:
    assert to_minor("12.5000", "USD") == 1250
    assert to_minor("500.00", "JPY") == 500


@pytest.mark.parametrize(
    "amount",
    [
        *("", "abc", "12,50", " 12.50", "12.50\n", "+1", "1e3", "1_000", ".5", "5.", "٣", "1" * 15),
        *("NaN", "sNaN", "Infinity", "-Infinity"),
        *(Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity")),
        # Taken as they stand, these would be numbers with a million digits.
        *(Decimal("1E+900000"), Decimal("1E+1000000"), Decimal("1E+999999999"), "1e999999999"),
    ],
)
def test_what_is_no_amount_is_refused(amount: Decimal | str) -> None:
    with pytest.raises(InvalidInput, match="not an amount"):
        to_minor(amount, "USD")


def test_an_amount_is_never_rounded() -> None:
    long = Decimal("1234567890123456789012345678901.23")  # more digits than Decimal keeps by itself
    assert to_minor(long, "USD") == 123456789012345678901234567890123
    with pytest.raises(InvalidInput):
        to_minor(Decimal("0." + "1" * 60), "USD")


@given(st.integers(0, 10**6), st.sampled_from(["JPY", "EUR", "KWD"]), st.integers(0, 9999))
def test_a_limit_that_is_finer_than_its_currency_is_never_passed(
    minor: int, currency: str, finer: int
) -> None:
    limit = Decimal(f"{minor // 100}.{finer:04}")
    most = limit_minor(limit, currency)
    assert to_decimal(most, currency) <= limit < to_decimal(most + 1, currency)


def test_amounts_of_different_currencies_do_not_add_up() -> None:
    dollars, yen = Money(minor=100, currency="USD"), Money(minor=100, currency="JPY")
    assert dollars + dollars - dollars == dollars
    with pytest.raises(InvalidInput, match="USD with JPY"):
        dollars + yen
    with pytest.raises(InvalidInput, match="USD with JPY"):
        dollars - yen


@given(AMOUNTS, WEIGHTS)
def test_parts_add_up_to_the_amount(amount: int, weights: list[int]) -> None:
    assert sum(split(amount, weights)) == amount


@given(AMOUNTS, WEIGHTS)
def test_each_part_is_within_one_unit_of_its_exact_share(amount: int, weights: list[int]) -> None:
    total = sum(weights)
    for part, weight in zip(split(amount, weights), weights, strict=True):
        share = Fraction(amount * weight, total) if total else Fraction(amount, len(weights))
        assert abs(part - share) < 1


@given(AMOUNTS, WEIGHTS)
def test_equal_weights_differ_by_one_unit_at_most_and_the_earlier_gets_it(
    amount: int, weights: list[int]
) -> None:
    parts = split(amount, weights)
    for i, weight in enumerate(weights):
        for j in range(i + 1, len(weights)):
            if weight == weights[j]:
                assert 0 <= parts[i] - parts[j] <= 1


@given(st.integers(0, 10**12), WEIGHTS)
def test_no_part_is_more_than_its_weight_when_the_amount_is_not(
    amount: int, weights: list[int]
) -> None:
    discount = min(amount, sum(weights))
    if sum(weights):
        for part, weight in zip(split(discount, weights), weights, strict=True):
            assert 0 <= part <= weight


def test_what_weighs_nothing_gets_nothing_unless_all_do() -> None:
    assert split(10, [0, 3, 0]) == [0, 10, 0]
    assert split(10, [0, 0, 0]) == [4, 3, 3]


def test_an_amount_is_not_split_over_nothing() -> None:
    assert split(0, []) == []
    with pytest.raises(ValueError, match="over nothing"):
        split(1, [])
    with pytest.raises(ValueError, match="negative"):
        split(1, [2, -1])
