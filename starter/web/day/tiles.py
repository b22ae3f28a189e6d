"""The numbers of the day: each with what it was before, a small line, and the list behind it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from markupsafe import Markup

from domain.access.keys import Scope
from domain.days.figures import FLOWS, Figure, Trend
from starter.service.day_book import DayBook
from starter.web import charts
from starter.web.day.asked import Asked
from starter.web.screens.visits import Visit
from starter.web.words import Words

_BAD: Final = frozenset(
    {"shipped_late", "delivered_late", "leave_late", "arrive_late", "lost", "lost_orders"}
    | {"stock_out", "owed_back"}
)
"""More than none of them wants somebody to look."""

MONEY: Final[tuple[Scope, ...]] = ("payments:read", "accounting:read")
"""Either of them is enough to see amounts."""


def sees_stock(visit: Visit) -> bool:
    """Its figures are of all locations, so they are not for somebody who is for some of them."""
    return visit.person.allows("stock:read") and visit.person.locations is None


@dataclass(frozen=True)
class Tile:
    """A number. `link`: to what it counts; "": there is no list of it, or it is not theirs."""

    title: str
    number: str
    trend: str
    spark: Markup
    link: str
    wants_a_look: bool


@dataclass(frozen=True)
class Board:
    """What the numbers of one page are made of."""

    visit: Visit
    wanted: Asked
    book: DayBook
    currency: str

    @property
    def words(self) -> Words:
        """In whose language."""
        return self.visit.words

    def money(self, minor: int) -> str:
        """An amount of the page's currency."""
        return self.words.money(minor, self.currency)

    def tile(self, figure: Figure, link: str = "", *, is_money: bool = False) -> Tile:
        """One figure."""
        trend = self.book.trend(figure, part=self.currency if is_money else None)
        show = self.money if is_money else self.words.number
        goes_on = self.book.is_today and figure in FLOWS
        return self._made(figure, trend, show, link, key="trend_in_all" if goes_on else "trend")

    def worth(self) -> list[Tile]:
        """What the day's orders are worth, in each currency in which there are any.

        The page's own stands first, also where it is nothing.
        """
        each = [
            one
            for one in self.book.parts("worth")
            if one != self.currency and self.book.trend("worth", part=one).now
        ]
        if not each:
            return [self.tile("worth", self.taken(), is_money=True)]
        found = []
        for currency in (self.currency, *each):
            of_one = replace(self, currency=currency)
            made = of_one.tile("worth", self.taken(currency=currency), is_money=True)
            title = self.words("figure_worth_in", currency=currency)
            found.append(replace(made, title=title))
        return found

    def orders(self) -> Tile:
        """Orders, against the same hours of days before."""
        trend = self.book.orders_by_now()
        key = "trend_by_now" if self.book.is_today else "trend"
        return self._made("orders", trend, self.words.number, self.taken(), key=key)

    def tasks(self, number: str, link: str) -> Tile:
        """What waits for a person: so many now, beside those that were counted."""
        made = self._made("tasks", self.book.tasks_trend(), self.words.number, link)
        return replace(made, number=number)

    def taken(self, **filters: str) -> str:
        """The list of the day's orders."""
        day = self.book.day.isoformat()
        days = {"day": "", "received_from": day, "received_to": day}
        return self.wanted.address("app/orders", **days, **filters)

    def _made(
        self,
        figure: Figure,
        trend: Trend,
        show: Callable[[int], str],
        link: str,
        key: str = "trend",
    ) -> Tile:
        words, title = self.words, self.words(f"figure_{figure}")
        known = {"yesterday": trend.yesterday, "week": trend.week_before}
        told = {name: "–" if value is None else show(value) for name, value in known.items()}
        change = trend.change_percent
        # A part of a day is not compared with a whole one.
        compares = change is not None and key != "trend_in_all"
        by = words("changed_by", percent=_signed(words, change or 0)) if compares else ""
        return Tile(
            title=title,
            number="–" if trend.now is None else show(trend.now),
            trend=" ".join(filter(None, (words(key, **told), by))),
            spark=charts.sparkline(words, words("of_a_month", what=title), trend.days, show),
            link=link,
            wants_a_look=figure in _BAD and (trend.now or 0) > 0,
        )


def _signed(words: Words, n: int) -> str:
    sign = "±" if n == 0 else "+" if n > 0 else "−"
    return f"{sign}{words.number(abs(n))}"


def fresh(words: Words, counted_at: datetime | None, now: datetime) -> tuple[str, bool]:
    """How old the figures are, in words, and whether they are too old."""
    if counted_at is None:
        return words("never_counted"), True
    is_old = (now - counted_at).total_seconds() > 300
    return words("counted_old" if is_old else "counted_at", moment=words.moment(counted_at)), is_old
