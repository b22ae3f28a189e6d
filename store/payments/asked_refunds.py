"""What a refund comes to that somebody asks for. The caller holds the order's lock."""

from __future__ import annotations

from typing import NamedTuple

from domain.errors import Refused
from domain.orders.charges import Owed
from domain.orders.goodwill import Goodwill
from domain.orders.messages import RefundKind, RefundRequest
from domain.orders.price_match import owed_for_match
from domain.orders.price_match_messages import PriceMatchRequest
from domain.orders.refund_rules import owed_for
from store import clock
from store.database import Connection
from store.orders import orders
from store.payments import goodwill_asks, payments, refunds
from store.payments.tallies import Tallies


class Due(NamedTuple):
    """What is owed for it. `request`: what is met; of an approval, what was asked for."""

    request: RefundRequest | PriceMatchRequest
    owed: Owed
    kind: RefundKind


async def due(conn: Connection, found: Tallies, request: RefundRequest | PriceMatchRequest) -> Due:
    """What is owed. It changes the charges of `found`, which the caller keeps or throws away.

    Raises Refused or InvalidInput where a rule does not allow it.
    """
    order_id = found.order_id
    if isinstance(request, RefundRequest) and request.approves is not None:
        request = await goodwill_asks.approved(conn, order_id, request)
    why_not = await payments.why_no_refund(conn, order_id)
    if why_not:
        raise Refused(why_not, reason="payment_disputed")
    if request.to == "store_credit":
        await orders.check_known(conn, order_id)
    if isinstance(request, PriceMatchRequest):
        listed = await refunds.listed(conn, order_id, request.line_id)
        owed = owed_for_match(found.charges, found.currency, listed, request, clock.now())
        return Due(request, owed, "price_match")
    goodwill = Goodwill(found.goodwill_percent_max)
    if request.amount is not None:
        goodwill = await refunds.goodwill(conn, order_id, goodwill, request)
    owed, kind = owed_for(found.charges, found.currency, goodwill, request)
    return Due(request, owed, kind)


def may_ask(request: RefundRequest | PriceMatchRequest, error: Exception) -> bool:
    """Whether goodwill that was refused may be put before somebody in another role."""
    return (
        isinstance(request, RefundRequest)
        and request.ask
        and request.amount is not None
        and isinstance(error, Refused)
        and error.reason == "goodwill_limit"
        and bool(error.instead)
    )
