"""The day at a glance: its figures with their trends, what lost money, and what is late."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from math import inf
from typing import Final

from domain.errors import InvalidInput, NotFound
from starter.service.day_book import MONTH, DayBook, DayReport, report_of
from store import clock
from store.database import Pool
from store.days import counting, figures, losses
from store.days.figures import (
    DayParcel,
    DayPayment,
    HourWait,
    Late,
    Moved,
    Paid,
    SellersDay,
)
from store.days.losses import Loss

_BACK: Final = MONTH + 7
COUNTED_MAX_DAYS: Final = 800

LOSSES_LISTED_MAX: Final = 500
"""The worst hundred of each currency are kept: more than five currencies lose money nowhere."""


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
            missing = await figures.not_counted(conn, sellers, wanted)
            counted = set(await figures.counted(conn, sellers, first, wanted))
            if missing and len(missing) < len(now):
                counted.add(wanted)
            return DayBook(
                day=wanted,
                today=today,
                counted_at=min((one for one in moments if one), default=None)
                if all(moments)
                else None,
                counted=frozenset(counted),
                not_counted=tuple(missing),
                figures=await figures.by_day(conn, **limits, first=first, last=wanted),
                hours=await figures.by_hour(
                    conn, **limits, days=[wanted - timedelta(days=back) for back in (0, 1, 7)]
                ),
                counted_to={
                    one.seller: 23 if wanted < one.today else one.hour or 0
                    for one in now
                    if one.seller not in missing and one.counted_at is not None
                },
                tasks=await figures.tasks(conn, first, wanted),
            )

    async def report(
        self,
        day: date | None = None,
        *,
        sellers: Collection[str] | None = None,
        channels: Collection[str] | None = None,
        money: bool = True,
        books: bool = True,
        stock: bool = True,
    ) -> DayReport:
        """A day to be printed. `money`: with amounts; `books`: with results and losses.

        `stock`: with what there is of it, at all locations.

        Raises NotFound where there is no such seller.
        """
        book = await self.look(day, sellers=sellers, channels=channels)
        found = await self.losses(book.day, sellers=sellers, channels=channels) if books else ()
        return report_of(book, found, money=money, books=books, stock=stock)

    async def sellers_of_result(
        self,
        day: date,
        currency: str,
        *,
        sellers: Collection[str] | None = None,
        channels: Collection[str] | None = None,
    ) -> Sequence[str]:
        """The sellers whose result of a day has something in a currency, the largest first."""
        async with self._pool.acquire() as conn:
            return await figures.sellers_of_result(
                conn, sellers=sellers, channels=channels, currency=currency, day=day
            )

    async def waits(self, hours: int = 24) -> Sequence[HourWait]:
        """The most that waited for workers in each of the last hours."""
        async with self._pool.acquire() as conn:
            return await figures.waits(conn, clock.now() - timedelta(hours=hours))

    async def standing(self) -> tuple[dict[str, int], float]:
        """How much there was when today was counted last, and how many seconds ago that was.

        Infinitely many: today was not counted yet.
        """
        async with self._pool.acquire() as conn:
            age_s = await figures.age_s(conn)
            return await figures.standing(conn), inf if age_s is None else age_s

    async def losses(
        self,
        day: date,
        *,
        sellers: Collection[str] | None = None,
        channels: Collection[str] | None = None,
        currency: str | None = None,
        at_most: int = LOSSES_LISTED_MAX,
    ) -> Sequence[Loss]:
        """Orders that lost money on a day, as they were counted last: the worst of each currency.

        `currency`: None is all of them.
        """
        async with self._pool.acquire() as conn:
            return await losses.of_day(
                conn,
                sellers=sellers,
                channels=channels,
                currency=currency,
                day=day,
                at_most=at_most,
            )

    async def late(
        self,
        what: Late,
        *,
        sellers: Collection[str] | None = None,
        channels: Collection[str] | None = None,
        after: tuple[date, str] | None = None,
        at_most: int = 50,
    ) -> Sequence[DayParcel]:
        """Parcels whose promise is at risk or broken now, the longest first.

        `after`: behind the one with this promised day and id.
        """
        async with self._pool.acquire() as conn:
            return await figures.late(
                conn, what=what, sellers=sellers, channels=channels, after=after, at_most=at_most
            )

    async def parcels(
        self,
        what: Moved,
        day: date,
        *,
        sellers: Collection[str] | None = None,
        channels: Collection[str] | None = None,
        after: tuple[datetime, str] | None = None,
        at_most: int = 50,
    ) -> Sequence[DayParcel]:
        """Parcels that left or arrived on a day, by their moments.

        `after`: behind the one with this moment and id.
        """
        async with self._pool.acquire() as conn:
            return await figures.parcels(
                conn,
                what=what,
                day=day,
                sellers=sellers,
                channels=channels,
                after=after,
                at_most=at_most,
            )

    async def payments(
        self,
        kind: Paid,
        currency: str | None,
        day: date,
        *,
        sellers: Collection[str] | None = None,
        channels: Collection[str] | None = None,
        after: tuple[datetime, str] | None = None,
        at_most: int = 50,
    ) -> Sequence[DayPayment]:
        """What was authorized, charged or refunded on a day, by their moments.

        `currency`: None is all of them. `after`: behind the one with this moment and key.
        """
        async with self._pool.acquire() as conn:
            return await figures.payments(
                conn,
                kind=kind,
                currency=currency,
                day=day,
                sellers=sellers,
                channels=channels,
                after=after,
                at_most=at_most,
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
