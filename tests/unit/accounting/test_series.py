"""Series of documents: how numbers are written, and that two of them never give the same one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.sellers import Seller
from domain.series import Series, SeriesByKind, may_meet


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("INV-2026", "must hold {number} once, or {number:6} for six digits at least"),
        ("{number}-{number:6}", "must hold {number} once"),
        ("{year}-{year}-{number}", "may hold {year} once"),
        ("INV-{month}-{number}", "may hold {year} and {number} or {number:6}, and not {month}"),
        ("INV-{number:0}", "and not {number:0}"),
        ("INV-{number:13}", "and not {number:13}"),
        ("INV-{number", "and not {"),
        ("", "at least 1 character"),
        (f"{'A' * 60}{{number}}", "at most 60 characters"),
    ],
)
def test_a_format_that_cannot_be_is_refused_with_what_may_be_in_it(text: str, told: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Series(format=text)
    assert told in str(refused.value)


@pytest.mark.parametrize("first", [0, -1, 10**9])
def test_the_first_number_is_one_or_more_and_can_be_counted_on_from(first: int) -> None:
    with pytest.raises(ValidationError):
        Series(format="{number}", first=first)


def test_invoices_and_credit_notes_of_a_seller_cannot_have_the_same_number() -> None:
    same = SeriesByKind(
        invoice=Series(format="{year}-{number:6}"), credit_note=Series(format="{year}-7{number}")
    )
    with pytest.raises(ValidationError, match="could give the same number as the invoices'"):
        Seller(series=same)


PIECES = st.lists(st.sampled_from(["A", "-", "1", "{year}", "20"]), max_size=3)


@st.composite
def formats(draw: st.DrawFn) -> str:
    before, after = "".join(draw(PIECES)), "".join(draw(PIECES))
    text = f"{before}{draw(st.sampled_from(['{number}', '{number:1}', '{number:3}']))}{after}"
    first, _, rest = text.partition("{year}")
    return f"{first}{{year}}{rest.replace('{year}', '')}" if "{year}" in text else text


def written(format: str, year: int, number: int) -> str:
    """As the database writes it; a test there compares the two."""
    text = format.replace("{year}", str(year)).replace("{number:3}", f"{number:03}")
    return text.replace("{number:1}", str(number)).replace("{number}", str(number))


@given(formats(), formats(), st.sampled_from([2026, 2027]), st.integers(1, 30))
def test_two_series_that_may_not_meet_never_give_the_same_number(
    one: str, other: str, year: int, number: int
) -> None:
    if may_meet(Series(format=one).name, Series(format=other).name):
        return
    others = {written(other, y, n) for y in (2026, 2027) for n in range(1, 2100)}
    assert written(one, year, number) not in others
