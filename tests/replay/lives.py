"""Typical lives of orders, lived in a shop: what is recorded, and must replay for ever."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from domain import ids
from domain.orders.messages import AttentionAnswer, CancelRequest, LineRequest
from domain.orders.return_messages import ReturnLine, ReturnRequest
from domain.stock.items import Item
from starter.service.service import Service
from store.aftersales.returns import Counted
from store.stock import items
from tests.support.builders import QUICK, a_policy, an_order
from tests.support.runs import restless, runs_of
from tests.support.shop import Shop

Life = Callable[[Shop], Awaitable[str]]
"""Lives one order to its end. Returns the order's id."""


async def plain(shop: Shop) -> str:
    await shop.stocked("TEA", 10)
    order = an_order(("TEA", 3), channel_order_id="plain")
    await shop.drive(await shop.placed(order), "delivered")
    return order.order_id


async def two_parcels(shop: Shop) -> str:
    await shop.stocked("CUP", 1, "east")
    await shop.stocked("JUG", 1, "west")
    order = an_order(("CUP", 1), ("JUG", 1), channel_order_id="two-parcels")
    await shop.placed(order)
    for number in (1, 2):
        await shop.drive(ids.fulfilment_id(order.order_id, number), "delivered")
    return order.order_id


async def partly_cancelled_after_packing(shop: Shop) -> str:
    await shop.stocked("TEA", 10)
    order = an_order(("TEA", 3), channel_order_id="partly-cancelled")
    part = await shop.placed(order)
    await shop.drive(part, "labelled")
    request = CancelRequest(
        reason="one too many", lines=(LineRequest(line_id="1", quantity=1),), request_id="call-1"
    )
    await shop.aftersales.cancel(order.order_id, request)
    await shop.packed_again(part)
    await shop.warehouse.hand_over(part, who="packer")
    await shop.scan(part, "delivered")
    return order.order_id


async def cancelled(shop: Shop) -> str:
    await shop.stocked("TEA", 10)
    order = an_order(("TEA", 3), channel_order_id="cancelled")
    await shop.drive(await shop.placed(order), "picked")
    await shop.aftersales.cancel(order.order_id, CancelRequest(reason="ordered twice"))
    return order.order_id


async def declined(shop: Shop) -> str:
    await shop.stocked("TEA", 10)
    order = an_order(("TEA", 3), channel_order_id="declined", token="tok_decline")
    await shop.orders.place(order)
    return order.order_id


async def short_pick_replaced(shop: Shop) -> str:
    await shop.stocked("POT", 3, "east")
    await shop.stocked("POT", 2, "west")
    order = an_order(("POT", 3), channel_order_id="short-pick")
    parcel = await shop.placed(order)
    await shop.task("pick", parcel)
    await shop.warehouse.pick(parcel, {"1": 2}, who="picker")
    await shop.warehouse.pack(parcel, who="packer")
    await shop.task("handover", parcel)
    await shop.warehouse.hand_over(parcel, who="packer")
    await shop.scan(parcel, "delivered")
    await shop.drive(ids.fulfilment_id(order.order_id, 2), "delivered")
    return order.order_id


async def lost_and_paid_back(shop: Shop) -> str:
    await shop.stocked("VASE", 2)
    order = an_order(("VASE", 2), channel_order_id="lost")
    parcel = await shop.placed(order)
    await shop.drive(parcel, "shipped")
    await shop.scan(parcel, "failure")
    return order.order_id


async def undeliverable(shop: Shop) -> str:
    await shop.stocked("TEA", 10)
    order = an_order(("TEA", 2), channel_order_id="undeliverable")
    parcel = await shop.placed(order)
    await shop.drive(parcel, "shipped")
    await shop.scan(parcel, "return_to_sender")
    return_id = ids.return_id(order.order_id, 1)
    await shop.task("receive-return", return_id)
    await shop.warehouse.receive_return(return_id, who="returns")
    return order.order_id


