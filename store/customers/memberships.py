"""Who belonged to which segment when somebody looked last; what has changed since is told."""

from __future__ import annotations

from collections.abc import Sequence

from store.database import Connection, load_queries

_sql = load_queries(__file__)


async def turn(conn: Connection) -> int | None:
    """Behind which customer to look, in this transaction.

    None: another one is at it, or there is no segment and nobody who belonged to one.
    """
    after: int | None = await _sql.turn(conn)
    return after


async def settle(
    conn: Connection,
    theirs: Sequence[tuple[int, str]],
    *,
    after: int,
    upto: int | None,
    unread: Sequence[str],
) -> None:
    """Keep which customers behind `after` and up to `upto` belong to which segments.

    None: up to the last one, and the next look begins anew. Who has come or gone is told. `unread`:
    segments that this version cannot read, of which nobody goes.
    """
    await _sql.settle(
        conn,
        customer_nos=[number for number, _ in theirs],
        segments=[segment for _, segment in theirs],
        after=after,
        upto=upto,
        unread=list(unread),
    )
