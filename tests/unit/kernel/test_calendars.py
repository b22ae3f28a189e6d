"""When a parcel leaves, and when it arrives."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.calendars import MONDAY_TO_FRIDAY, WEEKDAYS, Calendar, arrives_on, public_holidays

BERLIN = Calendar(
    time_zone="Europe/Berlin",
    working_days=MONDAY_TO_FRIDAY,
    holidays="DE-BE",
    cut_off=time(14, 0),
    handling_days=1,
)


@pytest.mark.parametrize(
    ("now", "leaves"),
    [
        ("2026-11-23T09:00:00+01:00", "2026-11-24"),  # a Monday morning
        ("2026-11-23T14:00:00+01:00", "2026-11-24"),  # just in time
        ("2026-11-23T14:00:01+01:00", "2026-11-25"),  # too late: as if it came in on Tuesday
        ("2026-11-23T13:30:00+00:00", "2026-11-25"),  # half past two in Berlin
        ("2026-11-20T15:00:00+01:00", "2026-11-24"),  # Friday, too late: Monday, then a day
        ("2026-11-21T09:00:00+01:00", "2026-11-24"),  # a Saturday
        ("2026-12-24T09:00:00+01:00", "2026-12-28"),  # Christmas, on Friday and Saturday
    ],
)
def test_a_parcel_leaves_on_a_working_day_after_its_handling(now: str, leaves: str) -> None:
    assert BERLIN.leaves_on(datetime.fromisoformat(now)).isoformat() == leaves


def test_a_location_without_a_calendar_sends_at_once() -> None:
    sunday_night = datetime(2026, 11, 22, 23, 59, tzinfo=UTC)
    assert Calendar().leaves_on(sunday_night) == date(2026, 11, 22)


def test_what_is_above_the_limit_of_a_day_leaves_later() -> None:
    monday = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    assert BERLIN.leaves_on(monday, backlog_days=3) == date(2026, 11, 27)
    assert BERLIN.leaves_on(monday, backlog_days=4) == date(2026, 11, 30)


@pytest.mark.parametrize(
    ("left", "days", "country", "arrives"),
    [
        ("2026-11-23", 0, "DE", "2026-11-23"),
        ("2026-11-23", 2, "DE", "2026-11-25"),
        ("2026-11-27", 1, "DE", "2026-11-30"),  # over a weekend
        ("2026-11-25", 1, "US", "2026-11-27"),  # over Thanksgiving
        ("2026-11-25", 1, "DE", "2026-11-26"),
        ("2026-11-25", 1, "AQ", "2026-11-26"),  # nobody knows its holidays
    ],
)
def test_a_parcel_arrives_on_a_working_day_of_where_it_goes(
    left: str, days: int, country: str, arrives: str
) -> None:
    assert arrives_on(date.fromisoformat(left), days, country).isoformat() == arrives


@given(
    st.integers(1_700_000_000, 1_900_000_000).map(lambda s: datetime.fromtimestamp(s, UTC)),
    st.sets(st.sampled_from(WEEKDAYS), min_size=1),
    st.sampled_from([None, "DE", "US-CA", "KR"]),
    st.integers(0, 5),
)
def test_nothing_leaves_on_a_day_of_rest_or_before_it_was_asked_for(
    now: datetime, days: set[Any], holidays: str | None, handling: int
) -> None:
    calendar = Calendar(working_days=tuple(days), holidays=holidays, handling_days=handling)
    leaves = calendar.leaves_on(now)
    assert (leaves - now.date()).days >= handling
    assert WEEKDAYS[leaves.weekday()] in days
    assert holidays is None or leaves not in public_holidays(holidays)


@pytest.mark.parametrize(
    ("content", "field", "reason"),
    [
        ({"working_days": []}, "working_days", "must name at least one day"),
        ({"working_days": ["mon", "mon"]}, "working_days", "must name each day once"),
        ({"working_days": ["monday"]}, "working_days", "Input should be 'mon', 'tue'"),
        ({"time_zone": "Berlin"}, "time_zone", "must be an IANA time zone"),
        ({"time_zone": "../etc/passwd"}, "time_zone", "must be an IANA time zone"),
        ({"holidays": "XX"}, "holidays", "must be a country"),
        ({"holidays": "DE-ZZ"}, "holidays", "must be a country, and a part of it"),
        ({"cut_off": "25:00"}, "cut_off", "valid time"),
        ({"handling_days": -1}, "handling_days", "greater than or equal to 0"),
        ({"handling_days": 1.5}, "handling_days", "valid integer"),
        ({"open": True}, "open", "Extra inputs are not permitted"),
    ],
)
def test_a_calendar_that_cannot_be_is_refused(
    content: dict[str, Any], field: str, reason: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        Calendar.model_validate(content)
    (fault,) = caught.value.errors()
    assert fault["loc"][0] == field
    assert reason in fault["msg"]


@pytest.mark.parametrize(
    ("since", "until", "days"),
    [
        ("2026-11-26", "2026-11-26", 0),
        ("2026-11-27", "2026-11-26", 0),
        ("2026-11-26", "2026-11-30", 2),  # a Thursday; the Friday and the Monday count
        ("2026-12-24", "2026-12-28", 1),  # Christmas, and a weekend
    ],
)
def test_lateness_is_counted_in_working_days(since: str, until: str, days: int) -> None:
    between = BERLIN.working_days_between(date.fromisoformat(since), date.fromisoformat(until))
    assert between == days
