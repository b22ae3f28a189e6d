"""How counts, lists and lengths of time are told."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.words import count_of, few, span


@pytest.mark.parametrize(
    ("length", "said"),
    [
        (timedelta(days=1), "1 day"),
        (timedelta(days=30), "30 days"),
        (timedelta(seconds=1), "1 second"),
        (timedelta(minutes=30), "30 minutes"),
        (timedelta(hours=1, minutes=30), "1 hour and 30 minutes"),
        (timedelta(days=1, hours=2, seconds=5), "1 day, 2 hours and 5 seconds"),
        (timedelta(seconds=1.5), "1 second"),
        (timedelta(milliseconds=200), "0.2 seconds"),
        (timedelta(0), "0 seconds"),
    ],
)
def test_a_length_of_time_is_said_as_people_say_it(length: timedelta, said: str) -> None:
    assert span(length) == said


def test_of_a_long_list_the_first_few_are_told_and_how_many_more_there_are() -> None:
    assert few([], "line") == ""
    assert few("abcde", "line") == "a, b, c, d, e"
    assert few("abcdef", "line") == "a, b, c, d, e and 1 more line"
    assert few(map(str, range(500)), "line") == "0, 1, 2, 3, 4 and 495 more lines"


def test_one_thing_is_not_told_as_many() -> None:
    assert [count_of(number, "entry") for number in (0, 1, 2000)] == [
        *("0 entries", "1 entry", "2,000 entries"),
    ]
