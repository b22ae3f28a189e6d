"""Counting a day: what happened on it, how much is there at its end, which orders lost money."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple

from domain.accounting.accounts import OF_THE_RESULT, SOLD, Account
from domain.days.figures import FLOWS, LATER, RUNS_OUT_WITHIN_DAYS, STANDINGS, Counted, Wait
from domain.errors import NotFound
from store import clock
from store.database import Connection, load_queries
from store.purchasing import outlook
from store.views import attention

_sql = load_queries(__file__)

BACK: Final = 37
"""So many days before today are counted where nobody has: a month, and the week before it."""

LOSSES_MAX: Final = 100
"""Of a day's orders that lost money, so many are kept in each currency; all of them are counted."""

_TASKS_MAX: Final = 1_000
_ROWS_MAX: Final = 10_000
_AUDITED: Final = [figure for figure in FLOWS if figure not in LATER]


class Day(NamedTuple):
    """A day that is to be counted. `seller`: "" is all of them, by days of UTC.

    `first`, `after`: when it begins, and the next one.
    """

    seller: str
    day: date
    time_zone: str
    is_today: bool
    first: datetime
    after: datetime


async def add_days(conn: Connection) -> None:
    """Put today on the list for each seller, with the days before that nobody has counted."""
    await _sql.add_days(conn, back=BACK)


async def due(conn: Connection, but: Sequence[Day] = ()) -> Day | None:
    """A day that is to be counted, and none of these, locked in this transaction; None: none is."""
    row = await _sql.due(
        conn, back=BACK, sellers=[one.seller for one in but], days=[one.day for one in but]
    )
    return None if row is None else Day(**row)


async def claim(conn: Connection, seller: str, day: date) -> Day:
    """This day, locked, to be counted again. Raises NotFound for a seller that is not there."""
    await _sql.add_day(conn, seller=seller, day=day)
    row = await _sql.one(conn, seller=seller, day=day)
    if row is None:
        raise NotFound(f"there is no seller {seller}")
    return Day(**row)


async def count(conn: Connection, one: Day) -> None:
    """Count a day that the caller has locked. Again and again, it comes to the same."""
    began = time.perf_counter()
    found, which = await _flows(conn, one), list[str](FLOWS)
    if one.seller:
        losses = await _losses(conn, one)
        found += _lost(losses)
        await _keep_losses(conn, one, _worst(losses))
    if one.is_today:
        standing = await _standings(conn, one)
        found += standing
        which += STANDINGS
    await _sql.keep(
        conn,
        seller=one.seller,
        day=one.day,
        counted=which,
        figures=[each.figure for each in found],
        channels=[each.channel for each in found],
        parts=[each.part for each in found],
        values=[each.value for each in found],
    )
    took_ms = round(1000 * (time.perf_counter() - began))
    await _sql.counted(
        conn, seller=one.seller, day=one.day, time_zone=one.time_zone, took_ms=took_ms
    )


async def keep_most(conn: Connection, waits: Mapping[Wait, int]) -> None:
    """Keep the most of this hour."""
    await _sql.keep_most(conn, figures=list(waits), values=list(waits.values()))


async def forget(conn: Connection, kept_days: int) -> None:
    """Delete what is older."""
    await _sql.forget(conn, kept_days=kept_days)


async def wrong(
    conn: Connection, seller: str, salt: str, *, back: int = 30, at_most: int = 1
) -> list[tuple[date, Counted, int]]:
    """What does not come to the same, of so many of the last days of a seller.

    The day, the figure as it is kept, and what it comes to now. `salt`: which days are taken.
    """
    rows = _sql.whole_days(conn, seller=seller, max_back=back, at_most=at_most, salt=salt)
    days = [Day(**row) async for row in rows]
    return [found for one in days for found in await _wrong_of(conn, one)]


async def _wrong_of(conn: Connection, one: Day) -> list[tuple[date, Counted, int]]:
    now = {each[:3]: each.value for each in await _flows(conn, one)}
    now |= {each[:3]: each.value for each in _lost(await _losses(conn, one))}
    now = {key: value for key, value in now.items() if key[0] in _AUDITED}
    rows = _sql.kept(conn, seller=one.seller, day=one.day, figures=_AUDITED)
    kept = {each[:3]: each.value for each in [Counted(**row) async for row in rows]}
    return [
        (one.day, Counted(*key, kept.get(key, 0)), now.get(key, 0))
        for key in sorted(now.keys() | kept.keys())
        if now.get(key, 0) != kept.get(key, 0)
    ]


