"""An item's stock and what was sold of it, as charts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from markupsafe import Markup

from starter.web import charts as drawn
from starter.web.buying.limits import places
from starter.web.charts import Figures, Series
from starter.web.screens.visits import Visit

_DAYS: Final = 60


class Charts(NamedTuple):
    """Both of them."""

    on_hand: Markup
    sold: Markup


async def charts(visit: Visit, sku: str, on_hand: int) -> Charts:
    """The last days of an item. `on_hand`: units now, at the locations that are theirs."""
    words = visit.words
    days = await visit.here.purchasing.days_of(sku, locations=places(visit))
    today = datetime.now(UTC).date()
    first = max(today - timedelta(days=_DAYS - 1), min(days, default=today))
    shown = [first + timedelta(days=n) for n in range((today - first).days + 1)]
    at_end, left = [on_hand], on_hand
    for day in reversed(shown[1:]):
        left -= days[day].on_hand_change if day in days else 0
        at_end.append(left)
    marks = [words.day(day) for day in shown]
    of, units = words("day"), words("units")
    sold = [days[day].sold if day in days else 0 for day in shown]
    return Charts(
        drawn.lines(
            words,
            Figures(
                name="on-hand",
                title=words("on_hand_by_day"),
                of=of,
                marks=marks,
                series=[Series(words("on_hand"), at_end[::-1])],
                unit=units,
            ),
        ),
        drawn.bars(
            words,
            Figures(
                name="sold",
                title=words("sold_by_day"),
                of=of,
                marks=marks,
                series=[Series(words("units_sold"), sold)],
                unit=units,
            ),
        ),
    )
