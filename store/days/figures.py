"""Reading the figures of days."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Final, Literal, NamedTuple

from domain.days.figures import STANDINGS, Figure, Wait
from store.database import Connection, load_queries
from store.views.reads import Row

_sql = load_queries(__file__)

_COUNTS: Final = tuple(one for one in STANDINGS if one != "owed_back")
"""Those that are no amounts."""

Late = Literal["leave_today", "leave_late", "arrive_late"]
Moved = Literal["shipped", "shipped_late", "delivered", "delivered_late"]
Paid = Literal["authorize", "capture", "refund"]


class SellersDay(NamedTuple):
    """A seller's day now. `counted_at`: when its figures were counted last; None: not yet.

    `hour`: that of `counted_at` by the seller's clock, from 0 to 23.
    """

    seller: str
    today: date
    counted_at: datetime | None
    hour: int | None


class DayFigure(NamedTuple):
    """One figure of a day. `channel`, `part`: "" where it is of none."""

    day: date
    figure: Figure
    channel: str
    part: str
    value: int


class HourOrders(NamedTuple):
    """Orders that a seller took in an hour of a day, from 0 to 23 by its clock."""

    day: date
    seller: str
    hour: int
    value: int


class HourWait(NamedTuple):
    """The most that waited in an hour, which begins at `hour`."""

    figure: Wait
    hour: datetime
    value: int


class DayParcel(Row):
    """A parcel. `at`: when it was handed over or delivered; None: it is late now."""

    order_id: str
    fulfilment_id: str
    channel: str
    location: str
    state: str
    promised_leave: date | None
    promised_on: date | None
    at: datetime | None


class DayPayment(Row):
    """A call of a payment company's that did something."""

    order_id: str
    channel: str
    payment_key: str
    provider: str
    amount_minor: int
    currency: str
    settled_at: datetime


async def todays(conn: Connection, sellers: Collection[str] | None) -> list[SellersDay]:
    """Each seller's day now. None: all of them."""
    return [SellersDay(**row) async for row in _sql.todays(conn, sellers=_some(sellers))]


async def counted(
    conn: Connection, sellers: Collection[str] | None, first: date, last: date
) -> set[date]:
    """The days of these that were counted."""
    rows = _sql.counted(conn, sellers=_some(sellers), first=first, last=last)
    return {row["day"] async for row in rows}


async def not_counted(conn: Connection, sellers: Collection[str] | None, day: date) -> list[str]:
    """Those of these sellers who have this day, of whom it was not counted yet."""
    rows = _sql.not_counted(conn, sellers=_some(sellers), day=day)
    return [row["seller"] async for row in rows]


async def by_day(
    conn: Connection,
    *,
    sellers: Collection[str] | None,
    channels: Collection[str] | None,
    first: date,
    last: date,
) -> list[DayFigure]:
    """The figures of these days, of sellers and channels; None: of all."""
    limits = {"sellers": _some(sellers), "channels": _some(channels)}
    return [DayFigure(**row) async for row in _sql.by_day(conn, **limits, first=first, last=last)]


async def by_hour(
    conn: Connection,
    *,
    sellers: Collection[str] | None,
    channels: Collection[str] | None,
    days: Sequence[date],
) -> list[HourOrders]:
    """Orders taken in each hour of these days, where there were any."""
    limits = {"sellers": _some(sellers), "channels": _some(channels)}
    return [HourOrders(**row) async for row in _sql.by_hour(conn, **limits, days=list(days))]


async def sellers_of_result(
    conn: Connection,
    *,
    sellers: Collection[str] | None,
    channels: Collection[str] | None,
    currency: str,
    day: date,
) -> list[str]:
    """The sellers, of these, whose result of a day has something in a currency: largest first."""
    limits = {"sellers": _some(sellers), "channels": _some(channels)}
    rows = _sql.sellers_of_result(conn, **limits, currency=currency, day=day)
    return [row["seller"] async for row in rows]


async def tasks(conn: Connection, first: date, last: date) -> dict[date, int]:
    """How many tasks waited at the end of each day."""
    return {row["day"]: row["value"] async for row in _sql.tasks(conn, first=first, last=last)}


async def waits(conn: Connection, first: datetime) -> list[HourWait]:
    """The most that waited in each hour since then."""
    return [HourWait(**row) async for row in _sql.waits(conn, first=first)]


async def standing(conn: Connection) -> dict[str, int]:
    """How much there was when today was counted last, of all sellers: figure → how many."""
    rows = _sql.standing(conn, figures=list(_COUNTS))
    return {row["figure"]: row["value"] async for row in rows}


async def age_s(conn: Connection) -> int | None:
    """Seconds since today's figures were counted; None: somebody's never were."""
    found: int | None = await _sql.age(conn)
    return found


async def late(
    conn: Connection,
    *,
    what: Late,
    sellers: Collection[str] | None,
    channels: Collection[str] | None,
    after: tuple[date, str] | None,
    at_most: int,
) -> list[DayParcel]:
    """Parcels whose promise is at risk or broken, the longest first; behind one of them."""
    day, part = after or (None, None)
    rows = _sql.late(
        conn,
        what=what,
        sellers=_some(sellers),
        channels=_some(channels),
        after_day=day,
        after_id=part,
        at_most=at_most,
    )
    return [DayParcel(**row) async for row in rows]


async def parcels(
    conn: Connection,
    *,
    what: Moved,
    day: date,
    sellers: Collection[str] | None,
    channels: Collection[str] | None,
    after: tuple[datetime, str] | None,
    at_most: int,
) -> list[DayParcel]:
    """Parcels that left or arrived on a day, by their moments; behind one of them."""
    moment, part = after or (None, None)
    rows = _sql.parcels(
        conn,
        what=what,
        day=day,
        sellers=_some(sellers),
        channels=_some(channels),
        after_at=moment,
        after_id=part,
        at_most=at_most,
    )
    return [DayParcel(**row) async for row in rows]


async def payments(
    conn: Connection,
    *,
    kind: Paid,
    currency: str | None,
    day: date,
    sellers: Collection[str] | None,
    channels: Collection[str] | None,
    after: tuple[datetime, str] | None,
    at_most: int,
) -> list[DayPayment]:
    """What was authorized, charged or refunded on a day, by their moments; behind one of them.

    `currency`: None is all of them.
    """
    moment, key = after or (None, None)
    rows = _sql.payments(
        conn,
        kind=kind,
        currency=currency,
        day=day,
        sellers=_some(sellers),
        channels=_some(channels),
        after_at=moment,
        after_key=key,
        at_most=at_most,
    )
    return [DayPayment(**row) async for row in rows]


def _some(of: Collection[str] | None) -> list[str] | None:
    return None if of is None else sorted(of)
