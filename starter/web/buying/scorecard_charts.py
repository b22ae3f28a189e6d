"""How a supplier's word has held over a year, as charts by month."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Final, NamedTuple

from markupsafe import Markup

from domain.purchasing.scorecards import Scorecard
from starter.web import charts as drawn
from starter.web.charts import Figures, Series
from starter.web.words import Words

_MONTHS: Final = 12


class Charts(NamedTuple):
    """On time, lead times, and short units."""

    on_time: Markup
    lead: Markup
    short: Markup


def charts(words: Words, months: Mapping[tuple[int, int], Scorecard], today: date) -> Charts:
    """The last twelve months, by when it was ordered."""
    back = [today.year * _MONTHS + today.month - 1 - n for n in reversed(range(_MONTHS))]
    shown = [(n // _MONTHS, n % _MONTHS + 1) for n in back]
    marks = [f"{year}-{month:02}" for year, month in shown]

    def series(label: str, value: Callable[[Scorecard], int | None]) -> Series:
        found = [None if one not in months else value(months[one]) for one in shown]
        return Series(words(label), found)

    def figures(name: str, title: str, *all_of: Series, unit: str) -> Figures:
        return Figures(
            name=name,
            title=words(title),
            of=words("month"),
            marks=marks,
            series=all_of,
            unit=unit,
        )

    on_time = series("on_time", lambda one: one.on_time_percent)
    promised = series("lead_promised", lambda one: one.promised_days)
    real = series("lead_real", lambda one: one.real_days)
    short = series("short_units", lambda one: one.short)
    over = series("over_units", lambda one: one.over)
    days = words("unit_days")
    return Charts(
        drawn.lines(words, figures("on-time", "on_time_by_month", on_time, unit="%")),
        drawn.lines(words, figures("lead", "lead_by_month", promised, real, unit=days)),
        drawn.bars(words, figures("short", "short_by_month", short, over, unit=words("units"))),
    )
