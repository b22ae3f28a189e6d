"""What carriers report of parcels that come back, written down: in any sequence, more than once.

The first scan by which a carrier has the parcel sets its return in transit, and its time to come
begins anew. What the warehouse counts alone decides what came.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from domain import ids
from domain.errors import Conflict
from domain.fulfilment import tracking
from domain.fulfilment.tracking import CarrierStatus, Heard
from store import waits
from store.aftersales import returns
from store.database import Connection, Record, load_queries
from store.orders import events
from store.payments import billing
from store.warehouse import return_money

_sql = load_queries(__file__)

_LOST: Final = ("undeliverable", "lost")


async def scan(
    conn: Connection,
    return_id: str,
    *,
    carrier: str,
    event_id: str,
    status: CarrierStatus,
    happened_at: datetime,
    detail: str,
) -> Heard:
    """Record a scan of a return's parcel. Raises Conflict for a repeat with another status."""
    async with conn.transaction():
        row = await returns.locked(conn, return_id)
        before = await _sql.told_before(conn, return_id=return_id, event_id=event_id)
        if before is not None:
            if before != status:
                raise Conflict(
                    f"carrier event {event_id} of {return_id} came before with status {before}, "
                    f"not {status}; nothing was changed"
                )
            return "repeat"
        moves = tracking.is_moving(status)
        is_further = await _sql.scan(
            conn,
            return_id=return_id,
            event_id=event_id,
            status=status,
            happened_at=happened_at,
            detail=detail,
            overtakes=tracking.overtaken_by(status),
            moves=moves,
        )
        is_expected = row["state"] in ("approved", "in_transit")
        is_lost = tracking.end_of(status) in _LOST
        if moves and row["state"] in ("closed", "refused"):
            await _tell(conn, return_id, event_id, carrier, "unexpected carrier scan", status)
        if is_expected and is_lost and is_further:
            reason = (
                f"carrier {carrier} says {status} of the parcel of {return_id}: ask it where the "
                "parcel is; count what comes, or that nothing does"
            )
            step = returns.parcel_step(return_id)
            await events.raise_attention(conn, row["order_id"], step, reason, ["done"])
        if moves and row["state"] == "approved":
            await returns.set_state(conn, return_id, "in_transit")
            await _tell(conn, return_id, event_id, carrier, "return in transit", detail)
            if not is_lost:
                await _pay(conn, row)
        return "new"


async def _pay(conn: Connection, row: Record) -> None:
    """Pay it back at once, where the rules say so. Its order, which waits for it, does that."""
    grant = await return_money.pay_early(conn, row)
    if grant is None or grant.to_pay is None:
        return
    refund, order_id = grant.to_pay.model_dump(mode="json"), row["order_id"]
    await events.tell(
        conn,
        order_id,
        f"paid_early:{row['return_id']}",
        "refund granted",
        who=ids.WHO,
        why="a carrier has the parcel",
        data={"return_id": row["return_id"], "granted": refund},
    )
    await waits.report(
        conn,
        order_id,
        ids.wait_id("receive_return", row["return_id"]),
        {"received": {}, "missing": {}, "refund": refund, "paid_early": True},
    )
    await billing.credit(conn, grant)


async def _tell(
    conn: Connection, return_id: str, event_id: str, carrier: str, what: str, why: str
) -> None:
    await events.tell(
        conn,
        ids.order_of(return_id),
        f"scan:{return_id}:{event_id}",
        what,
        who=f"carrier {carrier}",
        why=why,
        data={"return_id": return_id},
        after_end=True,
    )
