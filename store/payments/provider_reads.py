"""Disputes and payment companies' events, as people ask for them. Reads only."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from domain.payments.disputes import AWAITED, DisputeState
from store.database import Connection, load_queries

_sql = load_queries(__file__)


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DisputeRow(_Row):
    """A dispute. It has no order when its payment is not known here."""

    provider: str
    dispute_id: str
    order_id: str | None
    payment_key: str | None
    amount_minor: int
    currency: str
    fee_minor: int
    fee_currency: str
    state: DisputeState
    reason: str
    opened_at: datetime
    respond_by: datetime | None
    closed_at: datetime | None
    said_at: datetime


class ProviderEventRow(_Row):
    """A company's event.

    `processed_at`: when it was processed; `try_after`: when it is tried again.
    """

    provider: str
    event_id: str
    type: str
    happened_at: datetime
    received_at: datetime
    processed_at: datetime | None
    tries: int
    try_after: datetime
    last_error: str


async def disputes(
    conn: Connection,
    *,
    order_id: str | None = None,
    open_only: bool = False,
    channels: Collection[str] | None = None,
    sellers: Collection[str] | None = None,
    after: tuple[datetime, str, str] | None = None,
    at_most: int = 100,
) -> list[DisputeRow]:
    """Disputes, newest first: all, one order's, or those that are not decided.

    `channels`, `sellers`: of orders of one of these alone. `after`: behind the one that was opened
    then, at this company, under this id.
    """
    at, provider, dispute_id = after or (None, None, None)
    rows = _sql.list_disputes(
        conn,
        open_only=open_only,
        order_id=order_id,
        channels=None if channels is None else sorted(channels),
        sellers=None if sellers is None else sorted(sellers),
        after_at=at,
        after_provider=provider,
        after_id=dispute_id,
        at_most=at_most,
    )
    return [DisputeRow(**row) async for row in rows]


async def due_disputes(
    conn: Connection,
    *,
    channels: Collection[str] | None = None,
    sellers: Collection[str] | None = None,
    after: tuple[datetime | None, str, str] | None = None,
    at_most: int,
) -> list[DisputeRow]:
    """Disputes that are not decided, what is to be answered next first.

    `channels`, `sellers`: of orders of one of these alone. `after`: behind the one that is to be
    answered then (None: not by us, or at no known time), at this company, under this id.
    """
    due, provider, dispute_id = after or (None, None, None)
    rows = _sql.list_due_disputes(
        conn,
        awaited=list(AWAITED),
        channels=None if channels is None else sorted(channels),
        sellers=None if sellers is None else sorted(sellers),
        after_due=due,
        after_provider=provider,
        after_id=dispute_id,
        at_most=at_most,
    )
    return [DisputeRow(**row) async for row in rows]


async def provider_events(
    conn: Connection,
    *,
    failed: bool = False,
    after: tuple[datetime, str, str] | None = None,
    at_most: int = 100,
) -> list[ProviderEventRow]:
    """Companies' events, newest first: all, or those that could not be processed.

    `after`: behind the one that came then, from this company, under this id.
    """
    at, provider, event_id = after or (None, None, None)
    rows = _sql.list_events(
        conn,
        failed=failed,
        after_at=at,
        after_provider=provider,
        after_id=event_id,
        at_most=at_most,
    )
    return [ProviderEventRow(**row) async for row in rows]
