"""When a message is sent again, and what an answer means."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.notifications.retries import (
    ASKED_REST_MAX,
    PAUSES,
    REST,
    REST_MAX,
    Verdict,
    pause_after,
    rest_after,
    verdict,
)


def test_ten_attempts_in_a_little_more_than_three_days() -> None:
    assert len(PAUSES) + 1 == 10
    assert sum(PAUSES, timedelta(0)) == timedelta(hours=75, minutes=35, seconds=5)
    assert [pause_after(n, 0.5) for n in range(1, 10)] == list(PAUSES)
    assert pause_after(10, 0.5) is None


@pytest.mark.parametrize("tries", range(1, 10))
def test_chance_moves_a_pause_by_a_tenth(tries: int) -> None:
    usual = PAUSES[tries - 1]
    assert pause_after(tries, 0) == usual * 0.9
    assert pause_after(tries, 1) == usual * 1.1


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_yes_is_a_yes(status: int) -> None:
    assert verdict(status).delivered


@pytest.mark.parametrize("status", [None, 100, 301, 302, 304, 307, 400, 401, 404, 500, 503])
def test_a_redirect_an_error_and_silence_are_none(status: int | None) -> None:
    said = verdict(status)
    assert said == Verdict(delivered=False)


def test_a_receiver_that_is_busy_gets_its_rest_within_bounds() -> None:
    for status in (429, 502, 504):
        assert verdict(status).rest == REST
        assert verdict(status, timedelta(seconds=90)).rest == timedelta(seconds=90)
        assert verdict(status, timedelta(days=9)).rest == ASKED_REST_MAX
        assert verdict(status, timedelta(0)).rest == REST
    assert verdict(503, timedelta(seconds=90)).rest == timedelta(seconds=90)
    assert verdict(410).gone


def test_a_receiver_that_is_away_rests_longer_and_longer() -> None:
    assert rest_after(2) is None
    assert [rest_after(n) for n in (3, 4, 5)] == [REST, REST * 2, REST * 4]
    assert rest_after(1000) == REST_MAX
