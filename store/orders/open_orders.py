"""Open orders: those that need a workflow, whether they have one or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.orders.starts import OrderStart
from store.database import Connection, load_queries
from store.orders.intake import LEASE, start_of

_sql = load_queries(__file__)


@dataclass(frozen=True)
class Listed:
    """An open order. `waits`: its first start is due, and a worker's relay makes it."""

    order_no: int
    order_id: str
    waits: bool


@dataclass(frozen=True)
class Standing:
    """How an order stands, and what it takes to start its workflow.

    `state`, since `decided_at`, for `reason`. `begun`: the first step of its workflow is done.
    """

    start: OrderStart
    is_open: bool
    state: str
    reason: str | None
    decided_at: datetime
    begun: bool


async def page(conn: Connection, *, after: int, at_most: int) -> Sequence[Listed]:
    """The next open orders behind that number, the oldest first."""
    rows = _sql.page(conn, after=after, at_most=at_most, lease=LEASE)
    return [Listed(**row) async for row in rows]


async def of_ids(conn: Connection, order_ids: Sequence[str]) -> dict[str, Standing]:
    """How those of these orders stand that are on record."""
    rows = _sql.of_ids(conn, order_ids=list(order_ids))
    return {
        row["order_id"]: Standing(
            start=start_of(row),
            is_open=row["is_open"],
            state=row["state"],
            reason=row["reason"],
            decided_at=row["decided_at"],
            begun=row["begun"],
        )
        async for row in rows
    }
