"""The story of a parcel only moves forward, whatever carriers send and in whatever order (S30)."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.fulfilment.tracking import CarrierStatus, end_of, is_moving, overtaken_by

STATUSES: tuple[CarrierStatus, ...] = get_args(CarrierStatus)
CHAPTERS: tuple[set[CarrierStatus], ...] = (
    {"unknown"},
    {"pre_transit"},
    {"in_transit"},
    {"out_for_delivery", "available_for_pickup"},
    {"delivered", "return_to_sender", "failure"},
)
ENDS = CHAPTERS[-1]

reports = st.lists(st.sampled_from(STATUSES), max_size=12)


def chapter(status: CarrierStatus) -> int:
    return next(number for number, statuses in enumerate(CHAPTERS) if status in statuses)


def advance(current: CarrierStatus, reported: CarrierStatus) -> CarrierStatus:
    """The status after one more report, as the database takes it."""
    return reported if current in overtaken_by(reported) else current


def story(reported: list[CarrierStatus]) -> list[CarrierStatus]:
    told: list[CarrierStatus] = ["unknown"]
    for status in reported:
        told.append(advance(told[-1], status))
    return told


@given(reports)
def test_s30_the_story_never_goes_back(reported: list[CarrierStatus]) -> None:
    chapters = [chapter(status) for status in story(reported)]
    assert chapters == sorted(chapters)


@given(reports)
def test_s30_the_first_end_is_the_end(reported: list[CarrierStatus]) -> None:
    ends = [status for status in reported if status in ENDS]
    if ends:
        assert story(reported)[-1] == ends[0]


@given(st.data(), reports)
def test_s30_late_and_mixed_up_reports_come_to_the_same_chapter(
    data: st.DataObject, reported: list[CarrierStatus]
) -> None:
    shuffled = data.draw(st.permutations(reported))
    assert chapter(story(shuffled)[-1]) == chapter(story(reported)[-1])


@given(reports)
def test_s30_the_same_report_twice_is_one_report(reported: list[CarrierStatus]) -> None:
    doubled = [status for status in reported for _ in range(2)]
    assert story(doubled)[-1] == story(reported)[-1]


@given(reports)
def test_s30_an_old_report_that_comes_again_later_changes_nothing_before_the_last_mile(
    reported: list[CarrierStatus],
) -> None:
    told = story(reported)
    for status in reported:
        if chapter(status) < chapter(told[-1]) or chapter(status) in (0, 1, 2):
            assert advance(told[-1], status) == told[-1]


def test_in_the_last_mile_the_newer_report_wins() -> None:
    assert advance("out_for_delivery", "available_for_pickup") == "available_for_pickup"
    assert advance("available_for_pickup", "out_for_delivery") == "out_for_delivery"


@pytest.mark.parametrize("status", STATUSES)
def test_every_status_has_its_place(status: CarrierStatus) -> None:
    assert (end_of(status) is not None) == (status in ENDS)
    assert is_moving(status) == (chapter(status) >= 2)
    assert advance("unknown", status) == status
