"""What an order that came by an exchange has to do with the orders before it: they pay for it."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from domain.orders.hold_messages import AWAITING_RETURN, StandingHold
from store.database import Connection, load_queries
from store.payments import payments

_sql = load_queries(__file__)


async def why_no_refund(conn: Connection, order_id: str) -> str:
    """The reason why nothing of the order may pay for another one; empty if it may.

    A bank may have taken back what an order before it was paid with.
    """
    for payer in [row["order_id"] async for row in _sql.paid_by(conn, order_id=order_id)]:
        if why_not := await payments.why_no_refund(conn, payer):
            return why_not
    return ""


async def not_held(
    conn: Connection, order_id: str, stood: Sequence[StandingHold], hold_ids: Collection[str]
) -> None:
    """Holds were released. `stood`: all that stood.

    An exchange order that is sent before its return is there is paid like one in advance: unless it
    says who pays, the order before it does. The caller holds the order's lock.
    """
    if any(one.reason == AWAITING_RETURN for one in stood if one.hold_id in hold_ids):
        await _sql.pays_all_the_same(conn, order_id=order_id)
