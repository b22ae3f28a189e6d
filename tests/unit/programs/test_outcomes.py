"""The simulated outside: the same story for the same seed, and every story a possible one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from starter.simulation.outcomes import Fate, SimulateOptions

PARTS = [f"web-{number}:1" for number in range(500)]
UNITS = {"1": 3, "2": 1, "3": 12}
SINCE = datetime(2026, 11, 20, tzinfo=UTC)


def test_the_same_seed_and_part_always_have_the_same_fate() -> None:
    one, again = Fate(SimulateOptions(seed=7)), Fate(SimulateOptions(seed=7))
    for part in PARTS:
        assert one.journey(part) == again.journey(part)
        assert one.due("pick", part, SINCE) == again.due("pick", part, SINCE)
        assert one.found(part, UNITS) == again.found(part, UNITS)
        assert one.came_back(part, UNITS) == again.came_back(part, UNITS)


def test_another_seed_is_another_story() -> None:
    one, other = Fate(SimulateOptions(seed=7)), Fate(SimulateOptions(seed=8))
    assert [one.journey(part) for part in PARTS] != [other.journey(part) for part in PARTS]


@pytest.mark.parametrize("speed", [1.0, 10_000.0])
def test_a_task_takes_half_to_one_and_a_half_times_as_long_divided_by_the_speed(
    speed: float,
) -> None:
    fate = Fate(SimulateOptions(speed=speed, pick_takes=timedelta(minutes=30)))
    took = [(fate.due("pick", part, SINCE) - SINCE).total_seconds() * speed for part in PARTS]
    assert min(took) >= 15 * 60 * 0.99
    assert max(took) <= 45 * 60 * 1.01
    assert max(took) - min(took) > 25 * 60


def test_rates_are_kept() -> None:
    fate = Fate(SimulateOptions(short_pick_rate=0.2, lost_rate=0.1, undeliverable_rate=0.3))
    short = sum(fate.found(part, UNITS) != UNITS for part in PARTS)
    ends = [scan.status for part in PARTS for scan in fate.journey(part)]
    assert 60 <= short <= 140
    assert 25 <= ends.count("failure") <= 75
    assert 100 <= ends.count("return_to_sender") <= 200


def test_with_rates_of_zero_everything_goes_well() -> None:
    calm = SimulateOptions(
        short_pick_rate=0,
        lost_rate=0,
        undeliverable_rate=0,
        repeated_scan_rate=0,
        late_scan_rate=0,
        return_missing_rate=0,
        return_scrap_rate=0,
    )
    fate = Fate(calm)
    for part in PARTS:
        assert fate.found(part, UNITS) == UNITS
        assert {k: c.restocked for k, c in fate.came_back(part, UNITS).items()} == UNITS
        assert [scan.status for scan in fate.journey(part)] == [
            "in_transit",
            "out_for_delivery",
            "delivered",
        ]


def test_with_rates_of_one_everything_goes_wrong_within_what_can_be() -> None:
    wild = SimulateOptions(
        short_pick_rate=1, return_missing_rate=1, return_scrap_rate=1, late_scan_rate=1
    )
    fate = Fate(wild)
    for part in PARTS:
        found = fate.found(part, UNITS)
        assert sum(found.values()) < sum(UNITS.values())
        assert all(0 <= found[line] <= UNITS[line] for line in UNITS)
        came = fate.came_back(part, UNITS)
        assert came.keys() == UNITS.keys()
        assert all(0 <= came[line].received <= UNITS[line] for line in UNITS)
        assert sum(count.scrapped > 0 for count in came.values()) <= 1
        scans = fate.journey(part)
        assert scans[-1].late
        assert scans[-1].status == "in_transit"
        assert scans[-1].after < scans[0].after


def test_a_parcel_ends_once() -> None:
    fate = Fate(SimulateOptions(lost_rate=0.5, undeliverable_rate=0.5))
    for part in PARTS:
        statuses = [scan.status for scan in fate.journey(part)]
        assert sum(status in ("failure", "return_to_sender") for status in statuses) == 1
        assert len({scan.event_id for scan in fate.journey(part)}) == len(statuses)


def test_no_two_parcels_share_an_event() -> None:
    fate = Fate(SimulateOptions())
    events = [scan.event_id for part in PARTS for scan in fate.journey(part)]
    assert len(set(events)) == len(events)


def test_rates_that_leave_no_room_are_refused() -> None:
    with pytest.raises(ValidationError, match="more than 1 together"):
        SimulateOptions(lost_rate=0.6, undeliverable_rate=0.6)
