"""Moments that stand in an address, where anybody can write anything."""

from __future__ import annotations

from datetime import UTC, datetime


def moment_in(text: object) -> datetime | None:
    """A moment with its time zone; None: it is none that a database takes."""
    try:
        moment = datetime.fromisoformat(str(text))
        return None if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):  # the latter where it is a day before the first one
        return None
