"""A file of many orders goes as fast as others do not notice."""

from __future__ import annotations

import asyncio

from starter.cli.orders.pace import REMEMBERED, Pace


def test_answers_that_come_quickly_make_room_up_to_the_most() -> None:
    pace = Pace(8)
    limits = []
    for _ in range(60):
        pace.took(0.05)
        limits.append(pace.limit)
    assert limits == sorted(limits)
    assert limits[0] == 2
    assert limits[-1] == 8


def test_answers_that_take_longer_take_the_room_back_down_to_one() -> None:
    pace = Pace(8)
    for _ in range(60):
        pace.took(0.05)
    pace.took(0.2)
    assert pace.limit == 4
    for _ in range(5):
        pace.took(0.2)
    assert pace.limit == 1


def test_what_was_quick_long_ago_is_forgotten() -> None:
    pace = Pace(8)
    pace.took(0.001)
    for _ in range(REMEMBERED - 1):
        pace.took(0.2)
    assert pace.limit == 1
    for _ in range(30):
        pace.took(0.2)
    assert pace.limit > 5


def test_one_at_a_time_stays_one_at_a_time() -> None:
    pace = Pace(1)
    for _ in range(10):
        pace.took(0.05)
    assert pace.limit == 1


async def test_no_more_have_a_turn_than_there_is_room_for_and_a_failed_turn_is_given_back() -> None:
    pace = Pace(5)
    at_once, most = 0, 0

    async def one(number: int) -> None:
        nonlocal at_once, most
        async with pace.turn():
            at_once += 1
            assert at_once <= 5
            most = max(most, at_once)
            await asyncio.sleep(0.01)
            at_once -= 1
            if number % 2:
                raise ValueError

    done = await asyncio.wait_for(
        asyncio.gather(*(one(number) for number in range(40)), return_exceptions=True), 20
    )
    assert sum(isinstance(item, ValueError) for item in done) == 20
    assert 2 <= most <= 5
