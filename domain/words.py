"""How counts, lists and lengths of time are told to people."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from functools import lru_cache
from itertools import islice
from typing import Final

_LISTED_MAX: Final = 5
_ENDINGS: Final = {1: "st", 2: "nd", 3: "rd"}
_UNITS: Final = (
    ("day", timedelta(days=1)),
    ("hour", timedelta(hours=1)),
    ("minute", timedelta(minutes=1)),
    ("second", timedelta(seconds=1)),
)


def count_of(number: int, thing: str) -> str:
    """1 order, 2 orders; 1 entry, 2 entries."""
    many = f"{thing[:-1]}ies" if thing.endswith("ry") else f"{thing}s"
    return f"{number:,} {thing if number == 1 else many}"


def nth(number: int) -> str:
    """1st, 2nd, 3rd, 4th, 11th, 21st."""
    ending = "th" if number % 100 in (11, 12, 13) else _ENDINGS.get(number % 10, "th")
    return f"{number:,}{ending}"


def few(things: Iterable[str], thing: str) -> str:
    """The first few of a list that may be long, and how many more there are."""
    rest = iter(things)
    shown = ", ".join(islice(rest, _LISTED_MAX))
    left = sum(1 for _ in rest)
    return f"{shown} and {count_of(left, f'more {thing}')}" if left else shown


@lru_cache(maxsize=1000)
def span(length: timedelta) -> str:
    """A length of time as people say it: 1 day, 2 hours and 30 minutes, 0.5 seconds."""
    if length < timedelta(seconds=1):
        return f"{length.total_seconds():g} seconds"
    said = []
    for name, unit in _UNITS:
        count, length = divmod(length, unit)
        if count:
            said.append(count_of(count, name))
    return said[0] if len(said) == 1 else f"{', '.join(said[:-1])} and {said[-1]}"
