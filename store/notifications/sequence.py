"""The sequence of events: lines of stories that others are told, each with its position.

The routines tell how a line gets its position, and why none is lost or comes too early.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

from domain.notifications.event_types import is_of_customers
from store.database import Connection, load_queries

_sql = load_queries(__file__)

CHANNEL: Final = "event_out"
"""The PostgreSQL notification channel that tells of new events."""


async def advance(
    conn: Connection,
    types: Mapping[str, str],
    changes: Mapping[str, str],
    *,
    at_most: int,
    unread: timedelta,
) -> tuple[int, bool]:
    """Give positions to what was told since the last time, about so many lines at most.

    `types`: first words of a line → the type of its event; other lines are none. `changes`: what
    happens to customers → the type of its event. `unread`: it
    stops when nobody has read for so long, and nobody subscribes. Returns how many events got
    their position, and whether there are more. One that is being done keeps nobody waiting.
    """
    row = await _sql.advance(
        conn,
        words=list(types),
        types=list(types.values()),
        whats=list(changes),
        types_of=list(changes.values()),
        at_most=at_most,
        unread=unread,
    )
    return row["given"], row["more"]


async def wanted(conn: Connection, types: Sequence[str] | None = None) -> None:
    """Somebody reads events, or subscribes: from now on they get positions, if they did not.

    `types`: of these; None: all that orders tell.
    """
    if any(is_of_customers(one) for one in types or ()):
        await _sql.wanted_of_customers(conn)
    else:
        await _sql.wanted(conn)


async def forget(conn: Connection, kept_for: timedelta, batch: int) -> int:
    """Delete some events that are older. Returns how many."""
    return len([row async for row in _sql.forget(conn, kept_for=kept_for, batch=batch)])