async def _flows(conn: Connection, one: Day) -> list[Counted]:
    if not one.seller:
        return []
    bounds = {"first": one.first, "after": one.after}
    rows = _sql.flows(conn, seller=one.seller, time_zone=one.time_zone, **bounds)
    found = [Counted(**row) async for row in rows]
    books = _sql.booked(conn, seller=one.seller, day=one.day, accounts=list(OF_THE_RESULT))
    return found + [Counted(**row) async for row in books]


async def _losses(conn: Connection, one: Day) -> Sequence[Mapping[str, Any]]:
    rows = _sql.losses(
        conn,
        seller=one.seller,
        day=one.day,
        accounts=list(OF_THE_RESULT),
        sold=list(SOLD),
        refunds=[Account.REFUNDS],
        cost=[Account.COST_OF_GOODS_SOLD],
    )
    return [row async for row in rows]


def _lost(losses: Sequence[Mapping[str, Any]]) -> list[Counted]:
    """What they come to, and how many orders they are, by channel and currency."""
    sums: dict[tuple[str, str], int] = {}
    orders: dict[tuple[str, str], int] = {}
    for row in losses:
        key = row["channel"], row["currency"]
        whole = row["refunds_minor"] + row["cost_minor"] + row["others_minor"] - row["sold_minor"]
        sums[key] = sums.get(key, 0) + whole
        orders[key] = orders.get(key, 0) + 1
    return [
        *(Counted("lost", *key, value) for key, value in sums.items()),
        *(Counted("lost_orders", *key, value) for key, value in orders.items()),
    ]


def _worst(losses: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The worst of each currency: an amount of one is not more than that of another."""
    by_currency: dict[str, list[Mapping[str, Any]]] = {}
    for row in losses:
        by_currency.setdefault(row["currency"], []).append(row)
    return [row for rows in by_currency.values() for row in rows[:LOSSES_MAX]]


async def _keep_losses(conn: Connection, one: Day, losses: Sequence[Mapping[str, Any]]) -> None:
    await _sql.keep_losses(
        conn,
        seller=one.seller,
        day=one.day,
        order_nos=_column(losses, "order_no"),
        channels=_column(losses, "channel"),
        currencies=_column(losses, "currency"),
        days_minor=_column(losses, "day_minor"),
        sold=_column(losses, "sold_minor"),
        refunds=_column(losses, "refunds_minor"),
        cost=_column(losses, "cost_minor"),
        others=_column(losses, "others_minor"),
    )


def _column(rows: Collection[Mapping[str, Any]], name: str) -> list[Any]:
    return [row[name] for row in rows]


async def _standings(conn: Connection, one: Day) -> list[Counted]:
    waiting = await attention.tasks(conn, seller=one.seller or None, at_most=_TASKS_MAX)
    found = [Counted("tasks", "", "", len(waiting))]
    if not one.seller:
        return found
    found += [Counted(**row) async for row in _sql.standings(conn, seller=one.seller)]
    return found + await _stock(conn, one)


async def _stock(conn: Connection, one: Day) -> list[Counted]:
    """Items at places of the seller's that are low, or sold by a day, at the pace measured."""
    places = [row["location"] async for row in _sql.places(conn, seller=one.seller)]
    limits: dict[str, Any] = {"locations": places, "at_most": _ROWS_MAX}
    today = clock.today()  # Stock lasts until a day of UTC, whatever the seller's clock says.
    week = today + timedelta(days=RUNS_OUT_WITHIN_DAYS)
    low = await outlook.outlook(conn, only_low=True, **limits)
    soon = await outlook.outlook(conn, out_by=week, **limits)
    out = [row for row in soon if row.out_on is not None and row.out_on <= today]
    return [
        Counted("stock_out", "", "", len(out)),
        Counted("stock_low", "", "", len(low)),
        Counted("runs_out", "", "", len(soon)),
    ]
