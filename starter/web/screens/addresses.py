"""What stands in an address, where anybody can write anything: moments, days, places in a list."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

PAGE: Final = 50
"""Rows on a page of a list."""

_NUMBER_MAX: Final = 2**63 - 1
_FIRST: Final = date(1900, 1, 1)
_LAST: Final = date(9000, 1, 1)
"""Whoever asks for the days before or behind one finds them, too."""

Row = TypeVar("Row")


def moment_in(text: object) -> datetime | None:
    """A moment with its time zone; None: it is none that a database takes."""
    try:
        moment = datetime.fromisoformat(str(text))
        return None if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):  # the latter where it is a day before the first one
        return None


def day_in(text: object) -> date | None:
    """A day, such as 2026-11-30; None: it is none, or none that a shop can mean."""
    try:
        day = date.fromisoformat(str(text))
    except ValueError:
        return None
    return day if _FIRST <= day <= _LAST else None


def place_in(text: str, *kinds: type) -> tuple[Any, ...] | None:
    """Where a page of a list begins: behind the row with these values, each of its kind.

    None: at the beginning, also for what is no place in such a list.
    """
    try:
        parts = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(parts, list) or len(parts) != len(kinds):
        return None
    values = tuple(_value(part, kind) for part, kind in zip(parts, kinds, strict=True))
    return None if any(value is None for value in values) else values


def onward(
    found: Sequence[Row],
    filters: Mapping[str, str],
    place: Callable[[Row], Sequence[object]],
    *,
    at_most: int = PAGE,
) -> tuple[Sequence[Row], str]:
    """The rows of a page, and the query of the next one's address; "": there is none.

    `found`: one row more than a page has, where there is another page. `place`: what names a row's
    place in the list.
    """
    shown = found[:at_most]
    return shown, query_of(filters, place(shown[-1])) if len(found) > at_most else ""


def query_of(filters: Mapping[str, str], place: Sequence[object] = ()) -> str:
    """The query of a list's address: its filters, and behind which row it begins."""
    asked = {name: value for name, value in filters.items() if value}
    if place:
        told = [part.isoformat() if isinstance(part, date) else part for part in place]
        asked["after"] = json.dumps(told, ensure_ascii=False)
    return urlencode(asked)


def _value(part: object, kind: type) -> object:
    if kind is datetime:
        return moment_in(part)
    if kind is date:
        return day_in(part)
    if kind is int:
        is_one = isinstance(part, int) and not isinstance(part, bool) and 0 <= part <= _NUMBER_MAX
        return part if is_one else None
    return part if isinstance(part, str) and _is_text(part) else None


def _is_text(text: str) -> bool:
    """Whether a database takes it: JSON can name signs that no text of ours has."""
    return "\0" not in text and text.encode("utf-8", "ignore").decode() == text
