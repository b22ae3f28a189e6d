"""The work on a job, asked and told by its rows.

Every change begins with a lock of the job's row. So two attempts at once, of which one is thought
to be dead, see what the other has done: nothing is told twice, and a part is written once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic_core import to_json

from domain.jobs.jobs import (
    ENDED,
    FilePart,
    ItemFault,
    Kind,
    Maker,
    NewItem,
    OpenItem,
    ResultFile,
    State,
    Told,
)
from store.database import Connection, load_queries
from store.jobs.jobs import unknown

_sql = load_queries(__file__)

PART_BYTES: Final = 256 * 1024
"""A file is kept in parts of so many bytes."""

ITEMS_TOGETHER: Final = 500
"""So many items are written in one statement."""

NOT_READ: Final = "invalid_input"
"""The code of an item that cannot be read."""


@dataclass(frozen=True)
class Standing:
    """A job as its work begins, or goes on.

    `reached`: the place behind what is read or written. `erased`: how many customers were erased
    while it ran.
    """

    job_id: str
    kind: Kind
    options: dict[str, Any]
    maker: Maker
    state: State
    cancel_asked: bool
    items_known: bool
    reached: Any
    erased: int

    @property
    def has_ended(self) -> bool:
        """Whether nothing is left to be done."""
        return self.state in ENDED


async def lock(conn: Connection, job_id: str) -> Standing:
    """The job, locked until the transaction ends. Raises NotFound."""
    row = await _sql.lock(conn, job_id=job_id)
    if row is None:
        raise unknown(job_id)
    limits = {name: _codes(row[name]) for name in ("channels", "sellers", "locations")}
    maker = Maker(row["made_by"], row["key_id"], **limits)
    return Standing(
        job_id=job_id,
        kind=row["kind"],
        options=row["options"],
        maker=maker,
        state=row["state"],
        cancel_asked=row["cancel_asked"],
        items_known=row["items_known"],
        reached=row["reached"],
        erased=row["erased"],
    )


async def begin(conn: Connection, job_id: str) -> Standing:
    """waiting → running. One that has begun stays as it is. Raises NotFound."""
    standing = await lock(conn, job_id)
    await _sql.begin(conn, job_id=job_id)
    return standing


async def put_in(conn: Connection, job_id: str, data: bytes) -> None:
    """Keep the file that a new import is made of."""
    for number, start in enumerate(range(0, len(data), PART_BYTES), start=1):
        part = data[start : start + PART_BYTES]
        await _sql.put_in(conn, job_id=job_id, number=number, content=part)


async def add_items(conn: Connection, job_id: str, first: int, items: Sequence[NewItem]) -> None:
    """Write items down, numbered from `first`. Those that are there stay as they are."""
    for start in range(0, len(items), ITEMS_TOGETHER):
        some = items[start : start + ITEMS_TOGETHER]
        await _sql.add_items(
            conn,
            job_id=job_id,
            numbers=[first + start + n for n in range(len(some))],
            contents=[one.content for one in some],
            lines=[one.line for one in some],
            names=[one.reference or None for one in some],
            codes=[NOT_READ if one.content is None else None for one in some],
            details=[one.detail for one in some],
            faults=[_faults(one.faults) for one in some],
        )


async def latest(conn: Connection, job_id: str) -> int:
    """The number of the last item; 0: there is none."""
    number: int = await _sql.latest(conn, job_id=job_id)
    return number


async def reach(conn: Connection, job_id: str, reached: Any) -> None:
    """Remember the place behind what is read."""
    await _sql.reach(conn, job_id=job_id, reached=reached)


async def all_known(conn: Connection, job_id: str) -> None:
    """Every item has its row. The file that the job was made of goes."""
    await _sql.all_known(conn, job_id=job_id)


async def claim(conn: Connection, job_id: str, at_most: int) -> list[OpenItem]:
    """Items to be worked on: those that an attempt has begun and not told, and `at_most` more."""
    rows = _sql.claim(conn, job_id=job_id, new=at_most)
    return [OpenItem(**row) async for row in rows]


async def tell(conn: Connection, job_id: str, told: Sequence[Told]) -> int:
    """Tell what became of items. What was told before stays. Returns how many are told by this."""
    count: int = await _sql.tell(
        conn,
        job_id=job_id,
        numbers=[one.number for one in told],
        outcomes=[one.outcome for one in told],
        names=[one.reference or None for one in told],
        answers=[one.answer or None for one in told],
        codes=[one.code for one in told],
        details=[one.detail or None for one in told],
        faults=[_faults(one.faults) for one in told],
    )
    return count


async def skip(conn: Connection, job_id: str) -> None:
    """Skip all items that have not begun."""
    await _sql.skip(conn, job_id=job_id)


async def write(conn: Connection, job_id: str, part: FilePart) -> None:
    """Write a part of the job's file, behind what is there."""
    number = 1 + int(await _sql.latest_part(conn, job_id=job_id))
    chunks = [
        part.content[start : start + PART_BYTES]
        for start in range(0, len(part.content), PART_BYTES)
    ] or [b""]
    for position, chunk in enumerate(chunks):
        await _sql.write(
            conn,
            job_id=job_id,
            number=number + position,
            content=chunk,
            since=part.first,
            until=part.last,
            rows=0 if position else part.rows,
            reached=part.reached,
        )


async def end(
    conn: Connection,
    job_id: str,
    state: State,
    *,
    failure: ItemFault | None = None,
    code: str | None = None,
    result: ResultFile | None = None,
) -> None:
    """running → done, cancelled or failed. `result`: the name and type of the file it has written.

    `failure`, `code`: why it has failed, in words and as problems name it.

    What is left of its items is skipped, and so is a file that is not whole.
    """
    if failure is not None:
        await _sql.give_up(conn, job_id=job_id)
    if result is None:
        await _sql.drop_parts(conn, job_id=job_id)
    await _sql.end_it(
        conn,
        job_id=job_id,
        state=state,
        failure=failure and failure.detail,
        failure_code=code,
        file_name=result and result.name,
        media_type=result and result.media_type,
    )


def _faults(found: Sequence[ItemFault]) -> str | None:
    """As text: a list in a list would be an array of two dimensions."""
    return to_json(found).decode() if found else None


def _codes(found: Sequence[str] | None) -> tuple[str, ...] | None:
    return None if found is None else tuple(found)
