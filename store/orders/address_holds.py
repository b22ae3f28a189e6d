"""Holds that stand until an address is checked."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from domain.orders.people import Address
from domain.stored import stored
from store.database import Connection, load_queries

_sql = load_queries(__file__)


class Unchecked(NamedTuple):
    """A hold that waits for a check, until so long at most; without an address nothing is sent."""

    order_id: str
    hold_id: str
    check_until: datetime
    address: Address | None
    seen: Any
    """The address as its row has it."""


async def claim(conn: Connection, again_after: timedelta, batch: int) -> list[Unchecked]:
    """Those that wait, for one worker: others leave them alone for so long."""
    rows = _sql.claim(conn, again_after=again_after, batch=batch)
    return [
        Unchecked(
            row["order_id"],
            row["hold_id"],
            row["check_until"],
            None if row["address"] is None else stored(Address, row["address"]),
            row["address"],
        )
        async for row in rows
    ]


async def checked(conn: Connection, looked_at: Unchecked, fault: str | None) -> bool:
    """What came of it. False: it was known before, the hold has ended, or the address is another.

    The caller holds the order's lock.
    """
    return bool(
        await _sql.checked(
            conn,
            order_id=looked_at.order_id,
            hold_id=looked_at.hold_id,
            fault=fault,
            seen=looked_at.seen,
        )
    )
