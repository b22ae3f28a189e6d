"""The audit of the database: every invariant that SQL can check, over one snapshot.

The sandbox companies' records lie in the same database, and so in the same snapshot. Those of a
real company are not compared here, and are counted as not compared.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from domain.money import Money
from store.database import Connection, Record, load_queries
from store.views.audit_checks import faults, owners
from store.views.audited.check import Violation

__all__ = [
    "Counts",
    "Findings",
    "UnderWay",
    "decisions",
    "look",
    "owners",
    "purchase_states",
]

_sql = load_queries(__file__)


class UnderWay(BaseModel):
    """A payment of an open order that was requested and has no outcome yet."""

    model_config = ConfigDict(frozen=True)

    order_id: str
    seller: str
    payment_key: str
    kind: str
    state: Literal["requested", "unknown"]
    amount: Money
    requested_at: datetime


class Counts(BaseModel):
    """How much was checked. `not_compared`: payments at companies whose records are not here."""

    model_config = ConfigDict(frozen=True)

    stock_rows: int
    orders: int
    payments: int
    journal_entries: int
    parcels: int
    purchase_orders: int = 0
    not_compared: int


class Findings(BaseModel):
    """One snapshot. `violations` are certain; `suspects` may be under way: look again later."""

    model_config = ConfigDict(frozen=True)

    counts: Counts
    violations: tuple[Violation, ...]
    suspects: tuple[Violation, ...]
    under_way: tuple[UnderWay, ...]
    unfinished: frozenset[str]
    open_purchases: frozenset[str]


async def look(conn: Connection) -> Findings:
    """Check every invariant in one read-only snapshot of the database."""
    async with conn.transaction(isolation="repeatable_read", readonly=True):
        violations, suspects = await faults(conn)
        return Findings(
            counts=Counts(**await _sql.counts(conn)),
            violations=violations,
            suspects=suspects,
            under_way=tuple([_under_way(row) async for row in _sql.payments_under_way(conn)]),
            unfinished=frozenset([row["order_id"] async for row in _sql.unfinished(conn)]),
            open_purchases=frozenset([row["po_id"] async for row in _sql.open_purchases(conn)]),
        )


async def decisions(conn: Connection, order_ids: Iterable[str]) -> dict[str, str]:
    """The present decisions about those of the orders that are on record."""
    rows = _sql.decisions(conn, order_ids=list(order_ids))
    return {row["order_id"]: row["decision"] async for row in rows}


async def purchase_states(conn: Connection, po_ids: Iterable[str]) -> dict[str, str]:
    """The present states of those of the purchase orders that are on record."""
    rows = _sql.purchase_states(conn, po_ids=list(po_ids))
    return {row["po_id"]: row["state"] async for row in rows}


def _under_way(row: Record) -> UnderWay:
    return UnderWay(
        order_id=row["order_id"],
        seller=row["seller"],
        payment_key=row["payment_key"],
        kind=row["kind"],
        state=row["state"],
        amount=Money(minor=row["amount_minor"], currency=row["currency"]),
        requested_at=row["requested_at"],
    )
