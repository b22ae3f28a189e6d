"""Jobs: made, read, cancelled, called for, and forgotten."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from domain.errors import NotFound, Refused
from domain.jobs.jobs import ItemFault, Job, JobItem, Kind, Maker, ResultFile, State
from store.database import Connection, Record, load_queries

_sql = load_queries(__file__)

OPEN_MAX: Final = 100
"""So many jobs of one key may wait or run: each may hold a file."""

CHANNEL: Final = "job"
"""The notification that a job is to be called for."""


async def make(
    conn: Connection, job_id: str, kind: Kind, options: dict[str, Any], maker: Maker
) -> bool:
    """Write a job down. What it is made of follows in the same transaction.

    False: there is one of this id. Raises Refused where its key has many that have not ended.
    """
    if maker.key_id is not None and await _sql.open_of(conn, key_id=maker.key_id) >= OPEN_MAX:
        raise Refused(
            f"the key has {OPEN_MAX} jobs that have not ended: wait for some, or cancel them"
        )
    made = await _sql.make(
        conn,
        job_id=job_id,
        kind=kind,
        options=options,
        key_id=maker.key_id,
        made_by=maker.by,
        channels=_list(maker.channels),
        sellers=_list(maker.sellers),
        locations=_list(maker.locations),
    )
    return made is not None


async def get(conn: Connection, job_id: str) -> Job:
    """One job. Raises NotFound."""
    row = await _sql.find(conn, job_id=job_id)
    if row is None:
        raise unknown(job_id)
    return _job(row)


async def listed(
    conn: Connection,
    *,
    kinds: Collection[Kind],
    kind: Kind | None = None,
    state: State | None = None,
    channels: Collection[str] | None = None,
    sellers: Collection[str] | None = None,
    locations: Collection[str] | None = None,
    after: tuple[datetime, str] | None = None,
    at_most: int,
) -> list[Job]:
    """Jobs, newest first, of some kinds. `channels`, `sellers`, `locations`: within these.

    `after`: a page behind the job that was made then and has this id.
    """
    at, job_id = after or (None, None)
    rows = _sql.listed(
        conn,
        kinds=list(kinds),
        kind=kind,
        state=state,
        channels=None if channels is None else list(channels),
        sellers=None if sellers is None else list(sellers),
        locations=None if locations is None else list(locations),
        after_at=at,
        after_id=job_id,
        at_most=at_most,
    )
    return [_job(row) async for row in rows]


async def items(
    conn: Connection, job_id: str, *, outcome: str | None = None, after: int = 0, at_most: int
) -> list[JobItem]:
    """Items of a job by their numbers, behind the number `after`."""
    rows = _sql.items(conn, job_id=job_id, outcome=outcome, after=after, at_most=at_most)
    return [JobItem(**{**row, "faults": tuple(row["faults"] or ())}) async for row in rows]


async def part(conn: Connection, job_id: str, number: int) -> bytes | None:
    """A part of the job's file, from 1. None: there is none of this number."""
    content: bytes | None = await _sql.part(conn, job_id=job_id, number=number)
    return content


async def ask_to_cancel(conn: Connection, job_id: str) -> None:
    """Have the rest of it skipped. One that has ended stays as it is."""
    await _sql.ask_to_cancel(conn, job_id=job_id)


async def to_call(conn: Connection, lease: timedelta, at_most: int) -> list[tuple[str, Kind]]:
    """Jobs whose workflow is to be called for, and their kinds. `lease`: then it is called again.

    Each is for one caller.
    """
    rows = _sql.to_call(conn, lease=lease, at_most=at_most)
    return [(row["job_id"], row["kind"]) async for row in rows]


async def not_called(conn: Connection, job_ids: Sequence[str]) -> None:
    """Their workflows could not be called: somebody tries again."""
    await _sql.not_called(conn, job_ids=list(job_ids))


async def forget_items(conn: Connection, kept: timedelta, at_most: int) -> int:
    """Delete items of one job that ended longer ago, and has some. Returns how many."""
    count: int = await _sql.forget_items(conn, kept=kept, at_most=at_most)
    return count


async def forget(conn: Connection, kept: timedelta, at_most: int) -> int:
    """Delete jobs that ended longer ago, with all that is left of them. Returns how many."""
    count: int = await _sql.forget(conn, kept=kept, at_most=at_most)
    return count


def unknown(job_id: str) -> NotFound:
    """The error where there is no such job, or it is somebody else's."""
    return NotFound(f"there is no job {job_id}")


def _job(row: Record) -> Job:
    failure = result = None
    if row["failure"] is not None:
        failure = ItemFault(detail=row["failure"])
    # While an import is read, its own file is here; that is no result.
    if row["file_name"] is not None and row["bytes"] is not None:
        result = ResultFile(name=row["file_name"], media_type=row["media_type"], bytes=row["bytes"])
    shown = {name: value for name, value in row.items() if name in Job.model_fields}
    return Job.model_validate(
        {
            **shown,
            "failure": failure,
            "result": result,
        }
    )


def _list(codes: tuple[str, ...] | None) -> list[str] | None:
    return None if codes is None else list(codes)
