"""The request to meet a lower price that the customer has found somewhere."""

from __future__ import annotations

from domain.fields import LineId, Reason, UnitPrice
from domain.orders.messages import OrderRequest, RefundTo


class PriceMatchRequest(OrderRequest):
    """Pay back what a line cost more than a lower price, for all its units that the customer keeps.

    `unit_price`: the lower price, before discounts, with tax where the order's prices are.
    `evidence`: where it was seen, such as a link. `to`: the way it was paid, as store credit, or as
    a voucher.
    """

    line_id: LineId
    unit_price: UnitPrice
    evidence: Reason
    to: RefundTo = "original"
