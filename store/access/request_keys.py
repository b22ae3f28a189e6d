"""What was asked for under a key of its sender's, and what was answered.

A row is written in the transaction of what the request does: where that is undone, so is the row,
and the next request with the key is the first one again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from domain.access.request_keys import RequestKey
from store.database import Connection, load_queries

_sql = load_queries(__file__)


class Kept(NamedTuple):
    """The first request of a key, and its answer. `status`: None where its effect tells that."""

    digest: str
    status: int | None
    location: str | None
    body: Any


async def claim(conn: Connection, asked: Sequence[RequestKey]) -> list[bool]:
    """Take these keys. False for each that was taken before, or stands earlier in the sequence.

    Where another transaction is taking one of them, this waits for its end.
    """
    rows = _sql.claim(
        conn,
        key_ids=[one.key_id for one in asked],
        paths=[one.path for one in asked],
        keys=[one.key for one in asked],
        digests=[one.digest for one in asked],
    )
    new = {row["position"] async for row in rows}
    return [position in new for position in range(1, len(asked) + 1)]


async def answer(
    conn: Connection, asked: RequestKey, status: int, location: str | None, body: Any
) -> None:
    """Keep the answer, in the transaction that has taken the key."""
    await _sql.answer(
        conn,
        status=status,
        location=location,
        body=body,
        key_id=asked.key_id,
        path=asked.path,
        key=asked.key,
    )


async def release(conn: Connection, asked: RequestKey) -> None:
    """Give the key back: what was asked for under it was refused."""
    await _sql.release(conn, key_id=asked.key_id, path=asked.path, key=asked.key)


async def find(conn: Connection, asked: RequestKey) -> Kept | None:
    """The first request with the same key, or None. Raises KeyReused if it had other content."""
    row = await _sql.find(conn, key_id=asked.key_id, path=asked.path, key=asked.key)
    if row is None:
        return None
    kept = Kept(row["digest"], row["status"], row["location"], row["body"])
    asked.check_same(kept.digest)
    return kept


async def forget(conn: Connection, kept: timedelta, at_most: int) -> int:
    """Delete keys that are older. Returns how many of them."""
    count: int = await _sql.forget(conn, kept=kept, at_most=at_most)
    return count
