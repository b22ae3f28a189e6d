"""SKUs that other tables refer to: each has a row in `item`, created when it is first named."""

from __future__ import annotations

from collections.abc import Iterable

from store.database import Connection, load_queries

_sql = load_queries(__file__)


async def know(conn: Connection, skus: Iterable[str]) -> None:
    """Create the missing items, with default settings.

    Call it before stock is locked: another transaction may be creating the same rows, and this one
    waits for it.
    """
    await _sql.know(conn, skus=sorted(set(skus)))
