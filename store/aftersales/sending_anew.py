"""Undeliverable parcels that are to go out once more when they are back.

The warehouse's count then pays nothing back: the order reserves the units again.
"""

from __future__ import annotations

from domain import ids
from domain.errors import Refused
from domain.orders.interception_messages import SendAnewRequest
from store.database import Connection, load_queries
from store.orders import events, new_addresses

_sql = load_queries(__file__)


def effect_of(request_id: str) -> str:
    """What the effect of a request is called."""
    return f"send_anew:{request_id}"


async def want(conn: Connection, request: SendAnewRequest, request_id: str) -> str:
    """Have a parcel sent once more. Returns the return's id.

    The caller holds the order's lock, and has found no effect of it. Raises Refused where the
    parcel does not come back, or is back.
    """
    part_id = request.fulfilment_id
    order_id = ids.order_of(part_id)
    row = await _sql.coming_back(conn, fulfilment_id=part_id)
    if row is None or row["state"] != "approved":
        raise Refused(
            f"{part_id} does not come back from its carrier"
            if row is None
            else f"{part_id} is back, and is paid back or was sent anew",
            reason="not_coming_back",
            instead=("intercept_parcel", "refund_order") if row is None else ("refund_order",),
        )
    if request.personal:
        to = await new_addresses.check(conn, order_id, request_id, ask="send_anew")
        await new_addresses.take(
            conn, order_id, request_id, to, reason=request.reason, who=request.by
        )
    await _sql.want(conn, return_id=row["return_id"])
    told = {"fulfilment_id": part_id, "return_id": row["return_id"]}
    await events.tell(
        conn,
        order_id,
        effect_of(request_id),
        "to be sent anew",
        who=request.by,
        why=request.reason,
        data=told,
        answer=told,
    )
    return str(row["return_id"])
