"""Backorders: filled in turn, whole, and only for those who still want them. S7, S8, S9, S40."""

from __future__ import annotations

import asyncio

import pytest

from domain.orders.messages import CancelRequest, LineRequest
from domain.orders.order import Order
from domain.orders.policy import Policy
from domain.stock.items import Item
from store.stock import items
from tests.support.builders import a_policy, an_order
from tests.support.shop import Shop


@pytest.fixture
async def waited_for(shop: Shop) -> str:
    """A SKU that may be backordered, with nothing of it there."""
    async with shop.pool.acquire() as conn:
        await items.save(conn, [Item(sku="TEA", backorder=True)])
    return "TEA"


async def waits(shop: Shop, order_id: str) -> int:
    """How many units the order waits for."""
    detail = await shop.orders.get(order_id)
    return sum(line.backordered for line in detail.lines)


async def until_waits(shop: Shop, order_id: str, units: int) -> None:
    async def find() -> bool:
        return await waits(shop, order_id) == units

    await shop.until(find, f"{order_id} waits for {units} units")


async def waiting(shop: Shop, order: Order, policy: Policy | None = None) -> str:
    """Place an order of which something must be backordered, and wait until it waits."""
    placement = await shop.orders.place(order, policy=policy)
    assert placement.outcome == "confirmed", placement
    await shop.phase(order.order_id, "in fulfilment")
    return order.order_id


async def not_found_is_heard(shop: Shop, order: Order) -> None:
    """Wait until the workflow knows that the picker has found nothing of the second line."""

    async def heard() -> bool:
        return bool((await shop.view(order.order_id))["lines"]["2"]["allocated"] == 0)

    await shop.until(heard, "the short pick is heard of")


async def test_s7_s40_a_receipt_fills_backorders_in_the_sequence_of_their_intake_every_unit_wanted(
    shop: Shop, waited_for: str
) -> None:
    await shop.stocked(waited_for, 1)
    # Their channels' clocks say that they were placed in another sequence.
    first = an_order((waited_for, 4), placed_at="2026-11-03T00:00:00Z")
    gone = an_order((waited_for, 4), placed_at="2026-11-02T12:00:00Z")
    second = an_order((waited_for, 1), placed_at="2026-11-02T00:00:00Z")
    third = an_order((waited_for, 1), placed_at="2026-11-01T00:00:00Z")
    for order in (first, gone, second, third):
        await waiting(shop, order)
    assert [await waits(shop, order.order_id) for order in (first, gone, second, third)] == [
        *(3, 4, 1, 1)
    ]
    answer = await shop.aftersales.cancel(gone.order_id, CancelRequest(reason="found elsewhere"))
    assert answer.outcome == "cancelled"
    await shop.stocked(waited_for, 4)
    await shop.told(first.order_id, "backorder filled")
    await shop.told(second.order_id, "backorder filled")
    assert [await waits(shop, order.order_id) for order in (first, second, third)] == [0, 0, 1]
    assert (await shop.level(waited_for)).available == 0
    # Somebody who comes now does not overtake the one who waits.
    late = an_order((waited_for, 1), placed_at="2025-11-04T00:00:00Z")
    await waiting(shop, late)
    await shop.stocked(waited_for, 1)
    await shop.told(third.order_id, "backorder filled")
    assert await waits(shop, late.order_id) == 1
    await shop.stocked(waited_for, 1)
    async with shop.staffed():
        for order in (first, second, third, late):
            assert (await shop.result(order.order_id))["outcome"] == "closed"
    await shop.settled()


async def test_s8_splitting_a_fulfilment_keeps_backordered_units_backordered(
    shop: Shop, waited_for: str
) -> None:
    await shop.stocked(waited_for, 3)
    order = an_order((waited_for, 5))
    first = await shop.placed(order)
    assert await waits(shop, order.order_id) == 2
    # One unit is lost to a short pick, another cancelled out of the parcel that is being picked.
    answer = await shop.aftersales.cancel(
        order.order_id,
        CancelRequest(lines=(LineRequest(line_id="1", quantity=1),), reason="one less"),
    )
    assert answer.outcome == "cancelled"
    # What is waited for is cancelled first: nothing had to be put back.
    assert await waits(shop, order.order_id) == 1
    await shop.task("pick", first)
    await shop.warehouse.pick(first, {"1": 2}, who="picker")
    await shop.told(order.order_id, "missing units backordered")
    assert await waits(shop, order.order_id) == 2
    await shop.stocked(waited_for, 2)
    async with shop.staffed():
        assert (await shop.result(order.order_id))["outcome"] == "closed"
    (line,) = (await shop.orders.get(order.order_id)).lines
    assert (line.delivered, line.cancelled, line.backordered) == (4, 1, 0)
    await shop.settled()


