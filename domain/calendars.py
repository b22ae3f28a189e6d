"""Working days: when a location sends, and when a carrier delivers.

Public holidays come from the `holidays` library, which follows the law of each country, so
Orderloom keeps no table of them.
"""

from __future__ import annotations

from collections.abc import Container
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import holidays as law
from pydantic import AfterValidator, Field, ValidationInfo

from domain.fields import Document, wrong
from domain.stored import is_stored

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

WEEKDAYS: Final[tuple[Weekday, ...]] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MONDAY_TO_FRIDAY: Final = WEEKDAYS[:5]
_DAYS_MAX: Final = 3650


def _known_zone(name: str, info: ValidationInfo) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        if not is_stored(info):
            raise wrong("must be an IANA time zone such as Europe/Berlin") from None
    return name


def _known_holidays(name: str, info: ValidationInfo) -> str:
    if is_stored(info):
        return name
    try:
        public_holidays(name)
    except NotImplementedError:
        raise wrong(
            "must be a country, and a part of it where that has holidays of its own, "
            "such as DE or DE-BE"
        ) from None
    return name


def _some_day(days: tuple[Weekday, ...]) -> tuple[Weekday, ...]:
    if not days:
        raise wrong("must name at least one day: a location that never works sends nothing")
    if len(set(days)) < len(days):
        raise wrong("must name each day once")
    return tuple(sorted(days, key=WEEKDAYS.index))


TimeZone = Annotated[str, AfterValidator(_known_zone)]
Holidays = Annotated[str, AfterValidator(_known_holidays)]


class Calendar(Document):
    """The working hours and days of a location."""

    time_zone: TimeZone = "UTC"
    working_days: Annotated[
        tuple[Weekday, ...], Field(json_schema_extra={"minItems": 1}), AfterValidator(_some_day)
    ] = WEEKDAYS
    holidays: Holidays | None = None
    """The country (or a part of it) whose public holidays are kept: DE, DE-BE. Left out: none."""
    cut_off: time | None = None
    """Orders after this local time count for the next working day. Left out: no limit."""
    handling_days: Annotated[int, Field(strict=True, ge=0, le=365)] = 0
    """Working days from intake to hand-over: 0 is the same day."""

    def leaves_on(self, now: datetime, *, backlog_days: int = 0) -> date:
        """The day on which a parcel that is ordered now leaves. `now` has a time zone."""
        local = now.astimezone(self._zone)
        late = self.cut_off is not None and local.time() > self.cut_off
        begun = self.first_working_day(local.date() + timedelta(days=late))
        return _later(begun, self.handling_days + backlog_days, self.working_days, self.holidays)

    def today(self, now: datetime) -> date:
        """The location's own date."""
        return now.astimezone(self._zone).date()

    def first_working_day(self, day: date) -> date:
        """This day, or the first one after it on which the location works."""
        return _first(day, self.working_days, self.holidays)

    def working_days_between(self, since: date, until: date) -> int:
        """The working days after `since`, up to and with `until`; of ten years at most."""
        days = min((until - since).days, _DAYS_MAX)
        return sum(
            _works(since + timedelta(days=n), self.working_days, self.holidays)
            for n in range(1, days + 1)
        )

    @property
    def _zone(self) -> tzinfo:
        try:
            return ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            return UTC  # It was in the list when it was written. An order must not wait for it.


def arrives_on(left: date, transit_days: int, country: str) -> date:
    """The day on which a carrier delivers, that many of its working days after `left`.

    Carriers deliver from Monday to Friday, except on the country's holidays. A country whose
    holidays are not known has none.
    """
    return _later(left, transit_days, MONDAY_TO_FRIDAY, country)


def load_holidays() -> None:
    """Load the laws of all countries, which the library does when it is first asked for one.

    That takes a third of a second, and several on a busy machine. Whoever answers many, or holds
    what others wait for, does it before.
    """
    public_holidays("DE")


@lru_cache(maxsize=256)
def public_holidays(name: str) -> Container[date]:
    """The public holidays of a country or of a part of it.

    Raises NotImplementedError, as the library does, for a country that the library does not know.
    """
    country, _, part = name.partition("-")
    return law.country_holidays(country, subdiv=part or None)


def _works(day: date, working_days: tuple[Weekday, ...], holidays: str | None) -> bool:
    if WEEKDAYS[day.weekday()] not in working_days:
        return False
    if holidays is None:
        return True
    try:
        return day not in public_holidays(holidays)
    except NotImplementedError:
        return True  # Nobody knows its holidays, or does not any more.


def _first(day: date, working_days: tuple[Weekday, ...], holidays: str | None) -> date:
    """This day, or the first working day after it."""
    while not _works(day, working_days, holidays):
        day += timedelta(days=1)
    return day


def _later(day: date, days: int, working_days: tuple[Weekday, ...], holidays: str | None) -> date:
    """The day that many working days later."""
    for _ in range(days):
        day = _first(day + timedelta(days=1), working_days, holidays)
    return day
