"""Orders as people name them: by an id, or by the number that their channel wrote."""

from __future__ import annotations

from domain import ids
from store.database import Connection, load_queries

_sql = load_queries(__file__)


async def named(conn: Connection, text: str) -> list[str]:
    """The ids of the orders that a person may mean: one that is exactly this, or all that may be.

    `text`: an id, a number as its channel writes it, or the channel's code, '-' and that number.
    """
    channel, dash, number = text.partition("-")
    as_id = ids.order_id(channel, number) if dash else text
    found = [row["order_id"] async for row in _sql.named(conn, text=text, as_id=as_id)]
    return [text] if text in found else found
