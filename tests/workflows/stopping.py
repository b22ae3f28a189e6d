"""Orders brought to a moment, and a cancellation sent to them there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Literal, TypeVar, cast

from domain import ids
from domain.orders.messages import CancelOutcome, CancelRequest
from domain.orders.order import Order
from tests.support.builders import a_policy, an_order
from tests.support.shop import Shop, Stage

T = TypeVar("T")

Way = Literal["signal", "update"]
WAYS: tuple[Way, ...] = ("signal", "update")

# Beside the stages of the shop: before the order is confirmed, and while a label is bought.
Moment = Literal["reserving", "authorizing", "buying"] | Stage
HELD_AT: dict[Moment, str] = {
    "reserving": "reserve_stock",
    "authorizing": "authorize_payment",
    "packed": "pick_pack_ship",
}

STOPPABLE: tuple[Moment, ...] = (
    "reserving",
    "authorizing",
    "confirmed",
    "picked",
    "packed",
    "buying",
    "labelled",
)
UNDONE: dict[Moment, list[str]] = {
    "reserving": [],
    "authorizing": [],
    "confirmed": [],
    "picked": ["units freed"],
    "packed": ["units freed"],
    "buying": ["label voided", "units freed"],
    "labelled": ["label voided", "units freed"],
}
TOO_LATE: tuple[Stage, ...] = ("shipped", "delivered")

LEISURELY = a_policy(give_up_after=10, return_window=60)
BRISK = a_policy(give_up_after=10, return_window=0.01)


async def tea_and_cups(shop: Shop) -> Order:
    """An order of two lines that the shop can send in one parcel."""
    await asyncio.gather(shop.stocked("TEA", 10), shop.stocked("CUP", 10))
    return an_order(("TEA", 3, "12.50"), ("CUP", 2))


async def when(shop: Shop, order: Order, moment: Moment, act: Callable[[], Awaitable[T]]) -> T:
    """Place the order, and act when its parcel is at the moment."""
    parcel = f"{order.order_id}:1"
    if moment in HELD_AT and moment != "packed":
        shop.faults.hold(HELD_AT[moment])
    if moment == "buying":  # the label takes a second to arrive after it was sold
        slow = order.shipping.model_copy(update={"service": "slow"})
        order = order.model_copy(update={"shipping": slow})
    placing = asyncio.create_task(shop.orders.place(order, policy=BRISK))
    if moment == "packed":  # the attempt that is to buy the label has begun
        await shop.drive(parcel, "picked")
        await until_it_waits(shop, parcel)
        shop.faults.hold(HELD_AT[moment])
        await shop.warehouse.pack(parcel, who="packer")
    if moment == "buying":
        await shop.drive(parcel, "packed")
    if moment == "buying":
        await shop.until(lambda: shop.carrier.lookup(key=f"{parcel}:label"), "the label is sold")
    if moment in HELD_AT:
        await asyncio.wait_for(shop.faults.reached[HELD_AT[moment]].wait(), 20)
        acting = asyncio.ensure_future(act())
        if moment == "packed":
            await shop.recalled(order.order_id)
        # Before there is a parcel, it ends alike whether the request or the answer comes first.
        shop.faults.release(HELD_AT[moment])
        await placing
        return await acting
    await placing
    if moment != "buying":
        await shop.drive(parcel, cast(Stage, moment))  # the others are dealt with above
    return await act()


async def until_it_waits(shop: Shop, parcel: str) -> None:
    """Until the first attempt waits for the warehouse: one that finds it packed buys the label."""

    async def waits() -> bool:
        said = "select waits_since is not null from wait_report where activity_id = $1"
        return bool(await shop.pool.fetchval(said, ids.sending_id(parcel)))

    await shop.until(waits, f"{parcel} waits for the warehouse")


async def cancel(
    shop: Shop, way: Way, order_id: str, request: dict[str, Any]
) -> CancelOutcome | None:
    """Send a cancellation. A signal has no answer."""
    if way == "update":
        return await shop.aftersales.cancel(order_id, CancelRequest.model_validate(request))
    await shop.workflow(order_id).signal("cancel", request)
    return None


async def assert_nothing_was_sent(shop: Shop, order: Order) -> None:
    """All stock is back on its shelf, free; nothing was charged and nothing is held."""
    for line in order.lines:
        level = await shop.level(line.sku)
        assert (level.on_hand, level.allocated) == (10, 0)
    assert (await shop.orders.get(order.order_id)).summary.captured_minor == 0
    await shop.settled()
