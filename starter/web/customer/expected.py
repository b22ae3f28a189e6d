"""The day on which a part of an order is expected, and what has changed it, in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from starter.service.tracking import TrackedOrder
from starter.web.words import Words


def expected(
    order: TrackedOrder, words: Words, today: date, day: date | None, whose: Mapping[str, str]
) -> list[str]:
    """One sentence for each thing that is to be said of it. `whose`: as events name the part."""
    if day is None:
        return [words("no_day")]
    if day < today:
        return [words("expected_late", day=words.day(day))]
    told = [words("expected", day=words.day(day))]
    earlier: date | None = None
    for event in order.detail.story:
        if not whose.items() <= event.data.items():
            continue
        then = event.data.get("promised_on")
        if event.what.startswith("first day of sale moved") and then == day.isoformat():
            told.append(
                words("moved_new", new=words.day(day))
                if earlier is None
                else words("moved", old=words.day(earlier), new=words.day(day))
            )
        elif event.what.startswith("promise at risk") and then == day.isoformat():
            told.append(words("at_risk", day=words.day(day)))
        if isinstance(then, str):
            earlier = date.fromisoformat(then)
    return told
