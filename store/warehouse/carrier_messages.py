"""Carriers' messages: kept before the carrier gets its answer, and worked through once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from pydantic import BaseModel, ConfigDict

from domain.errors import NotFound
from store.database import Connection, Record, load_queries

_sql = load_queries(__file__)

CHANNEL: Final = "carrier_message"
"""The PostgreSQL notification channel that wakes the relay."""


@dataclass(frozen=True)
class Sent:
    """A message as its carrier sent it."""

    sender: str
    message_id: str
    body: bytes


class CarrierMessage(BaseModel):
    """A message without its body.

    `tracking_number`: no parcel has it, or any of these. `last_error`: why it waits. `outcome`:
    what it led to.
    """

    model_config = ConfigDict(frozen=True)

    message_no: int
    sender: str
    message_id: str
    received_at: datetime
    tries: int
    tracking_number: str | None
    last_error: str | None
    processed_at: datetime | None
    outcome: str | None
    try_after: datetime | None


async def keep(conn: Connection, sent: Sequence[Sent]) -> list[bool]:
    """Keep messages, each once per id: the first one counts. False for an id that was known."""
    rows = _sql.keep(
        conn,
        senders=[one.sender for one in sent],
        message_ids=[one.message_id for one in sent],
        bodies=[one.body for one in sent],
    )
    new = {row["position"] async for row in rows}
    return [position in new for position in range(1, len(sent) + 1)]


async def claim(conn: Connection, lease: timedelta, at_most: int) -> list[Record]:
    """Messages to work through, new ones first: message_no, sender, body, received_at, tries.

    `lease`: nobody else gets them for so long.
    """
    rows = [row async for row in _sql.claim(conn, lease=lease, at_most=at_most)]
    return sorted(rows, key=lambda row: (int(row["tries"]) > 0, int(row["message_no"])))


class Label(NamedTuple):
    """`carrier`: as it calls it. `asked_at`: when it was asked for."""

    carrier: str
    asked_at: datetime


async def label_of(conn: Connection, tracking_number: str, names: Sequence[str]) -> Label | None:
    """The newest label with this number whose carrier has one of these names.

    `names`: the best one first. Capital letters do not count.
    """
    row = await _sql.label_of(
        conn, tracking_number=tracking_number, names=[name.lower() for name in names]
    )
    return None if row is None else Label(row["carrier"], row["asked_at"])


async def processed(conn: Connection, message_no: int, outcome: str) -> None:
    """It is worked through, for good."""
    await _sql.processed(conn, message_no=message_no, outcome=outcome)


async def later(
    conn: Connection,
    message_no: int,
    pause: timedelta,
    *,
    error: str,
    tracking_number: str | None = None,
) -> None:
    """Work on it again after the pause. `tracking_number`: no parcel has it yet."""
    await _sql.later(
        conn, message_no=message_no, pause=pause, error=error, tracking_number=tracking_number
    )


async def settle(conn: Connection, message_no: int, note: str) -> None:
    """A person has dealt with it, and with all about the same numbers of no parcel.

    Raises NotFound for one that is not waiting.
    """
    if not [row async for row in _sql.settle(conn, message_no=message_no, note=note)]:
        raise NotFound(f"no carrier's message {message_no} waits")


async def find(
    conn: Connection, *, failed: bool = False, after: int | None = None, at_most: int = 100
) -> list[CarrierMessage]:
    """Messages, the newest first. `failed`: only those that need a person."""
    rows = _sql.find(conn, failed=failed, after=after, at_most=at_most)
    return [CarrierMessage(**row) async for row in rows]


async def forget(conn: Connection, kept_for: timedelta, batch: int) -> int:
    """Delete those that were worked through longer ago than that. Returns how many."""
    return len([row async for row in _sql.forget(conn, kept_for=kept_for, batch=batch)])
