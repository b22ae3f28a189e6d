"""When an order was placed: at a moment, or on a day where its channel knows no more."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, tzinfo
from typing import Annotated, Any, Final

from pydantic import PlainSerializer, PlainValidator, TypeAdapter, ValidationError, WithJsonSchema

from domain.faults import faults
from domain.fields import Day, Instant, wrong

_INSTANT: Final[TypeAdapter[datetime]] = TypeAdapter(Instant)
_DAY: Final[TypeAdapter[date]] = TypeAdapter(Day)


def _moment_or_day(value: Any) -> date:
    is_day = isinstance(value, date) and not isinstance(value, datetime)
    if isinstance(value, str):
        is_day = re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value) is not None
    try:
        return _DAY.validate_python(value) if is_day else _INSTANT.validate_python(value)
    except ValidationError as error:
        raise wrong(faults(error)[0][2]) from None


PlacedAt = Annotated[
    date,  # which a datetime is, too
    PlainValidator(_moment_or_day),
    PlainSerializer(lambda placed: placed.isoformat(), return_type=str, when_used="json"),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "format": "date-time"},
                {"type": "string", "format": "date"},
            ],
        }
    ),
]


def day_in(placed_at: date, zone: tzinfo) -> date:
    """The day on which it was placed: by a calendar, or as it was told."""
    if isinstance(placed_at, datetime):
        return placed_at.astimezone(zone).date()
    return placed_at


def moment_of(placed_at: date) -> datetime:
    """A moment to sort by: that at which it was placed, or the beginning of its day in UTC."""
    if isinstance(placed_at, datetime):
        return placed_at
    return datetime.combine(placed_at, time(), UTC)
