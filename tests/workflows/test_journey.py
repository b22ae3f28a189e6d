"""One order's life, and what it costs."""

from __future__ import annotations

from tests.builders import an_order
from tests.shop import Shop


async def test_an_order_is_reserved_paid_sent_charged_delivered_and_closed(shop: Shop) -> None:
    await shop.stocked("TEA", 10)
    order = an_order(("TEA", 3, "12.50"))
    parcel = await shop.placed(order)
    await shop.drive(parcel, "delivered")
    result = await shop.result(order.order_id)
    assert result["outcome"] == "closed"
    summary = (await shop.orders.get(order.order_id)).summary
    assert (summary.state, summary.captured_minor) == ("closed", 4250)
    assert (await shop.level("TEA")).on_hand == 7
    assert (await shop.story(order.order_id))[:3] == ["received", "stock reserved", "confirmed"]