async def returned_with_one_missing(shop: Shop) -> str:
    await shop.stocked("TEA", 10)
    order = an_order(("TEA", 3), channel_order_id="returned")
    parcel = await shop.placed(order, a_policy(return_window=5))
    await shop.drive(parcel, "delivered")
    await shop.told(order.order_id, "charged")
    request = ReturnRequest(reason="too bitter", lines=(ReturnLine(line_id="1", quantity=3),))
    # Delivered in the database is a moment before delivered in the workflow.
    await shop.heard(order.order_id, "delivered", 3)
    return_id = (await shop.aftersales.request_return(order.order_id, request)).return_id
    assert return_id is not None
    await shop.task("receive-return", return_id)
    counted = {"1": Counted(restocked=1, scrapped=1)}
    await shop.warehouse.receive_return(return_id, counted, who="returns")
    return order.order_id


async def backordered(shop: Shop) -> str:
    """Waits, is filled in parts, wants one less, and falls back once."""
    await _may_wait(shop)
    await shop.stocked("RARE", 1)
    order = an_order(("RARE", 4), channel_order_id="backordered")
    first = await shop.placed(order)
    request = CancelRequest(
        reason="one less", lines=(LineRequest(line_id="1", quantity=1),), request_id="call-1"
    )
    await shop.aftersales.cancel(order.order_id, request)
    await shop.stock.count("c", "RARE", "main", 0, who="counter", why="count")
    await shop.told(order.order_id, "fell back to backorder")
    for number in (1, 2):
        await shop.stocked("RARE", number)
        await shop.until_many(order.order_id, "backorder filled", number)
        part = ids.fulfilment_id(order.order_id, number + 1)
        await shop.drive(part, "delivered")
    assert first != part
    return order.order_id


async def waited_too_long(shop: Shop) -> str:
    await _may_wait(shop)
    order = an_order(("RARE", 2), channel_order_id="too-long")
    await shop.orders.place(order, policy=a_policy(backorder_within=1))
    return order.order_id


async def _may_wait(shop: Shop) -> None:
    async with shop.pool.acquire() as conn:
        await items.save(conn, [Item(sku="RARE", backorder=True)])


async def attention_answered(shop: Shop) -> str:
    await shop.stocked("TEA", 10)
    order = an_order(("TEA", 3), channel_order_id="attention")
    shop.faults.refuse("charge_payment")
    parcel = await shop.placed(order)
    await shop.drive(parcel, "shipped")
    (step,) = await shop.attention(order.order_id)
    shop.faults.heal("charge_payment")
    answer = AttentionAnswer(step=step, action="retry", note="the bank is back")
    await shop.orders.resolve_attention(order.order_id, answer)
    await shop.scan(parcel, "delivered")
    return order.order_id


async def continued(shop: Shop) -> str:
    """In several runs, each of which but the last continues as the next."""
    await shop.stocked("TEA", 10)
    order = an_order(("TEA", 3), channel_order_id="continued")
    placing = Service(
        shop.pool, restless(shop.temporal, after_events=10), task_queue=shop.task_queue
    )
    await placing.orders.place(order, policy=QUICK)

    async def in_run(number: int) -> None:
        async def there() -> bool:
            return len(await runs_of(shop, order.order_id)) >= number

        await shop.until(there, f"run {number} of {order.order_id}")

    part = ids.fulfilment_id(order.order_id, 1)
    await shop.drive(part, "labelled")
    await in_run(2)
    lines = (LineRequest(line_id="1", quantity=1),)
    request = CancelRequest(reason="one too many", lines=lines, request_id="call-1")
    await shop.aftersales.cancel(order.order_id, request)
    await shop.packed_again(part)
    await shop.warehouse.hand_over(part, who="packer")
    await in_run(3)
    await shop.aftersales.cancel(order.order_id, request)
    await shop.scan(part, "delivered")
    return order.order_id


LIVES: tuple[Life, ...] = (
    plain,
    two_parcels,
    partly_cancelled_after_packing,
    cancelled,
    declined,
    short_pick_replaced,
    lost_and_paid_back,
    undeliverable,
    returned_with_one_missing,
    backordered,
    waited_too_long,
    attention_answered,
    continued,
)
