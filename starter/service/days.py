"""The day at a glance: its figures with their trends, what lost money, and what is late."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from domain.days.figures import Figure, Trend, days_before, trend_of
from domain.errors import InvalidInput, NotFound
from store import clock
from store.database import Pool
from store.days import counting, figures
from store.days.figures import DayFigure, HourWait, Late, LateParcel, Loss, SellersDay

MONTH: Final = 30
_BACK: Final = MONTH + 7
COUNTED_MAX_DAYS: Final = 800


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


class Days:
    """Figures of days. `sellers`, `channels`: None is all of them."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def todays(self, sellers: Collection[str] | None = None) -> Sequence[SellersDay]:
        """Each seller's day now."""
        async with self._pool.acquire() as conn:
            return await figures.todays(conn, sellers)

    async def look(
        self,
        day: date | None = None,
        *,
        sellers: Collection[str] | None = None,
        channels: Collection[str] | None = None,
    ) -> DayBook:
        """A day with its month; None: today, which is the earliest of these sellers' days.

        Raises NotFound where there is no such seller.
        """
        async with self._pool.acquire() as conn:
            now = await figures.todays(conn, sellers)
            if not now:
                raise NotFound("there is no such seller", reason="no_seller")
            today = min(one.today for one in now)
            wanted = min(day or today, today)
            first = wanted - timedelta(days=_BACK)
            limits = {"sellers": sellers, "channels": channels}
            moments = [one.counted_at for one in now]
            return DayBook(
                day=wanted,
                today=today,
                counted_at=min((one for one in moments if one), default=None)
                if all(moments)
                else None,
                counted=frozenset(await figures.counted(conn, sellers, first, wanted)),
                figures=await figures.by_day(conn, **limits, first=first, last=wanted),
                hours=await figures.by_hour(
                    conn, **limits, days=[wanted - timedelta(days=back) for back in (0, 1, 7)]
                ),
                tasks=await figures.tasks(conn, first, wanted),
            )

    async def waits(self, hours: int = 24) -> Sequence[HourWait]:
        """The most that waited for workers in each of the last hours."""
        async with self._pool.acquire() as conn:
            return await figures.waits(conn, clock.now() - timedelta(hours=hours))

    async def losses(
        self,
        day: date,
        *,
        sellers: Collection[str] | None = None,
        channels: Collection[str] | None = None,
        at_most: int = counting.LOSSES_MAX,
    ) -> Sequence[Loss]:
        """Orders that lost money on a day, the worst first, as they were counted last."""
        async with self._pool.acquire() as conn:
            return await figures.losses(
                conn, sellers=sellers, channels=channels, day=day, at_most=at_most
            )

    async def late(
        self,
        what: Late,
        *,
        sellers: Collection[str] | None = None,
        channels: Collection[str] | None = None,
        after: tuple[date, str] | None = None,
        at_most: int = 50,
    ) -> Sequence[LateParcel]:
        """Parcels whose promise is at risk or broken now, the longest first.

        `after`: behind the one with this promised day and id.
        """
        async with self._pool.acquire() as conn:
            return await figures.late(
                conn, what=what, sellers=sellers, channels=channels, after=after, at_most=at_most
            )

    async def count(self, first: date, last: date, *, seller: str | None = None) -> int:
        """Count these days again, of one seller or of all. Returns how many were counted.

        How much there was at the end of an earlier day stays as it was kept: nobody can count that
        later. Raises InvalidInput, and NotFound for a seller that is not there.
        """
        days = (last - first).days + 1
        if not 0 < days <= COUNTED_MAX_DAYS:
            raise InvalidInput(f"must be 1 to {COUNTED_MAX_DAYS} days", where="days")
        async with self._pool.acquire() as conn:
            known = await figures.todays(conn, None if seller is None else [seller])
            if not known:
                raise NotFound(f"there is no seller {seller}")
            done = 0
            for one in known:
                for at in range(days):
                    day = first + timedelta(days=at)
                    if day <= one.today:
                        async with conn.transaction():
                            await counting.count(conn, await counting.claim(conn, one.seller, day))
                        done += 1
            return done
