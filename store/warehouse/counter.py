"""Hand-overs at the counter: the customer has the goods, so they are delivered in that moment."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from domain.fulfilment.counter import APPOINTMENT, AT_ONCE, CODES
from store.database import Connection
from store.fulfilment import licences
from store.warehouse import leaving, scans

_HOW: Final = {CODES: "given out", APPOINTMENT: "it took place"}


async def hand_over(conn: Connection, fulfilment_id: str, *, at: datetime, who: str) -> None:
    """labelled → shipped, to whomever carries it on; at the counter, delivered at once.

    Codes are given out with it.
    """
    async with conn.transaction():
        carrier = await leaving.hand_over(conn, fulfilment_id, at=at, who=who)
        if carrier == CODES:
            await licences.give(conn, fulfilment_id)
        if carrier in AT_ONCE:
            await scans.carrier_event(
                conn,
                carrier=carrier,
                tracking_number=fulfilment_id,
                event_id="collected",
                status="delivered",
                happened_at=at,
                detail=_HOW.get(carrier, "collected at the counter"),
            )
