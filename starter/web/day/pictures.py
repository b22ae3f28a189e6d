"""The charts of the day: a month of days, and the hours of one day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from markupsafe import Markup

from domain.days.figures import Figure, Wait
from starter.web import charts
from starter.web.charts import Figures, Series
from starter.web.day.tiles import Board
from store.days.figures import HourWait

_CHANNELS: Final = 3
"""So many have a part of their own in a bar; all others share one."""


def _marks(board: Board) -> list[str]:
    return [board.words.day(day) for day in board.book.days]


def by_channel(board: Board) -> Markup:
    """Orders of each day, by their channels."""
    words, book = board.words, board.book
    names = book.channels("orders")
    own, others = names[:_CHANNELS], names[_CHANNELS:]
    series = [Series(name, book.trend("orders", channel=name).days) for name in own]
    if others:
        rest = [book.trend("orders", channel=name).days for name in others]
        whole = [
            None if None in column else sum(n for n in column if n is not None)
            for column in zip(*rest, strict=True)
        ]
        series.append(Series(words("other_channels"), whole))
    return charts.bars(
        words,
        Figures(
            name="by-channel",
            title=words("chart_by_channel"),
            of=words("day"),
            marks=_marks(board),
            series=series or [Series(words("figure_orders"), book.trend("orders").days)],
        ),
    )


def by_hour(board: Board) -> Markup:
    """Orders of each hour, beside those of the same day of the week before."""
    words, book = board.words, board.book
    today, before = book.day, book.day - timedelta(days=7)
    return charts.lines(
        words,
        Figures(
            name="by-hour",
            title=words("chart_by_hour"),
            of=words("hour"),
            marks=[f"{hour:02}:00" for hour in range(24)],
            series=[
                Series(words.day(today), book.by_hour()),
                Series(words.day(before), book.by_hour(7)),
            ],
        ),
    )


def kept(board: Board, whole: Figure, late: Figure) -> Markup:
    """Parcels of each day: those in time, and those that were late."""
    words, book = board.words, board.book
    too_late = book.trend(late).days
    in_time = [
        None if all_ is None else all_ - (some or 0)
        for all_, some in zip(book.trend(whole).days, too_late, strict=True)
    ]
    return charts.bars(
        words,
        Figures(
            name=whole,
            title=words(f"chart_{whole}"),
            of=words("day"),
            marks=_marks(board),
            series=[Series(words("in_time"), in_time), Series(words("too_late"), too_late)],
        ),
    )


def money(board: Board) -> Markup:
    """Charged and refunded, day by day."""
    words, book = board.words, board.book
    names: tuple[Figure, ...] = ("charged", "refunded")
    return charts.lines(
        words,
        Figures(
            name="money",
            title=words("chart_money"),
            of=words("day"),
            marks=_marks(board),
            series=[
                Series(words(f"figure_{name}"), book.trend(name, part=board.currency).days)
                for name in names
            ],
            show=board.money,
        ),
    )


def result(board: Board) -> Markup:
    """What each day earned or lost."""
    words = board.words
    days = board.book.trend("result", part=board.currency).days
    return charts.bars(
        words,
        Figures(
            name="result",
            title=words("chart_result"),
            of=words("day"),
            marks=_marks(board),
            series=[Series(words("figure_result"), days)],
            show=board.money,
        ),
    )


def waits(board: Board, found: Sequence[HourWait], now: datetime) -> Markup:
    """The longest waits of each of the last 24 hours, in Temporal and in the database."""
    words = board.words
    return charts.lines(
        words,
        Figures(
            name="waits",
            title=words("chart_waits"),
            of=words("hour"),
            marks=[words.moment(at) for at in _hours(now)],
            series=[
                Series(words("in_temporal"), most(found, now, "backlog_wait")),
                Series(words("in_database"), most(found, now, "reports_wait", "starts_wait")),
            ],
            show=lambda seconds: words("seconds", n=words.number(seconds)),
        ),
    )


def most(found: Sequence[HourWait], now: datetime, *names: Wait) -> list[int | None]:
    """The most of these that waited in each of the last 24 hours; None: nobody looked."""
    values: dict[datetime, int] = {}
    for one in found:
        if one.figure in names:
            values[one.hour] = max(values.get(one.hour, 0), one.value)
    return [values.get(at) for at in _hours(now)]


def _hours(now: datetime) -> list[datetime]:
    hour = now.replace(minute=0, second=0, microsecond=0)
    return [hour - timedelta(hours=back) for back in range(23, -1, -1)]
