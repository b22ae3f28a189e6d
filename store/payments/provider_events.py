"""Events that payment companies send: stored before the company gets its answer, processed once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from domain.errors import Conflict
from domain.payments.elsewhere import PaidBack
from domain.payments.provider_events import PaymentNews, Wake
from store.database import Connection, Record, load_queries
from store.locks import lock_order
from store.orders import events
from store.payments import bounced_refunds, elsewhere, payments

_sql = load_queries(__file__)

CHANNEL = "provider_event"
"""The PostgreSQL notification channel that wakes the relay."""

# The events of interest, by the beginning of their type.
_KINDS: Final = {
    "authorized": ("authorize",),
    "captured": ("capture",),
    "refunded": ("refund",),
    "failed": ("authorize", "capture"),
    "ended": ("authorize", "void"),
    "refund_failed": ("refund",),
}
_UNSETTLED: Final = ("requested", "unknown")


@dataclass(frozen=True)
class Told:
    """An event as its company sent it."""

    provider: str
    event_id: str
    kind: str
    body: dict[str, Any]
    happened_at: datetime


async def keep(conn: Connection, told: Sequence[Told]) -> list[bool]:
    """Store events, each once per id: the first one counts. False for an id that was known."""
    rows = _sql.keep_events(
        conn,
        providers=[one.provider for one in told],
        event_ids=[one.event_id for one in told],
        types=[one.kind for one in told],
        bodies=[one.body for one in told],
        happened=[one.happened_at for one in told],
    )
    new = {row["position"] async for row in rows}
    return [position in new for position in range(1, len(told) + 1)]


async def kept_the_same(
    conn: Connection, provider: str, event_id: str, kind: str, data: Any
) -> bool:
    """Whether the event that is stored under this id has the same content."""
    same: bool = await _sql.kept_the_same(
        conn, provider=provider, event_id=event_id, type=kind, data=data
    )
    return same


async def lock_due(conn: Connection) -> Record | None:
    """Lock the next event to process: provider, event_id, type, body, happened_at, tries.

    No other worker gets it until the transaction ends. This lock comes before an order's.
    """
    row: Record | None = await _sql.lock_due_event(conn)
    return row


async def processed(conn: Connection, provider: str, event_id: str) -> None:
    """Mark the event as processed, for good."""
    await _sql.event_processed(conn, provider=provider, event_id=event_id)


async def forget_processed(conn: Connection, kept_for: timedelta, batch: int) -> int:
    """Delete events that were processed longer ago than that. Returns how many.

    One that is sent again after that is processed again, which changes nothing.
    """
    rows = _sql.forget_processed(conn, kept_for=kept_for, batch=batch)
    return len([row async for row in rows])


async def later(
    conn: Connection, provider: str, event_id: str, error: str, pause: timedelta
) -> None:
    """Process it again after the pause; the error says why not now."""
    await _sql.event_later(conn, error=error, pause=pause, provider=provider, event_id=event_id)


async def heed(conn: Connection, provider: str, news: PaymentNews) -> Sequence[Wake]:
    """Take news about a payment, in the caller's transaction.

    Returns the steps that may go on now. Only the order's own step records the outcome of a call.
    So news about an open operation just means that its step, if it waits for a person, could look
    the outcome up again.
    """
    rows = [
        row
        async for row in _sql.payments_named(
            conn, provider=provider, keys=list(news.keys), refs=list(news.references)
        )
        if row["kind"] in _KINDS[news.fate]
    ]
    if news.refund is not None and not any(row["directly"] for row in rows):
        return await paid_back(conn, provider, news.refund)
    for row in rows:
        if not row["directly"]:
            continue
        if row["state"] == "succeeded":
            await _late_word(conn, provider, news, row)
        elif news.fate == "refund_failed" and row["state"] in _UNSETTLED and row["step"] is None:
            # The step is about to record it as done, and would not notice this news any more.
            raise Conflict(f"what became of {row['payment_key']} is not recorded yet")
    wakes = [
        Wake(order_id=row["order_id"], step=row["step"], why=f"{provider} says: {news.fate}")
        for row in rows
        if row["state"] in _UNSETTLED and row["step"] is not None
    ]
    return tuple(dict.fromkeys(wakes))  # One step may make several calls.


async def paid_back(conn: Connection, provider: str, refund: PaidBack) -> Sequence[Wake]:
    """Record a refund that nobody here asked for. The steps of refunds that it pays may go on."""
    recorded = await elsewhere.record(conn, provider, refund, who=provider, why="")
    if recorded is None:
        return ()
    order_id = recorded.order_id
    asked = {row["step"] for row in await events.open_attention(conn, [order_id])}
    steps = [f"refund_payment {owing.refund_id}" for owing in recorded.allotment.owed]
    why = f"{refund.amount} were paid back at {provider}"
    return [Wake(order_id=order_id, step=step, why=why) for step in steps if step in asked]


async def _late_word(conn: Connection, provider: str, news: PaymentNews, row: Record) -> None:
    """Record news about a payment operation that had succeeded before."""
    order_id, key = row["order_id"], row["payment_key"]
    if news.fate == "ended" and row["kind"] == "authorize":
        await lock_order(conn, order_id)
        if await _sql.end_authorization(conn, at=news.said_at, payment_key=key) is not None:
            await events.tell(
                conn,
                order_id,
                f"{key}:ended",
                "authorization ended",
                who=provider,
                why=news.why,
                after_end=True,
            )
    elif news.fate == "refund_failed":
        await lock_order(conn, order_id)
        payment = await payments.find(conn, key)
        assert payment is not None
        await bounced_refunds.came_back(conn, payment, news.why)
