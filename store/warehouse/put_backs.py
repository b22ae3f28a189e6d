"""What a warehouse puts back: units that were picked, and then taken out of their fulfilment."""

from __future__ import annotations

from store.database import Connection, load_queries
from store.faults import refusals

_sql = load_queries(__file__)


async def done(conn: Connection, put_back_id: str, *, who: str) -> None:
    """They are on the shelf again. A repeat changes nothing. Raises NotFound.

    The stock counts them as free since they were taken out, so nothing moves.
    """
    with refusals():
        await _sql.done(conn, put_back_id=put_back_id, who=who)
