"""Rooms of the screens: where their templates, sentences and files are, and where people get in."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from domain.access.keys import Scope

_NAMES: Final = ("screens", "desk", "floor", "buying", "day", "money", "setup")
ROOMS: Final = tuple(Path(__file__).parents[1] / name for name in _NAMES)
"""Each has `templates/`, shown as room/name, `words/` of each language, and may have `static/`."""


class Place(NamedTuple):
    """A place that the navigation leads to: whoever has the scope sees it."""

    path: str
    key: str
    scope: Scope


PLACES: Final = (
    Place("app/day", "day", "orders:read"),
    Place("app/orders", "orders", "orders:read"),
    Place("app/customers", "customers", "customers:read"),
    Place("app/stock", "stock", "stock:read"),
    Place("app/purchases", "purchases", "purchasing:read"),
    Place("app/tasks", "tasks", "operations:read"),
    Place("app/money", "money", "accounting:read"),
    Place("app/floor", "floor", "warehouse:write"),
    Place("app/setup", "setup", "sellers:read"),
)


def _letters() -> Mapping[str, str]:
    """The first letter of each that none before it has."""
    found: dict[str, str] = {}
    for place in PLACES:
        found[place.key] = next(one for one in place.key if one not in found.values())
    return found


LETTERS: Final = _letters()
"""A place's key → the letter that leads there behind a g, the same in every language."""