async def test_s9_a_count_below_what_is_allocated_makes_the_newest_claims_wait_again(
    shop: Shop, waited_for: str
) -> None:
    await shop.stocked(waited_for, 6)
    await shop.stocked("POT", 1)
    old = an_order((waited_for, 3), placed_at="2026-11-02T00:00:00Z")
    new = an_order(
        *((waited_for, 3), ("POT", 1)),
        placed_at="2026-11-01T00:00:00Z",
    )
    for order in (old, new):
        await shop.placed(order)
    level = await shop.stock.count("c1", waited_for, "main", 4, who="counter", why="year-end count")
    assert (level.on_hand, level.allocated, level.available) == (4, 3, 0)
    # One unit of the new order is still there, and the pot; two are waited for.
    await shop.told(new.order_id, "backorder filled")
    await until_waits(shop, new.order_id, 2)
    assert await waits(shop, old.order_id) == 0
    assert "fell back to backorder" in await shop.story(new.order_id)
    again = await shop.stock.count("c1", waited_for, "main", 4, who="counter", why="year-end count")
    assert again.on_hand == 4
    await shop.stocked(waited_for, 2)
    async with shop.staffed():
        for order in (old, new):
            assert (await shop.result(order.order_id))["outcome"] == "closed"
    lines = (await shop.orders.get(new.order_id)).lines
    assert [line.delivered for line in lines] == [3, 1]
    await shop.settled()


async def test_an_order_that_has_waited_too_long_is_given_up_and_not_charged(
    shop: Shop, waited_for: str
) -> None:
    policy = a_policy(backorder_within=1)
    order = an_order((waited_for, 2))
    await waiting(shop, order, policy)
    result = await shop.result(order.order_id)
    assert (result["outcome"], "not in stock within" in result["reason"]) == ("cancelled", True)
    summary = (await shop.orders.get(order.order_id)).summary
    assert (summary.payment_status, summary.captured_minor) == ("voided", 0)
    await shop.stocked(waited_for, 2)
    assert (await shop.level(waited_for)).available == 2
    await shop.settled()


async def test_units_missed_as_the_last_that_were_waited_for_are_cancelled_are_waited_for(
    shop: Shop, waited_for: str
) -> None:
    async with shop.pool.acquire() as conn:
        await items.save(conn, [Item(sku="POT", backorder=True)])
    await shop.stocked("POT", 1)
    order = an_order((waited_for, 2), ("POT", 1))
    parcel = await shop.placed(order)
    await shop.task("pick", parcel)
    shop.faults.hold("release_stock")
    no_tea = CancelRequest(lines=(LineRequest(line_id="1", quantity=2),), reason="no tea")
    cancelling = asyncio.create_task(shop.aftersales.cancel(order.order_id, no_tea))
    await asyncio.wait_for(shop.faults.reached["release_stock"].wait(), 20)
    await shop.warehouse.pick(parcel, {"2": 0}, who="picker")
    await not_found_is_heard(shop, order)
    shop.faults.release("release_stock")
    assert (await cancelling).outcome == "cancelled"
    await shop.told(order.order_id, "missing units backordered")
    await shop.stocked("POT", 1)
    await shop.told(order.order_id, "backorder filled")
    async with shop.staffed():
        assert (await shop.result(order.order_id))["outcome"] == "closed"
    await shop.settled()


async def test_units_that_come_to_wait_while_others_are_cancelled_are_cancelled_too(
    shop: Shop, waited_for: str
) -> None:
    async with shop.pool.acquire() as conn:
        await items.save(conn, [Item(sku=sku, backorder=True) for sku in ("POT", "MUG")])
    await shop.stocked("POT", 1)
    order = an_order((waited_for, 2), ("POT", 1), ("MUG", 1))
    parcel = await shop.placed(order)
    await shop.task("pick", parcel)
    shop.faults.hold("release_stock")
    lines = (LineRequest(line_id="1", quantity=2), LineRequest(line_id="2", quantity=1))
    cancelling = asyncio.create_task(
        shop.aftersales.cancel(order.order_id, CancelRequest(lines=lines, reason="just the mug"))
    )
    await asyncio.wait_for(shop.faults.reached["release_stock"].wait(), 20)
    await shop.warehouse.pick(parcel, {"2": 0}, who="picker")
    await not_found_is_heard(shop, order)
    shop.faults.release("release_stock")
    answer = await cancelling
    assert {item.line_id: item.quantity for item in answer.cancelled} == {"1": 2, "2": 1}
    assert await waits(shop, order.order_id) == 1
    await shop.stocked("MUG", 1)
    async with shop.staffed():
        assert (await shop.result(order.order_id))["outcome"] == "closed"
    await shop.settled()


async def test_an_order_does_not_end_before_what_it_gave_up_waiting_for_is_paid_back(
    shop: Shop, waited_for: str
) -> None:
    await shop.stocked(waited_for, 1)
    order = an_order((waited_for, 1))
    parcel = await shop.placed(order, a_policy(backorder_within=0.5, return_window=0.01))
    await shop.drive(parcel, "shipped")
    await shop.told(order.order_id, "charged")
    shop.faults.hold("refund_payment")
    await shop.scan(parcel, "failure")  # lost; there is none to send again, nor will there be
    await asyncio.wait_for(shop.faults.reached["refund_payment"].wait(), 20)
    await asyncio.sleep(0.3)
    assert (await shop.view(order.order_id))["phase"] == "in fulfilment"
    shop.faults.release("refund_payment")
    await shop.result(order.order_id)
    summary = (await shop.orders.get(order.order_id)).summary
    assert (summary.captured_minor > 0, summary.refunded_minor) == (True, summary.captured_minor)
    await shop.settled()
