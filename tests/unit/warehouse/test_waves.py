"""Which parcels are picked together."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from domain.warehouse.waves import Candidate, together

PLACES = {"TEA": ("A-1",), "POT": ("A-1", "Z-9"), "CUP": ("B-2",)}
MONDAY, TUESDAY = date(2026, 11, 30), date(2026, 12, 1)


def parcel(name: str, *skus: str, day: date | None = MONDAY, is_due: bool = False) -> Candidate:
    return Candidate(name, skus, day, is_due)


def test_a_wave_is_of_parcels_that_share_items_and_then_places() -> None:
    found = [
        *(parcel("first", "TEA"), parcel("far", "CUP"), parcel("near", "POT")),
        *(parcel("both", "TEA", "CUP"), parcel("same", "TEA")),
    ]
    assert together(found, PLACES, 3) == ["first", "same", "near"]
    assert together(found, PLACES, 9) == ["first", "same", "near", "both", "far"]


def test_what_must_leave_goes_before_what_is_near() -> None:
    found = [
        *(parcel("late", "CUP", is_due=True), parcel("today", "TEA", is_due=True)),
        *(parcel("tomorrow", "CUP", day=TUESDAY), parcel("once", "CUP", day=None)),
    ]
    assert together(found, PLACES, 2) == ["late", "today"]
    assert together(found, PLACES, 4) == ["late", "today", "tomorrow", "once"]


def test_two_items_without_a_place_are_two_ways() -> None:
    found = [parcel("first", "PEN"), parcel("ink", "INK"), parcel("again", "PEN")]
    assert together(found, {}, 2) == ["first", "again"]


@given(
    st.lists(st.sets(st.sampled_from((*PLACES, "PEN")), min_size=1), max_size=12),
    st.integers(1, 15),
)
def test_the_most_urgent_is_in_it_and_none_is_twice(skus: list[set[str]], at_most: int) -> None:
    found = [parcel(str(n), *sorted(of_it)) for n, of_it in enumerate(skus)]
    chosen = together(found, PLACES, at_most)
    assert len(chosen) == len(set(chosen)) == min(at_most, len(found))
    assert chosen[:1] == (["0"] if found else [])
