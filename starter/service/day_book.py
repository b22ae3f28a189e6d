"""The figures of a day beside those of the month before it, as pages and reports take them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, NamedTuple

from domain.days.figures import Figure, Trend, days_before, trend_of
from store.days.figures import DayFigure, Loss

MONTH: Final = 30


@dataclass(frozen=True)
class DayBook:
    """A day, with the month before it.

    `today`: whether it is still going on. `counted_at`: when the figures of the seller who was
    counted longest ago were counted; None: they were not yet. `counted`: the days that were.
    """

    day: date
    today: date
    counted_at: datetime | None
    counted: frozenset[date]
    figures: Sequence[DayFigure]
    hours: dict[date, dict[int, int]]
    tasks: dict[date, int]

    @property
    def is_today(self) -> bool:
        """Whether it is still going on."""
        return self.day == self.today

    @property
    def days(self) -> list[date]:
        """Those of a month, the oldest first."""
        return days_before(self.day, MONTH)

    def trend(
        self, figure: Figure, *, channel: str | None = None, part: str | None = None
    ) -> Trend:
        """Of a figure, of one channel or part or of all."""
        values: dict[date, int] = {}
        for one in self.figures:
            if one.figure == figure and channel in (None, one.channel) and part in (None, one.part):
                values[one.day] = values.get(one.day, 0) + one.value
        return trend_of(values, dict.fromkeys(self.counted), self.day)

    def parts(self, figure: Figure) -> list[str]:
        """Currencies or states of a figure, the one with the most first."""
        return _most(self.figures, figure, "part")

    def channels(self, figure: Figure) -> list[str]:
        """Channels of a figure, the one with the most first."""
        return _most(self.figures, figure, "channel")

    def tasks_trend(self) -> Trend:
        """How many tasks waited for a person at each day's end."""
        return trend_of(self.tasks, dict.fromkeys(self.counted), self.day)


def _most(found: Sequence[DayFigure], figure: Figure, name: str) -> list[str]:
    sums: dict[str, int] = {}
    for one in found:
        if one.figure == figure:
            key = getattr(one, name)
            sums[key] = sums.get(key, 0) + abs(one.value)
    return sorted(sums, key=lambda key: (-sums[key], key))


class ReportRow(NamedTuple):
    """A figure of a report. `currency`: "" where it is no amount."""

    figure: Figure
    currency: str
    trend: Trend


@dataclass(frozen=True)
class DayReport:
    """A day to be printed. `channels`: orders of each. `losses`: the worst first."""

    book: DayBook
    rows: Sequence[ReportRow]
    channels: Sequence[tuple[str, Trend]]
    losses: Sequence[Loss]


_COUNTS: Final[tuple[Figure, ...]] = (
    *("orders", "open_orders", "shipped", "shipped_late", "delivered", "delivered_late"),
    *("leave_today", "leave_late", "arrive_late", "stock_out", "stock_low", "runs_out"),
)
_AMOUNTS: Final[tuple[Figure, ...]] = ("worth", "authorized", "charged", "refunded", "owed_back")
_OF_THE_BOOKS: Final[tuple[Figure, ...]] = ("result", "lost")


def report_of(book: DayBook, losses: Sequence[Loss], *, money: bool, books: bool) -> DayReport:
    """All figures of a day, amounts in each currency that the month has."""
    amounts = (*(_AMOUNTS if money else ()), *(_OF_THE_BOOKS if books else ()))
    rows = [ReportRow(figure, "", book.trend(figure)) for figure in _COUNTS]
    rows += [
        ReportRow(figure, currency, book.trend(figure, part=currency))
        for currency in dict.fromkeys(part for figure in amounts for part in book.parts(figure))
        for figure in amounts
    ]
    channels = [(one, book.trend("orders", channel=one)) for one in book.channels("orders")]
    return DayReport(book, rows, channels, losses)
