"""Time zones that can be chosen."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Final
from zoneinfo import available_timezones

_PARTS: Final = (
    *("Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe"),
    *("Indian", "Pacific"),
)


@cache
def time_zones() -> Sequence[str]:
    """UTC and those that are named after a city, such as Europe/Berlin, by their names."""
    cities = {one for one in available_timezones() if one.partition("/")[0] in _PARTS}
    return ["UTC", *sorted(one for one in cities if "/" in one)]


def zone_named(text: str) -> str:
    """The zone meant by a city, such as Berlin. What names none, or several, stays as it is."""
    city = text.strip().replace(" ", "_").casefold()
    found = [one for one in time_zones() if one.casefold().endswith(f"/{city}")] if city else []
    return found[0] if len(found) == 1 else text
