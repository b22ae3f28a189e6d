"""Shops' messages: kept before the shop gets its answer, and worked through once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict

from domain.errors import NotFound
from store.database import Connection, Record, load_queries

_sql = load_queries(__file__)

CHANNEL = "shop_message"
"""The PostgreSQL notification channel that wakes the relay."""


class ShopMessage(BaseModel):
    """A message without its body.

    `last_error`: why a person is needed. `outcome`: what it led to.
    """

    model_config = ConfigDict(frozen=True)

    message_no: int
    channel: str
    message_id: str
    topic: str
    received_at: datetime
    tries: int
    order_id: str | None
    last_error: str | None
    processed_at: datetime | None
    outcome: str | None
    try_after: datetime | None


@dataclass(frozen=True)
class About:
    """What a message is about: the shop's id of an order, as of when, and our order's id."""

    subject: str | None = None
    version: datetime | None = None
    order_id: str | None = None


async def keep(
    conn: Connection,
    channel: str,
    message_id: str,
    topic: str,
    body: bytes,
    sent_at: datetime | None,
) -> bool:
    """Keep a message, once per id: the first one counts. False if it was kept before."""
    kept = await _sql.keep(
        conn, channel=channel, message_id=message_id, topic=topic, body=body, sent_at=sent_at
    )
    return kept is not None


async def lock_due(conn: Connection) -> Record | None:
    """Lock the next one to work through: message_no, channel, topic, body, sent_at, tries.

    No other worker gets it until the transaction ends. This lock comes before an order's.
    """
    row: Record | None = await _sql.lock_due(conn)
    return row


async def is_outdated(conn: Connection, channel: str, about: About) -> bool:
    """Whether something newer about the same order was worked through."""
    found: bool = await _sql.is_outdated(
        conn, channel=channel, subject=about.subject, version=about.version
    )
    return found


async def is_asking(conn: Connection, channel: str, about: About, message_no: int) -> bool:
    """Whether an earlier message about the same order waits for what it has asked of it."""
    found: bool = await _sql.is_asking(
        conn, channel=channel, subject=about.subject, message_no=message_no
    )
    return found


async def processed(conn: Connection, message_no: int, about: About, outcome: str) -> None:
    """It is worked through, for good."""
    await _sql.processed(conn, message_no=message_no, **_columns(about), outcome=outcome)


async def later(
    conn: Connection,
    message_no: int,
    about: About,
    pause: timedelta,
    *,
    error: str = "",
    asked: bool = False,
) -> None:
    """Work on it again after the pause. `error`: what a person has to mend.

    `asked`: it has asked something of its order, and waits for that.
    """
    await _sql.later(
        conn, message_no=message_no, **_columns(about), error=error, asked=asked, pause=pause
    )


async def was_settled(conn: Connection, channel: str, about: About, error: str) -> bool:
    """Whether a person has dealt with the same, of the same order."""
    found: bool = await _sql.was_settled(conn, channel=channel, subject=about.subject, error=error)
    return found


async def replaced(conn: Connection, channel: str, about: About) -> None:
    """This one needs a person: older ones about the same order need none any more."""
    await _sql.replaced(conn, channel=channel, subject=about.subject, version=about.version)


async def settle(conn: Connection, channel: str, message_no: int, note: str) -> None:
    """A person has dealt with it. Raises NotFound for one that is not waiting."""
    if await _sql.settle(conn, message_no=message_no, channel=channel, note=note) is None:
        raise NotFound(
            f"no message {message_no} of {channel} waits; `orderloom shops messages` shows them"
        )


async def find(
    conn: Connection,
    channel: str | None = None,
    *,
    failed: bool = False,
    after: int | None = None,
    at_most: int = 100,
) -> list[ShopMessage]:
    """Messages, the newest first. `failed`: only those that need a person."""
    rows = _sql.find(conn, channel=channel, failed=failed, after=after, at_most=at_most)
    return [ShopMessage(**row) async for row in rows]


async def forget(conn: Connection, kept_for: timedelta, batch: int) -> int:
    """Delete those that were worked through longer ago than that. Returns how many."""
    return len([row async for row in _sql.forget(conn, kept_for=kept_for, batch=batch)])


@dataclass(frozen=True)
class Standing:
    """How an order stands here. `lines`: line id → units ordered, cancelled and left."""

    decision: str
    document: Mapping[str, Any]
    total_minor: int
    authorized: int
    captured: int
    provider: str
    digest: str
    lines: Mapping[str, Mapping[str, int]]


async def standing(conn: Connection, order_id: str) -> Standing | None:
    """How an order stands here; None: it is not on record."""
    row = await _sql.standing(conn, order_id=order_id)
    return None if row is None else Standing(**row)


def _columns(about: About) -> dict[str, Any]:
    return {"subject": about.subject, "version": about.version, "order_id": about.order_id}
