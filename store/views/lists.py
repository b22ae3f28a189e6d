"""Lists of orders: those that match filters, a page at a time. Reads only."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from domain.views.order_snapshot import OrderState
from store.database import Connection, load_queries
from store.views.reads import OrderSummary, Row

_sql = load_queries(__file__)


class ListedOrders(Row):
    """A page of a list. `looked_until`: the way ended at this order, and more may match behind.

    `is_by_placed`: they are sorted by when they were placed, and not by when they were taken in.
    """

    orders: tuple[OrderSummary, ...]
    looked_until: OrderSummary | None
    is_by_placed: bool


class ToldOfOrder(Row):
    """What a list can say of an order beside its summary.

    `promised_on`: the last day that a parcel was promised for which has not arrived.
    """

    order_id: str
    customer: str
    country: str
    skus: str
    locations: str
    promised_on: date | None


async def summaries(
    conn: Connection,
    *,
    channel: str | None = None,
    seller: str | None = None,
    state: OrderState | None = None,
    customer_id: str | None = None,
    attention: bool | None = None,
    placed_from: datetime | None = None,
    placed_to: datetime | None = None,
    channels: Collection[str] | None = None,
    sellers: Collection[str] | None = None,
    after: tuple[datetime, str] | None = None,
    at_most: int = 100,
) -> list[OrderSummary]:
    """Orders, newest first. A filter that is None does not filter.

    `channels`, `sellers`: of one of these alone. `after`: behind the order that was received then
    and has this id.
    """
    wanted = {
        "channel": channel,
        "seller": seller,
        "state": state,
        "customer_id": customer_id,
        "needs_attention": attention,
        "placed_from": placed_from,
        "placed_to": placed_to,
    }
    found = await listed(
        conn,
        {name: value for name, value in wanted.items() if value is not None},
        channels=channels,
        sellers=sellers,
        start=None if after is None else after[1],
        at_most=at_most,
    )
    return list(found.orders)


async def listed(
    conn: Connection,
    wanted: Mapping[str, Any],
    *,
    channels: Collection[str] | None = None,
    sellers: Collection[str] | None = None,
    start: str | None = None,
    is_rising: bool = False,
    at_most: int = 100,
    looks_at: int | None = None,
) -> ListedOrders:
    """Orders from `start` on, an order's id: the newest first, or the oldest.

    `wanted`: as `OrderFilters.wanted` has it. Where the days on which orders were placed leave the
    fewest, they are sorted by that moment; others by when they were taken in. `looks_at`: after so
    many orders it gives up, however few of them matched.
    """
    rows = _sql.listed(
        conn,
        wanted=wanted,
        channels=None if channels is None else sorted(channels),
        sellers=None if sellers is None else sorted(sellers),
        from_order=start,
        is_rising=is_rising,
        at_most=at_most,
        looks_at=looks_at,
    )
    rows_of: dict[bool, list[OrderSummary]] = {True: [], False: []}
    is_by_placed = False
    async for row in rows:
        told = dict(row)
        is_by_placed = told.pop("by_placed")
        rows_of[told.pop("is_listed")].append(OrderSummary(**told))
    return ListedOrders(
        orders=tuple(rows_of[True]),
        looked_until=next(iter(rows_of[False]), None),
        is_by_placed=is_by_placed,
    )


async def told_of(conn: Connection, order_ids: Sequence[str]) -> dict[str, ToldOfOrder]:
    """Order id → what a list can say of an order beside its summary."""
    rows = _sql.told_of(conn, order_ids=list(order_ids))
    return {row["order_id"]: ToldOfOrder(**row) async for row in rows}


async def countries(conn: Connection) -> list[str]:
    """The codes of the countries that orders go to, or went to."""
    return [row["country"] async for row in _sql.countries(conn)]
