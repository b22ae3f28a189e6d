"""SKUs as something to refer to: each has its row of `item`, made by the first to name it."""

from __future__ import annotations

from collections.abc import Iterable

from store.database import Connection, load_queries

_sql = load_queries(__file__)


async def know(conn: Connection, skus: Iterable[str]) -> None:
    """Make the items that are not there yet, with the defaults.

    Called before stock is locked: another transaction may be making the same rows, and is waited
    for.
    """
    await _sql.know(conn, skus=sorted(set(skus)))
