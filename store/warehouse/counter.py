"""Hand-overs at the counter: the customer has the goods, so they are delivered in that moment."""

from __future__ import annotations

from datetime import datetime

from domain.fulfilment.counter import COUNTER
from store.database import Connection
from store.warehouse import leaving, scans


async def hand_over(conn: Connection, fulfilment_id: str, *, at: datetime, who: str) -> None:
    """labelled → shipped, to whomever carries it on; at the counter, delivered at once."""
    async with conn.transaction():
        carrier = await leaving.hand_over(conn, fulfilment_id, at=at, who=who)
        if carrier == COUNTER:
            await scans.carrier_event(
                conn,
                carrier=COUNTER,
                tracking_number=fulfilment_id,
                event_id="collected",
                status="delivered",
                happened_at=at,
                detail="collected at the counter",
            )
