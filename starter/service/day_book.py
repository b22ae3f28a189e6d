"""The figures of a day beside those of the month before it, as pages and reports take them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Final, NamedTuple

from domain.days.figures import STANDINGS, Figure, Trend, days_before, trend_of
from store.days.figures import DayFigure, HourOrders
from store.days.losses import Loss

MONTH: Final = 30

ALWAYS_STANDS: Final[Figure] = "stock_out"
"""A figure that each day has which was counted while it went on, be it 0."""

_AMOUNTS: Final[tuple[Figure, ...]] = ("worth", "authorized", "charged", "refunded", "owed_back")
_OF_THE_BOOKS: Final[tuple[Figure, ...]] = ("result", "lost")
AMOUNTS: Final = (*_AMOUNTS, *_OF_THE_BOOKS)
"""Figures in currencies, which nobody adds up over several."""


@dataclass(frozen=True)
class DayBook:
    """A day, with the month before it.

    `today`: the day that is going on. `counted_at`: when the figures of the seller who was
    counted longest ago were counted; None: they were not yet. `counted`: the days that were.
    `not_counted`: sellers who are missing in the sums of the day itself, the others being there.
    `counted_to`: seller → the last hour of the day that has been counted, 23 where it is over; no
    seller who was not counted.
    """

    day: date
    today: date
    counted_at: datetime | None
    counted: frozenset[date]
    not_counted: tuple[str, ...]
    figures: Sequence[DayFigure]
    hours: Sequence[HourOrders]
    counted_to: Mapping[str, int]
    tasks: Mapping[date, int]

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
        return trend_of(values, self._stood if figure in STANDINGS else self.counted, self.day)

    @cached_property
    def _stood(self) -> frozenset[date]:
        """Days that were counted while they went on: of others, nobody knows what there was."""
        return frozenset(one.day for one in self.figures if one.figure == ALWAYS_STANDS)

    def orders_by_now(self) -> Trend:
        """Orders, of the days before those of the same hours alone, by each seller's clock."""
        whole = self.trend("orders")
        before = (self._by_now(back) for back in (1, 7))
        yesterday, week_before = (
            None if all_ is None else some
            for all_, some in zip((whole.yesterday, whole.week_before), before, strict=True)
        )
        return whole._replace(yesterday=yesterday, week_before=week_before)

    def _by_now(self, back: int) -> int:
        day = self.day - timedelta(days=back)
        return sum(
            one.value
            for one in self.hours
            if one.day == day and one.hour <= self.counted_to.get(one.seller, -1)
        )

    def by_hour(self, back: int = 0) -> list[int | None]:
        """Orders of each hour of a day, so many days before this one; None: it is not known yet."""
        day = self.day - timedelta(days=back)
        last = 23 if back else min(self.counted_to.values(), default=23)
        if day not in self.counted:
            return [None] * 24
        values = [0] * 24
        for one in self.hours:
            if one.day == day:
                values[one.hour] += one.value
        return [value if hour <= last else None for hour, value in enumerate(values)]

    @property
    def currencies(self) -> list[str]:
        """Those in which there are amounts in the month, the one that was in use most first."""
        used = Counter(one.part for one in self.figures if one.figure in AMOUNTS)
        return sorted(used, key=lambda currency: (-used[currency], currency))

    def parts(self, figure: Figure) -> list[str]:
        """Currencies or states of a figure, the one with the most first."""
        return _most(self.figures, figure, "part")

    def channels(self, figure: Figure) -> list[str]:
        """Channels of a figure, the one with the most first."""
        return _most(self.figures, figure, "channel")

    def tasks_trend(self) -> Trend:
        """How many tasks waited for a person at each day's end."""
        return trend_of(self.tasks, self.tasks, self.day)


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
    """A day to be printed. `channels`: orders of each. `losses`: the worst of each currency."""

    book: DayBook
    rows: Sequence[ReportRow]
    channels: Sequence[tuple[str, Trend]]
    losses: Sequence[Loss]

    def worst(self, of_each: int) -> list[Loss]:
        """So many of the losses in each currency."""
        places = Counter[str]()
        found = []
        for loss in self.losses:
            places[loss.currency] += 1
            if places[loss.currency] <= of_each:
                found.append(loss)
        return found


_COUNTS: Final[tuple[Figure, ...]] = (
    *("orders", "open_orders", "shipped", "shipped_late", "delivered", "delivered_late"),
    *("leave_today", "leave_late", "arrive_late"),
)
_OF_STOCK: Final[tuple[Figure, ...]] = ("stock_out", "stock_low", "runs_out")


def report_of(
    book: DayBook, losses: Sequence[Loss], *, money: bool, books: bool, stock: bool
) -> DayReport:
    """All figures of a day, amounts in each currency that the month has."""
    amounts = (*(_AMOUNTS if money else ()), *(_OF_THE_BOOKS if books else ()))
    counts = (*_COUNTS, *(_OF_STOCK if stock else ()))
    rows = [ReportRow(figure, "", book.trend(figure)) for figure in counts]
    rows += [
        ReportRow(figure, currency, book.trend(figure, part=currency))
        for currency in dict.fromkeys(part for figure in amounts for part in book.parts(figure))
        for figure in amounts
    ]
    channels = [(one, book.trend("orders", channel=one)) for one in book.channels("orders")]
    return DayReport(book, rows, channels, losses)
