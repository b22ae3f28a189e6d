"""Goodwill over the limit of whoever asks for it: put before a person in a role that may give it.

The caller holds the order's lock.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from domain.errors import Refused
from domain.orders.messages import RefundRequest
from store.database import Connection, load_queries
from store.locks import lock_order
from store.orders import events

_sql = load_queries(__file__)

STEP: Final = "goodwill "
"""The steps that ask a person begin with this; the id of the request follows."""


async def ask(
    conn: Connection,
    order_id: str,
    request_id: str,
    request: RefundRequest,
    why_not: str,
    answer: dict[str, Any],
) -> None:
    """Put it before a person, once for each request. `why_not`: why it is not given at once."""
    await events.tell(
        conn,
        order_id,
        f"refund:{request_id}",
        "goodwill asked for",
        who=request.by,
        why=request.reason,
        data={"amount": str(request.amount), "to": request.to},
        answer=answer,
    )
    await events.raise_attention(
        conn,
        order_id,
        f"{STEP}{request_id}",
        f"{request.by} asks for goodwill, {request.reason}: {why_not}. Who may give it says "
        f"`orderloom refund {order_id} --approve {request_id} --role … --reason …`; done refuses "
        "it",
        ["done"],
    )


async def approved(conn: Connection, order_id: str, request: RefundRequest) -> RefundRequest:
    """What is approved by this request, and given by whoever approves it, in that role.

    Raises Refused where nothing is asked for under that id any more.
    """
    asked = await _sql.asked(conn, order_id=order_id, request_id=request.approves)
    if asked is None:
        raise Refused(
            f"no goodwill is asked for as {request.approves}, or it was decided",
            reason="not_asked",
            instead=("refund_order",),
        )
    return request.model_copy(update={"amount": Decimal(asked["amount"]), "to": asked["to"]})


async def given(conn: Connection, order_id: str, request: RefundRequest) -> None:
    """It is granted: nobody has to decide any more."""
    if request.approves is not None:
        step = f"{STEP}{request.approves}"
        await events.settle(conn, order_id, step, request.reason, who=request.by)


async def settle(conn: Connection, order_id: str, step: str, note: str, *, who: str) -> bool:
    """A person refuses it. False if none asks for that. A transaction of its own."""
    async with conn.transaction():
        await lock_order(conn, order_id)
        return await events.settle(conn, order_id, step, note, who=who)
