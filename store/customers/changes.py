"""What other systems are told of customers, in a sequence that stays."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from store.database import Connection, load_queries

_sql = load_queries(__file__)

ChangeKind = Literal[
    "created",
    "ordered",
    "changed",
    "merged",
    "unmerged",
    "consent_changed",
    "segment_entered",
    "segment_left",
    "erased",
]


class Place(NamedTuple):
    """A place in the sequence: behind this change of this transaction."""

    xact: int
    change_no: int


class Change(BaseModel):
    """What happened to a customer.

    `into_no`: of merges, the customer who remains. `segment`: that the customer has come into, or
    has left.
    """

    model_config = ConfigDict(frozen=True)

    change_no: int
    xact: int
    customer_no: int
    what: ChangeKind
    into_no: int | None
    segment: str | None
    at: datetime


class Horizon(NamedTuple):
    """`now`: what was told before is behind it. `next`: no transaction has this number yet."""

    now: int
    next: int


async def changes(conn: Connection, after: Place, *, at_most: int) -> list[Change]:
    """The changes behind a place, in the sequence in which they became visible."""
    rows = _sql.changes(conn, after_xact=str(after.xact), after_no=after.change_no, at_most=at_most)
    return [Change(**row) async for row in rows]


async def horizon(conn: Connection) -> Horizon:
    """How far the sequence goes at this moment."""
    row = await _sql.horizon(conn)
    return Horizon(row["now"], row["next"])


async def forgotten(conn: Connection) -> Place:
    """The last change that was deleted: who has not read so far has missed some."""
    row = await _sql.forgotten(conn)
    return Place(row["xact"], row["change_no"])


async def forget(conn: Connection, kept: timedelta, at_most: int) -> int:
    """Delete what other systems were told of customers so long ago: how many."""
    count: int = await _sql.forget(conn, kept=kept, at_most=at_most)
    return count
