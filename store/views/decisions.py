"""Decisions about orders: the answers to placing them, and the choices of locations."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Literal

from domain.stock.locations import Promise
from domain.stock.sourcing import Considered
from store.database import Connection, load_queries
from store.views import reads
from store.views.reads import Row

_sql = load_queries(__file__)


class Decision(Row):
    """The answer to placing an order with this content.

    `missing` and `backordered`: line id → units; `expected`: when the latter were promised.
    No outcome: the order's id was used for other content.
    """

    order_id: str
    digest: str
    outcome: Literal["confirmed", "held", "rejected"] | None
    reason: str
    missing: dict[str, int]
    backordered: dict[str, int]
    expected: dict[str, Promise]
    promised_on: date | None


async def decided(conn: Connection, asked: Sequence[tuple[str, str]]) -> list[Decision]:
    """The recorded answers to placing orders, for pairs of (order id, digest)."""
    order_ids = [order_id for order_id, _ in asked]
    digests = [digest for _, digest in asked]
    rows = _sql.decisions(conn, order_ids=order_ids, digests=digests)
    return [Decision(**row) async for row in rows]


class Sourced(Row):
    """A choice of locations for units of an order, and its reasons."""

    at: datetime
    what: str
    why: str
    considered: tuple[Considered, ...]
    exact: bool


async def sourcing(conn: Connection, order_id: str) -> list[Sourced]:
    """Every choice of locations that was made for an order, oldest first. Raises NotFound."""
    return [
        Sourced(at=event.at, what=event.what, why=event.why, **event.data["sourcing"])
        for event in await reads.story(conn, order_id)
        if "sourcing" in event.data
    ]
