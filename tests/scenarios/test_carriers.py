"""A carrier's own messages take parcels to their end: nobody reports a scan by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.support.builders import an_order
from tests.support.carrier_desk import by_easypost, detail, tracker_event
from tests.support.shop import Shop


async def test_orders_end_by_what_easypost_tells_twice_and_in_any_order(shop: Shop) -> None:
    await shop.stocked("TEA", 20)
    ends = ("delivered", "return_to_sender", "failure")
    orders = [an_order(("TEA", 2)) for _ in ends]
    for order, end in zip(orders, ends, strict=True):
        part = await shop.placed(order)
        await shop.warehouse.pick(part, who="picker")
        await shop.warehouse.pack(part, who="packer")
        await shop.told(order.order_id, "label bought")
        (shown,) = (await shop.orders.get(order.order_id)).fulfilments
        number, now = str(shown.tracking_number), datetime.now(UTC)
        way = [
            detail("in_transit", now - timedelta(minutes=2)),
            detail(end, now - timedelta(minutes=1)),
        ]
        # The warehouse has not said that it left. The later event comes first, and again.
        for upto in (2, 1, 2):
            body = tracker_event(number, way[:upto], event_id=f"evt_{number}_{upto}")
            answer = await shop.carrier_webhooks.receive(
                "easypost", by_easypost(body), body, now=datetime.now(UTC)
            )
            assert answer.status == 200
    for order, told in zip(orders, ("delivered", "undeliverable", "lost"), strict=True):
        await shop.told(order.order_id, told)
        assert (await shop.story(order.order_id)).count(told) == 1
        assert "shipped" in await shop.story(order.order_id)
    report = await shop.audit()
    assert report.clean, report.violations
