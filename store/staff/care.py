"""Who sees to a task, and until when nobody has to look at it."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from store.database import Connection, load_queries

_sql = load_queries(__file__)


class TaskKey(NamedTuple):
    """What the list of what waits for a person calls a task."""

    kind: str
    subject: str
    name: str


async def assign(
    conn: Connection, task: TaskKey, login: str | None, *, had: str | None, who: str
) -> bool:
    """Give it to a person; None: to nobody. `had`: whose it was when somebody saw it last.

    False: it is somebody else's meanwhile.
    """
    done = await _sql.assign(conn, **task._asdict(), assigned_to=login, had=had, who=who)
    return done is not None


async def snooze(
    conn: Connection, task: TaskKey, until: datetime, *, reason: str, note: str, who: str
) -> None:
    """Nobody has to look at it until then, or until it says something else than `reason`."""
    await _sql.snooze(
        conn, **task._asdict(), snoozed_until=until, reason=reason, note=note, who=who
    )


async def wake(conn: Connection, task: TaskKey) -> None:
    """It is to be looked at again."""
    await _sql.wake(conn, **task._asdict())
