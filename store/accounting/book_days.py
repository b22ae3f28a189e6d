"""Days of the books that are over, added up: what pages read instead of a year's entries."""

from __future__ import annotations

from store.database import Connection, load_queries

_sql = load_queries(__file__)


async def add_up(conn: Connection, at_most: int) -> int:
    """Add up so many days, one after the other. Returns how many were left to be added up.

    Each is committed by itself: no entry waits longer than one day takes.
    """
    for number in range(at_most):
        if await _sql.add_up_a_day(conn) is None:
            return number
    return at_most
