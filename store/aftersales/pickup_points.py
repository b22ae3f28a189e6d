"""Parcels that wait at a carrier's pick-up point: told to the customer before they go back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from domain import ids
from store.database import Connection, load_queries
from store.fulfilment import fulfilments
from store.orders import events

_sql = load_queries(__file__)

NOTICE: Final = timedelta(days=2)
"""So long before its end it is told."""


async def ending(conn: Connection, at_most: int) -> list[tuple[str, datetime]]:
    """The parcels whose time ends soon and which nobody was told of, with that moment."""
    rows = _sql.ending(conn, notice=NOTICE, at_most=at_most)
    return [(row["fulfilment_id"], row["until"]) async for row in rows]


async def tell(conn: Connection, fulfilment_id: str, until: datetime) -> None:
    """Tell it once, unless the parcel has gone on by now. A transaction of its own."""
    async with conn.transaction():
        row = await fulfilments.locked(conn, fulfilment_id)
        if row["state"] == "shipped":
            await events.tell(
                conn,
                row["order_id"],
                f"pickup_ends:{fulfilment_id}:{int(until.timestamp())}",
                "pick-up ends soon",
                who=ids.WHO,
                why=f"the carrier keeps it until {until:%Y-%m-%d}",
                data={"fulfilment_id": fulfilment_id, "until": until.isoformat()},
            )
