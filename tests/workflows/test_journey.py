"""One order's life, and what it costs."""

from __future__ import annotations

from domain import ids
from domain.orders.messages import CancelRequest
from tests.support.builders import an_order
from tests.support.shop import Shop


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


async def test_units_paid_for_lost_replaced_and_then_cancelled_are_paid_back(shop: Shop) -> None:
    await shop.stocked("TEA", 2)
    order = an_order(("TEA", 1, "10.00"))
    parcel = await shop.placed(order)
    await shop.drive(parcel, "shipped")
    await shop.told(order.order_id, "charged")
    await shop.scan(parcel, "failure")
    again = ids.fulfilment_id(order.order_id, 2)
    await shop.knows(order.order_id, again)
    cancelled = await shop.aftersales.cancel(
        order.order_id, CancelRequest(reason="waited long enough")
    )
    assert cancelled.outcome == "cancelled"
    assert (await shop.result(order.order_id))["outcome"] == "cancelled"
    summary = (await shop.orders.get(order.order_id)).summary
    assert summary.captured_minor == summary.refunded_minor == 1500
    assert (await shop.level("TEA")).on_hand == 1  # the other was lost
