"""Runs of scans, as rows: who has them, where they stand, and the answer to the last scan.

A scan writes the next state with the answer, and with the facts that were decided and are not
recorded yet. The first fact is recorded in the same transaction, and each other one in a
transaction of its own behind it, which takes it off the run. So a run that is broken off in between
goes on there, and nothing happens twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict

from domain.errors import NotFound
from domain.warehouse.scans import Answer, Fact
from store.database import Connection, load_queries

_sql = load_queries(__file__)


class Run(BaseModel):
    """One run. `state`: as its kind writes it. `who`: has it; `login` is the same person.

    `version`: another one whenever the run was written.
    """

    model_config = ConfigDict(frozen=True)

    run_no: int
    kind: str
    location: str
    login: str
    who: str
    begun_at: datetime
    changed_at: datetime
    ended_at: datetime | None
    state: dict[str, Any]
    facts: tuple[Fact, ...]
    last_seq: int
    last_scan: str | None
    answer: Answer | None
    version: str


class Holder(BaseModel):
    """Who works on a part."""

    model_config = ConfigDict(frozen=True)

    part_id: str
    run_no: int
    login: str
    who: str
    changed_at: datetime


async def wait_turn(conn: Connection, location: str) -> None:
    """Until the transaction ends, nobody else begins at this location."""
    await _sql.wait_turn(conn, location=location)


async def of_request(conn: Connection, login: str, request_id: str) -> int | None:
    """The open run that somebody has begun with this request."""
    found: int | None = await _sql.of_request(conn, login=login, request_id=request_id)
    return found


async def begin(
    conn: Connection,
    kind: str,
    location: str,
    login: str,
    who: str,
    state: BaseModel,
    request_id: str | None = None,
) -> int:
    """Begin a run, and answer its number."""
    return int(
        await _sql.begin(
            conn,
            kind=kind,
            location=location,
            login=login,
            who=who,
            state=state.model_dump(mode="json"),
            request_id=request_id,
        )
    )


async def find(conn: Connection, run_no: int) -> Run:
    """One run. Raises NotFound."""
    return _run(await _sql.find(conn, run_no=run_no), run_no)


async def locked(conn: Connection, run_no: int) -> Run:
    """The same, and nobody else changes it until the transaction ends. Raises NotFound."""
    return _run(await _sql.lock(conn, run_no=run_no), run_no)


def _run(row: Any, run_no: int) -> Run:
    if row is None:
        raise NotFound(f"there is no run {run_no}", reason="no_run")
    return Run(**row)


async def save(
    conn: Connection,
    run: Run,
    state: BaseModel,
    facts: Sequence[Fact],
    answer: Answer | None,
    *,
    last_seq: int,
    last_scan: str | None,
    is_over: bool,
) -> Run | None:
    """Write where a run stands, and answer it; None: somebody has written it since it was read."""
    new = {
        "state": state.model_dump(mode="json"),
        "last_seq": last_seq,
        "last_scan": last_scan,
    }
    row = await _sql.save(
        conn,
        run_no=run.run_no,
        version=run.version,
        **new,
        facts=[fact.model_dump(mode="json", exclude_defaults=True) for fact in facts],
        answer=None if answer is None else answer.model_dump(mode="json"),
        is_over=is_over,
    )
    if row is None:
        return None
    return run.model_copy(update={**new, **row, "facts": tuple(facts), "answer": answer})


async def hold(conn: Connection, run_no: int, parts: Sequence[str]) -> list[str]:
    """Take these parts for a run. Returns those that others have."""
    if not parts:
        return []
    rows = _sql.hold(conn, run_no=run_no, parts=list(parts))
    got = {row["part_id"] async for row in rows}
    return [part for part in parts if part not in got]


async def let_go(conn: Connection, run_no: int, parts: Sequence[str]) -> None:
    """Others may take these parts from now on."""
    if parts:
        await _sql.let_go(conn, run_no=run_no, parts=list(parts))


async def holders(conn: Connection, parts: Sequence[str]) -> list[Holder]:
    """Who works on these parts; those that nobody works on are left out."""
    return [Holder(**row) async for row in _sql.holders(conn, parts=list(parts))]


async def take_over(conn: Connection, run: Run, login: str, who: str) -> Run:
    """Somebody else goes on with it. One that is over stays as it is."""
    version = await _sql.take_over(conn, run_no=run.run_no, login=login, who=who)
    if version is None:
        return run
    return run.model_copy(update={"login": login, "who": who, "version": version})


async def open_at(conn: Connection, location: str, at_most: int = 200) -> list[Run]:
    """The open runs of a location, those that were touched last first."""
    return [Run(**row) async for row in _sql.open_at(conn, location=location, at_most=at_most)]


async def not_for(
    conn: Connection,
    run_nos: Sequence[int],
    channels: Sequence[str] | None,
    sellers: Sequence[str] | None,
) -> set[int]:
    """Those of these runs that have parcels of other channels or sellers; None: all are theirs."""
    rows = _sql.not_for(conn, run_nos=list(run_nos), channels=channels, sellers=sellers)
    return {row["run_no"] async for row in rows}


async def left_over(conn: Connection, older_than: timedelta, at_most: int) -> list[int]:
    """Runs with facts that nobody has recorded for so long, the oldest first."""
    rows = _sql.left_over(conn, older_than=older_than, at_most=at_most)
    return [row["run_no"] async for row in rows]


async def remember(conn: Connection, login: str, location: str) -> None:
    """Somebody works at this location from now on."""
    await _sql.remember(conn, login=login, location=location)


async def place_of(conn: Connection, login: str) -> str | None:
    """Where somebody said to work; None: nowhere yet."""
    found: str | None = await _sql.place_of(conn, login=login)
    return found


async def forget(conn: Connection, kept: timedelta, at_most: int) -> int:
    """Delete runs that ended so long ago, some at a time, and answer how many went."""
    return int(await _sql.forget(conn, kept=kept, at_most=at_most))
