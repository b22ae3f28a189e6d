"""What an order that came by an exchange has to do with the orders before it: they pay for it."""

from __future__ import annotations

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
