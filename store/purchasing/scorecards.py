"""What became of what suppliers were asked for. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from domain.purchasing.scorecards import BoughtLine
from store.database import Connection, load_queries

_sql = load_queries(__file__)


async def lines(
    conn: Connection,
    suppliers: Sequence[str],
    *,
    since: date,
    locations: Sequence[str] | None = None,
    at_most: int,
) -> list[BoughtLine]:
    """The latest lines that were ordered of these suppliers since then, and sent to them."""
    rows = _sql.lines(
        conn,
        suppliers=list(suppliers),
        locations=None if locations is None else list(locations),
        since=since,
        at_most=at_most,
    )
    return [BoughtLine(**row) async for row in rows]
