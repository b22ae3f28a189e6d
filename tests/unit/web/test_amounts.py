"""Amounts are read as the language of a form writes them, and shown in the same form."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from babel import Locale
from hypothesis import given
from hypothesis import strategies as st

from domain.money import PRICE_PATTERN
from domain.sellers import LANGUAGES
from starter.web.amounts import TwoReadings, amount_read, amount_typed


@pytest.mark.parametrize(
    ("language", "typed", "amount"),
    [
        ("de", "12,50", "12.50"),
        ("de", "1.234,50", "1234.50"),
        ("de", "1234,50", "1234.50"),
        ("de", "1.234.567", "1234567"),
        ("de", "12.50", "12.50"),
        ("de", "0.125", "0.125"),
        ("de", "1234.567", "1234.567"),
        ("de", " 12 ", "12"),
        ("en", "12.50", "12.50"),
        ("en", "1,234.50", "1234.50"),
        ("en", "1,234", "1234"),
        ("en", "1.234", "1.234"),
        ("ko", "30,000", "30000"),
        ("ko", "1,234.50", "1234.50"),
    ],
)
def test_an_amount_is_read_as_the_language_writes_it(
    language: str, typed: str, amount: str
) -> None:
    assert amount_read(typed, Locale.parse(language)) == amount


@pytest.mark.parametrize("typed", ["1.234", "12.500", "123.456"])
def test_what_can_be_read_in_two_ways_is_not_guessed_at(typed: str) -> None:
    with pytest.raises(TwoReadings):
        amount_read(typed, Locale.parse("de"))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "typed",
    ["", "x", "-3", "1e3", "NaN", "1_000", "1,2,3", "1,5,0", "12,5.0", ".", "12,50 €", "\u0663,5"],
)
def test_what_is_no_amount_stays_for_the_document_to_refuse(language: str, typed: str) -> None:
    read = amount_read(typed, Locale.parse(language))
    assert read == typed
    assert re.fullmatch(PRICE_PATTERN, read) is None


@pytest.mark.parametrize("language", LANGUAGES)
@given(units=st.integers(0, 10**14 - 1), decimals=st.integers(0, 6))
def test_what_a_form_shows_is_read_as_the_same_amount(
    language: str, units: int, decimals: int
) -> None:
    locale = Locale.parse(language)
    amount = format(Decimal(units).scaleb(-decimals), "f")
    assert amount_read(amount_typed(amount, locale), locale) == amount
