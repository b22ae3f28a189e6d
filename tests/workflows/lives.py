"""Whole lives of an order, for tests that disturb them. Each knows the story that it must tell."""

from __future__ import annotations

import asyncio

from domain.orders.messages import CancelRequest
from domain.orders.order import Order
from domain.orders.return_messages import ReturnRequest
from tests.support.builders import a_policy, an_order
from tests.support.shop import Shop
from workflows.order_steps import STEPS as TABLE

STEPS = ["reserve_stock", "authorize_payment", "pick_pack_ship", "charge_payment"]
STEPS += ["await_delivery"]
UNDOS = list(TABLE.undos)

# Nobody sends anything back, so nobody waits for it.
BRISK = a_policy(give_up_after=10, return_window=0.01)
IMPATIENT = a_policy(give_up_after=0.5, return_window=0.01)

PLAIN_STORY = sorted(
    [
        *("received", "stock reserved", "confirmed", "picked", "packed", "label bought"),
        *("shipped", "charged", "delivered", "closed"),
    ]
)

UNDONE_STORY = sorted(
    [
        *("received", "stock reserved", "confirmed"),
        *("picked", "packed", "label bought", "shipped", "charged", "delivered"),  # one parcel
        *("picked", "packed", "label bought"),  # the other
        *("label voided", "units freed", "cancelled", "authorization released"),
        "put back",  # by whoever brings the goods to the shelf
        *("return approved", "return received", "refunded", "closed"),
    ]
)


async def three_teas(shop: Shop) -> Order:
    """An order that the shop can fill."""
    await shop.stocked("TEA", 10)
    return an_order(("TEA", 3, "12.50"))


async def told(shop: Shop, order_id: str) -> list[str]:
    """What the order's story says, in no sequence, without what needed a person meanwhile."""
    return sorted(what for what in await shop.story(order_id) if "attention" not in what)


async def assert_a_plain_life(shop: Shop, order: Order) -> None:
    """One parcel was delivered and kept. Each effect was there exactly once."""
    assert await told(shop, order.order_id) == PLAIN_STORY
    level = await shop.level("TEA")
    assert (level.on_hand, level.allocated) == (7, 0)
    for step in STEPS:
        assert shop.faults.calls[step] > 0, f"{step} is in the table, and no part of this life"
    await shop.settled()


async def a_two_parcel_order(shop: Shop) -> Order:
    """An order that the shop can fill from two locations."""
    await asyncio.gather(shop.stocked("TEA", 3), shop.stocked("CUP", 2, "second"))
    return an_order(("TEA", 3, "12.50"), ("CUP", 2))


async def live_a_life_with_every_undo(shop: Shop, order: Order, give_up_after: float = 10) -> None:
    """One parcel comes back from the customer, the other is cancelled with its label bought."""
    policy = a_policy(give_up_after=give_up_after, return_window=60)
    returned = await shop.placed(order, policy)
    recalled = f"{order.order_id}:2"
    await asyncio.gather(shop.drive(returned, "delivered"), shop.drive(recalled, "labelled"))
    no_cups = CancelRequest.model_validate({"reason": "no cups", "lines": [{"line_id": "2"}]})
    await shop.aftersales.cancel(order.order_id, no_cups)
    await shop.told(order.order_id, "authorization released")
    await shop.aftersales.request_return(order.order_id, ReturnRequest(reason="too strong"))
    # Everything that was delivered comes back, so nobody waits for the window to end.
    assert (await shop.finish(order.order_id))["outcome"] == "closed"


async def assert_a_life_with_every_undo(shop: Shop, order: Order) -> None:
    """Everything is back where it was, and each effect and each undo was there exactly once."""
    assert await told(shop, order.order_id) == UNDONE_STORY
    for sku, location, quantity in (("TEA", "main", 3), ("CUP", "second", 2)):
        level = await shop.level(sku, location)
        assert (level.on_hand, level.allocated) == (quantity, 0)
    for undo in UNDOS:
        assert shop.faults.calls[undo] > 0, f"{undo} is in the table, and no part of this life"
    await shop.settled()
