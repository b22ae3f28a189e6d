"""What carriers report, written down: scans of parcels, in any sequence and more than once.

A scan is a fact, not a decision. Each is one function in the database (carrier_scan), because
carriers send many, and most change one row. A repeat changes nothing.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from domain.fulfilment import tracking
from domain.fulfilment.tracking import CarrierStatus, Heard
from store.database import Connection, Record, load_queries
from store.faults import refusals
from store.fulfilment import fulfilments
from store.locks import lock_order
from store.orders import events
from store.warehouse import leaving, return_scans

_sql = load_queries(__file__)

LATE: Final = "late_scan "
"""The steps that ask a person about a scan after the end begin with this; the parcel follows."""


async def carrier_event(
    conn: Connection,
    *,
    carrier: str,
    tracking_number: str,
    event_id: str,
    status: CarrierStatus,
    happened_at: datetime,
    detail: str = "",
) -> Heard:
    """Record a carrier's scan. Raises Conflict for a repeat with another status.

    A parcel that moves has been handed over, even if the warehouse did not report that. An end
    (delivered, returned to sender, lost) is reported to the waiting workflow, once.
    """

    async def scan() -> Record:
        with refusals():
            row: Record = await _sql.scan(
                conn,
                carrier=carrier,
                tracking_number=tracking_number,
                event_id=event_id,
                status=status,
                happened_at=happened_at,
                detail=detail,
                overtakes=tracking.overtaken_by(status),
                moves=tracking.is_moving(status),
                ends_as=tracking.end_of(status),
            )
        return row

    row = await scan()
    if row["answer"] == "of a return":
        return await return_scans.scan(
            conn,
            row["part_id"],
            carrier=carrier,
            event_id=event_id,
            status=status,
            happened_at=happened_at,
            detail=detail,
        )
    if row["answer"] == "not handed over":
        async with conn.transaction():
            part = await fulfilments.locked(conn, row["part_id"])
            if part["state"] == "labelled":
                await leaving.moved_already(
                    conn, row["part_id"], at=happened_at, who=f"carrier {carrier}"
                )
            row = await scan()
    heard: Heard = row["answer"]
    return heard


async def settle_late(conn: Connection, order_id: str, step: str, note: str, *, who: str) -> bool:
    """A person has dealt with a scan that came after the end. False if none asks for that."""
    async with conn.transaction():
        await lock_order(conn, order_id)
        return await events.settle(conn, order_id, step, note, who=who)
