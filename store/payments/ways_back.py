"""By which means of payment an amount of an order would be paid back. Reads only."""

from __future__ import annotations

from domain.money import Money
from domain.orders.messages import RefundTo
from domain.payments import ways_back as rules
from domain.payments.ways_back import WayBack, WaysBack
from store.database import Connection, load_queries
from store.payments import payments

_sql = load_queries(__file__)


async def of(conn: Connection, order_id: str, amount: Money, to: RefundTo = "original") -> WaysBack:
    """How so much would go back. `to`: where it is wanted to go."""
    nothing = Money(minor=0, currency=amount.currency)
    if not amount.minor:
        return WaysBack(left=nothing)
    if to != "original":
        return WaysBack(ways=(WayBack(provider=to, amount=amount),), left=nothing)
    tenders = await _sql.tenders(conn, order_id=order_id)
    return rules.ways_back(amount, await payments.authorizations(conn, order_id), tenders)
