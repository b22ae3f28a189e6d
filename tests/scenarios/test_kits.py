"""Kits, end to end: the customer buys, cancels and returns kits, and parts leave and come."""

from __future__ import annotations

from domain.orders.messages import CancelRequest
from domain.orders.return_messages import ReturnLine, ReturnRequest
from tests.support.builders import a_policy, an_order
from tests.support.shop import Shop

ONE = (ReturnLine(line_id="1", quantity=1),)


async def parts_at(shop: Shop, location: str) -> dict[str, tuple[int, int]]:
    """(on hand, allocated) of each part, while the books are right."""
    report = await shop.audit()
    assert report.clean, "\n".join(report.lines())
    levels = {sku: await shop.level(sku, location) for sku in ("TEA", "CUP")}
    return {sku: (level.on_hand, level.allocated) for sku, level in levels.items()}


async def test_kits_are_cancelled_short_picked_replaced_delivered_and_returned(shop: Shop) -> None:
    for sku, units in (("TEA", 2), ("CUP", 1)):
        await shop.stocked(sku, 4 * units, "main")
        await shop.stocked(sku, units, "outlet")
    await shop.kit("SET", TEA=2, CUP=1)
    order = an_order(("SET", 4))
    await shop.placed(order, a_policy(give_up_after=60, return_window=2))
    assert await parts_at(shop, "main") == {"TEA": (8, 8), "CUP": (4, 4)}
    await shop.aftersales.cancel(order.order_id, CancelRequest(reason="three will do", lines=ONE))
    await shop.kit("SET", TEA=1)  # for others: these are what they were when they were ordered
    rest, replaced = f"{order.order_id}:1", f"{order.order_id}:2"
    await shop.task("pick", rest)
    assert await parts_at(shop, "main") == {"TEA": (8, 6), "CUP": (4, 3)}
    await shop.warehouse.pick(rest, {"1": 2}, who="picker")
    await shop.task("pick", replaced)
    assert await parts_at(shop, "main") == {"TEA": (6, 4), "CUP": (3, 2)}
    assert await parts_at(shop, "outlet") == {"TEA": (2, 2), "CUP": (1, 1)}
    await shop.warehouse.pack(rest, who="packer")
    await shop.task("handover", rest)
    await shop.warehouse.hand_over(rest, who="packer")
    await shop.scan(rest, "delivered")
    await shop.drive(replaced, "delivered")
    await shop.heard(order.order_id, "delivered", 3)
    assert await parts_at(shop, "outlet") == {"TEA": (0, 0), "CUP": (0, 0)}
    asked = await shop.aftersales.request_return(
        order.order_id, ReturnRequest(reason="one too many", lines=ONE)
    )
    assert asked.return_id is not None
    await shop.task("receive-return", asked.return_id)
    await shop.warehouse.receive_return(asked.return_id, who="receiver")
    await shop.finish(order.order_id)
    await shop.settled()
    # Of four there: one never left, one was not found, two left, and one came back.
    assert await parts_at(shop, "main") == {"TEA": (4, 0), "CUP": (2, 0)}
