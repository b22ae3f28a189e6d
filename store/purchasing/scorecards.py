"""What became of what suppliers were asked for. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from domain.calendars import Calendar
from domain.purchasing.scorecards import BoughtLine
from domain.stored import stored
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
    """The latest `at_most` lines that were ordered of each supplier since then, and sent to it.

    What was promised for a day on which its location does not work is awaited on the next one on
    which it does.
    """
    rows = _sql.lines(
        conn,
        suppliers=list(suppliers),
        locations=None if locations is None else list(locations),
        since=since,
        at_most=at_most,
    )
    calendars: dict[str, Calendar] = {}
    found = []
    async for row in rows:
        place = row["location"]
        if place not in calendars:
            calendars[place] = stored(Calendar, row["calendar"])
        awaited = calendars[place].first_working_day(row["promised_on"])
        found.append(BoughtLine(**{**row, "promised_on": awaited}))
    return found
