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
