"""Hard cases of buying, end to end."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from domain.purchasing.purchase_orders import Acknowledged, SupplierItem
from domain.stock.items import Item
from domain.stock.locations import Location
from domain.stock.stock_levels import StockLevels
from store.purchasing.purchase_reads import PurchaseOrder
from store.stock import promises
from tests.support.builders import a_policy, an_order
from tests.support.shop import Shop


async def sold(shop: Shop, sku: str = "TEA") -> None:
    """TEA is sold in twelves, 24 or more of them, and bought at 10, up to 40."""
    await shop.locations.save([Location(location="main")])
    item = {
        "supplier": "assam",
        "sku": sku,
        "lead_time_days": 7,
        "unit_price": "2.50",
        "currency": "EUR",
        "minimum": 24,
        "multiple": 12,
    }
    await shop.purchasing.set_terms([SupplierItem.model_validate(item)])
    await shop.stock.set_levels(
        [StockLevels(sku=sku, location="main", reorder_point=10, order_up_to=40)]
    )


async def sent(shop: Shop, count: int) -> list[PurchaseOrder]:
    """All purchase orders, newest first, once so many are with the supplier."""

    async def find() -> list[PurchaseOrder] | None:
        orders = [one for one in await shop.purchasing.orders() if one.state == "sent"]
        return orders if len(orders) == count else None

    return await shop.until(find, f"{count} purchase orders that are sent")


async def test_s31_however_often_it_is_looked_and_the_day_slips_a_need_is_ordered_once(
    shop: Shop,
) -> None:
    await shop.stocked("TEA", 15)
    await sold(shop)
    shop.faults.repeat("replenish")
    orders = [an_order(("TEA", 3)) for _ in range(4)]
    await asyncio.gather(*(shop.placed(order) for order in orders))  # 12 are claimed: 3 are left
    looks = await asyncio.gather(*(shop.purchasing.replenish() for _ in range(4)))
    (order,) = await sent(shop, 1)
    assert [line.quantity for line in order.lines] in ([36], [48])  # up to 40, in twelves
    assert sum(map(len, looks)) <= 1  # the crossed level may have had it ordered before
    for slip in (10, 20):
        day = datetime.now(UTC).date() + timedelta(days=slip)
        answer = {"TEA": Acknowledged(quantity=order.lines[0].quantity, due_on=day)}
        await shop.purchasing.acknowledge(order.po_id, f"slip-{slip}", answer, who="assam")
        assert await shop.purchasing.replenish() == []
    assert (await shop.purchasing.order(order.po_id)).due_on == day
    await shop.purchasing.receive(order.po_id, "all", who="dock")
    assert await shop.purchasing.replenish() == []
    await asyncio.gather(*(shop.finish(one.order_id) for one in orders))
    assert len(await shop.purchasing.orders()) == 1
    assert (await shop.level("TEA")).on_hand == 3 + order.lines[0].quantity
    await shop.settled()


async def test_what_is_backordered_is_bought_promised_and_sent_when_it_comes(shop: Shop) -> None:
    await shop.catalogue.set_items([Item(sku="TEA", backorder=True)])
    await shop.stocked("TEA", 12)
    await sold(shop)
    order = an_order(("TEA", 20))
    placement = await shop.orders.place(order, policy=a_policy(give_up_after=60))
    assert placement.outcome == "confirmed"
    (bought,) = await sent(shop, 1)
    assert bought.lines[0].quantity >= 48  # 40 − (12 − 20), in twelves
    async with shop.pool.acquire() as conn:
        (found,) = [row async for row in promises._sql.incoming(conn, skus=["TEA"])]
    assert (found["quantity"], found["due_on"]) == (bought.outstanding, bought.due_on)
    await shop.purchasing.receive(bought.po_id, "all", who="dock")
    assert (await shop.finish(order.order_id))["outcome"] == "closed"
    assert (await shop.level("TEA")).on_hand == 12 - 20 + bought.lines[0].quantity
    await shop.settled()
