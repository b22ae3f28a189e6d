"""The workflow of a purchase order, step by step, and whatever can go wrong at each."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import AsyncActivityHandle, Client, WorkflowHandle
from temporalio.service import RPCError

from activities.purchasing.starts import PurchaseStarts
from activities.schedules import keep_replenishing
from domain import ids
from domain.errors import Refused
from domain.purchasing.purchase_orders import Acknowledged, SupplierItem
from domain.stock.items import Item
from domain.stock.locations import Location
from domain.stock.stock_levels import StockLevels
from starter.service.resuming import Resumption
from store.database import Pool
from store.purchasing import replenishment
from store.purchasing.purchase_reads import PurchaseOrder
from store.sandbox import companies, suppliers
from tests.support.builders import BRISK_BUYING, QUICK
from tests.support.shop import Shop

SENT = ["proposed", "approved", "being sent", "sent"]


async def a_need(shop: Shop, *, supplier: str = "assam", price: str = "2.50") -> None:
    """TEA is low, and somebody sells it. The shop is told at once."""
    await shop.locations.save([Location(location="main")])
    item = {
        "supplier": supplier,
        "sku": "TEA",
        "lead_time_days": 7,
        "unit_price": price,
        "currency": "EUR",
        "minimum": 12,
    }
    await shop.purchasing.set_terms([SupplierItem.model_validate(item)])
    await shop.stock.set_levels(
        [StockLevels(sku="TEA", location="main", reorder_point=5, order_up_to=20)]
    )


def workflow(shop: Shop, po_id: str) -> WorkflowHandle[Any, Any]:
    return shop.temporal.get_workflow_handle(ids.purchase_workflow_id(po_id))


async def at(shop: Shop, state: str) -> PurchaseOrder:
    """The only purchase order, once it is in this state."""

    async def find() -> PurchaseOrder | None:
        found = await shop.purchasing.orders()
        return found[0] if found and found[0].state == state else None

    order = await shop.until(find, f"a purchase order that is {state}")
    assert len(await shop.purchasing.orders()) == 1

    async def begun() -> bool:  # by the relay, a moment after there is the row
        with suppress(RPCError):
            await workflow(shop, order.po_id).describe()
            return True
        return False

    await shop.until(begun, f"the workflow of {order.po_id}")
    return order


async def ended(shop: Shop, po_id: str) -> dict[str, Any]:
    answer: dict[str, Any] = await asyncio.wait_for(workflow(shop, po_id).result(), 30)
    return answer


async def story(shop: Shop, po_id: str) -> list[str]:
    return [event.what for event in await shop.purchasing.story(po_id)]


async def test_a_level_that_is_crossed_is_bought_for_received_and_closed(shop: Shop) -> None:
    await shop.stocked("TEA", 8)
    await a_need(shop)
    await shop.stock.adjust("use", "TEA", "main", -4, who="test", why="used")
    order = await at(shop, "sent")
    po_id = order.po_id
    await shop.purchasing.acknowledge(po_id, "855", who="assam")
    await shop.purchasing.ship(po_id, "856", {"TEA": 10}, who="assam")
    await shop.purchasing.receive(po_id, "part-1", {"TEA": 10}, who="dock")
    assert (await shop.purchasing.order(po_id)).state == "partly_received"
    await shop.purchasing.receive(po_id, "part-2", who="dock")
    assert await ended(shop, po_id) == {"state": "closed"}
    assert await story(shop, po_id) == [
        *SENT,
        *("acknowledged", "shipped", "partly received", "received", "closed"),
    ]
    assert (await shop.level("TEA")).on_hand == 20
    async with shop.pool.acquire() as conn:
        kept = await suppliers.get(conn, po_id)
    assert kept is not None
    assert kept.x12 is not None
    assert f"BEG*00*SA*{po_id}**" in kept.x12
    await shop.settled()


@pytest.mark.parametrize("lost", ["before", "after"])
async def test_a_step_whose_call_or_answer_is_lost_is_done_once(shop: Shop, lost: str) -> None:
    for name in (
        *("replenish", "send_purchase", "await_acknowledgement", "await_goods", "close_purchase"),
    ):
        getattr(shop.faults, lost)(name)
    async with shop.pool.acquire() as conn:
        await companies.set_fault(conn, "supplier", "place", f"timeout_{lost}", 1, remaining=1)
    await a_need(shop)
    order = await at(shop, "sent")
    await shop.purchasing.acknowledge(order.po_id, "855", who="assam")
    await shop.purchasing.receive(order.po_id, "all", who="dock")
    assert await ended(shop, order.po_id) == {"state": "closed"}
    assert await story(shop, order.po_id) == [*SENT, "acknowledged", "received", "closed"]
    assert len(await shop.purchasing.orders()) == 1
    await shop.settled()


async def test_a_large_order_is_sent_when_somebody_approves_it(shop: Shop) -> None:
    await a_need(shop, price="100")
    order = await at(shop, "proposed")
    await shop.purchasing.approve(order.po_id, by="kim", reason="for the fair")
    await shop.purchasing.approve(order.po_id, by="lee")
    await at(shop, "sent")
    assert (await story(shop, order.po_id))[:2] == ["proposed", "approved"]
    await shop.purchasing.cancel(order.po_id, by="kim", reason="fair is cancelled")
    assert await ended(shop, order.po_id) == {"state": "cancelled"}
    with pytest.raises(Refused, match="is cancelled"):
        await shop.purchasing.approve(order.po_id, by="kim")


async def test_an_order_that_waited_for_approval_is_asked_for_by_days_from_then_on(
    shop: Shop,
) -> None:
    await a_need(shop, price="100")
    order = await at(shop, "proposed")
    async with shop.pool.acquire() as conn:
        await conn.execute("update purchase_order_line set due_on = due_on - 30")
    await shop.purchasing.approve(order.po_id, by="kim")
    order = await at(shop, "sent")
    async with shop.pool.acquire() as conn:
        kept = await suppliers.get(conn, order.po_id)
    assert kept is not None
    assert kept.document is not None
    asked_for = date.fromisoformat(kept.document["lines"][0]["due_on"])
    assert asked_for == order.due_on == datetime.now(UTC).date() + timedelta(days=7)


async def test_what_was_discontinued_meanwhile_is_not_approved(shop: Shop) -> None:
    await a_need(shop, price="100")
    order = await at(shop, "proposed")
    await shop.catalogue.set_items([Item(sku="TEA", discontinued=True)])
    with pytest.raises(Refused, match="TEA is discontinued"):
        await shop.purchasing.approve(order.po_id, by="kim")
    decision = {"po_id": order.po_id, "by": "kim"}
    await workflow(shop, order.po_id).signal("approve", decision)  # nor by a signal
    await shop.purchasing.cancel(order.po_id, by="kim", reason="discontinued")
    assert await ended(shop, order.po_id) == {"state": "cancelled"}


async def test_whoever_decides_need_not_wait_for_ever(pool: Pool, temporal_client: Client) -> None:
    shop = Shop(pool, temporal_client, QUICK)
    await a_need(shop, price="100")
    async with pool.acquire() as conn:
        ((po_id,), _) = await replenishment.run(conn, shop.buying_policy, today=date(2026, 11, 22))
    await PurchaseStarts(pool, temporal_client, shop.task_queue).start()
    with pytest.raises(TimeoutError):  # there is no worker
        await asyncio.wait_for(shop.purchasing.approve(po_id, by="kim"), 0.5)
    await workflow(shop, po_id).terminate()


async def test_a_proposal_that_nobody_wants_is_cancelled_and_never_sent(shop: Shop) -> None:
    await a_need(shop, price="100")
    order = await at(shop, "proposed")
    await shop.stock.set_levels([StockLevels(sku="TEA", location="main")])  # not any more
    await workflow(shop, order.po_id).cancel()
    assert await ended(shop, order.po_id) == {"state": "cancelled"}
    async with shop.pool.acquire() as conn:
        assert await suppliers.get(conn, order.po_id) is None
    await shop.settled()


async def test_a_supplier_that_refuses_ends_it_and_is_not_asked_again_at_once(shop: Shop) -> None:
    await a_need(shop, supplier="refuses")
    order = await at(shop, "cancelled")
    assert await story(shop, order.po_id) == [*SENT[:3], "refused", "cancelled"]
    assert await shop.purchasing.replenish() == []
    await shop.settled()


async def test_a_supplier_that_does_not_stop_keeps_the_order_open(shop: Shop) -> None:
    await a_need(shop, supplier="never-stops")
    order = await at(shop, "sent")
    with pytest.raises(Refused, match="has the order in work and does not stop it"):
        await shop.purchasing.cancel(order.po_id, by="kim", reason="too many")
    await shop.purchasing.receive(order.po_id, "all", who="dock")
    assert await ended(shop, order.po_id) == {"state": "closed"}


async def test_whoever_is_late_is_chased_again_and_again(
    pool: Pool, temporal_client: Client
) -> None:
    shop = Shop(pool, temporal_client, QUICK)
    soon = timedelta(seconds=0.3)
    shop.buying_policy = BRISK_BUYING.model_copy(
        update={"acknowledge_within": soon, "chase_every": soon}
    )
    async with shop.working():
        await a_need(shop)
        order = await at(shop, "sent")

        async def chased(why: str) -> bool:
            events = await shop.purchasing.story(order.po_id)
            return sum(e.what == "chased" and e.why.startswith(why) for e in events) >= 2

        await shop.until(lambda: chased("assam has not acknowledged it"), "two reminders")
        late = {"TEA": Acknowledged(quantity=20, due_on=date(2026, 1, 5))}
        await shop.purchasing.acknowledge(order.po_id, "855", late, who="assam")
        await shop.until(lambda: chased("late since 2026-01-05: 20 TEA"), "two more")
        slipped = {"TEA": Acknowledged(quantity=20, due_on=date(2199, 1, 5))}
        await shop.purchasing.acknowledge(order.po_id, "855-2", slipped, who="assam")
        assert await shop.purchasing.replenish() == []  # no second order for the same need
        await shop.purchasing.receive(order.po_id, "all", who="dock")
        assert await ended(shop, order.po_id) == {"state": "closed"}
        async with pool.acquire() as conn:
            kept = await suppliers.get(conn, order.po_id)
        assert kept is not None
        assert kept.chased >= 4
        await shop.settled()


async def test_what_cannot_be_sent_is_shown_tried_again_and_may_be_cancelled(
    pool: Pool, temporal_client: Client
) -> None:
    shop = Shop(pool, temporal_client, QUICK)
    brief = timedelta(seconds=0.4)
    shop.buying_policy = BRISK_BUYING.model_copy(
        update={"give_up_after": brief, "chase_every": brief}
    )
    async with shop.working():
        async with pool.acquire() as conn:
            await companies.set_fault(conn, "supplier", "place", "unavailable", 1)
        await a_need(shop)

        async def shown() -> PurchaseOrder | None:
            return next((one for one in await shop.purchasing.orders() if one.attention), None)

        order = await shop.until(shown, "an order that needs attention")
        assert order.attention is not None
        assert order.attention.startswith("cannot be sent: ")
        async with pool.acquire() as conn:
            await companies.clear_faults(conn)
        assert (await at(shop, "sent")).po_id == order.po_id

        async def calm() -> bool:
            return (await shop.purchasing.order(order.po_id)).attention is None

        await shop.until(calm, "its end")


async def test_a_schedule_looks_at_all_levels_and_is_made_once(shop: Shop) -> None:
    await a_need(shop)
    order = await at(shop, "sent")
    await shop.purchasing.receive(order.po_id, "all", who="dock")
    await ended(shop, order.po_id)
    async with shop.pool.acquire() as conn:  # lower it in a way that calls nobody
        await conn.execute("alter table stock disable trigger user")
        await conn.execute("update stock set order_up_to = 99, reorder_point = 50")
        await conn.execute("alter table stock enable trigger user")
    for every in (timedelta(hours=1), timedelta(hours=1), timedelta(seconds=1)):
        await keep_replenishing(shop.temporal, task_queue=shop.task_queue, every=every)
    handle = shop.temporal.get_schedule_handle(ids.replenishment_id(shop.task_queue))
    try:

        async def two() -> bool:
            return len(await shop.purchasing.orders()) == 2

        await shop.until(two, "the schedule to buy")
    finally:
        await handle.delete()


async def test_a_schedule_that_somebody_paused_stays_so_with_another_interval(
    temporal_client: Client,
) -> None:
    queue = f"paused-{uuid4().hex[:8]}"
    await keep_replenishing(temporal_client, task_queue=queue, every=timedelta(hours=1))
    handle = temporal_client.get_schedule_handle(ids.replenishment_id(queue))
    try:
        await handle.pause(note="stocktaking")
        await keep_replenishing(temporal_client, task_queue=queue, every=timedelta(hours=2))
        found = (await handle.describe()).schedule
        assert [one.every for one in found.spec.intervals] == [timedelta(hours=2)]
        assert (found.state.paused, found.state.note) == (True, "stocktaking")
    finally:
        await handle.delete()


async def test_a_wait_that_somebody_completes_with_something_else_goes_on(shop: Shop) -> None:
    await a_need(shop)
    order = await at(shop, "sent")
    for step in ("await_acknowledgement", "await_goods"):
        wait = shop.temporal.get_async_activity_handle(
            workflow_id=ids.purchase_workflow_id(order.po_id),
            run_id=None,
            activity_id=f"{step}:{order.po_id}",
        )

        async def completed(wait: AsyncActivityHandle = wait) -> bool:
            with suppress(RPCError):
                await wait.complete("x")
                return True
            return False

        await shop.until(completed, f"{step} is completed with a text")
        if step == "await_acknowledgement":
            await shop.purchasing.acknowledge(order.po_id, "855", who="assam")
            await at(shop, "acknowledged")
    await shop.purchasing.receive(order.po_id, "all", who="dock")
    assert await ended(shop, order.po_id) == {"state": "closed"}
    assert await story(shop, order.po_id) == [*SENT, "acknowledged", "received", "closed"]
    await shop.settled()


async def test_one_that_temporal_lost_is_taken_up_again_and_nothing_is_done_twice(
    shop: Shop,
) -> None:
    await a_need(shop, price="100")
    po_id = (await at(shop, "proposed")).po_id
    await lose_and_take_up(shop, po_id)
    assert (await shop.purchasing.order(po_id)).state == "proposed", "nobody has approved it"
    await shop.purchasing.approve(po_id, by="kim")
    await at(shop, "sent")
    await lose_and_take_up(shop, po_id)
    await shop.purchasing.acknowledge(po_id, "855", who="assam")
    await shop.purchasing.receive(po_id, "part-1", {"TEA": 10}, who="dock")
    await lose_and_take_up(shop, po_id)
    (done,) = [done async for done in shop.purchasing.resume_lost()]
    assert (done.subject, done.outcome) == (po_id, "running")
    await shop.purchasing.receive(po_id, "part-2", who="dock")
    assert await ended(shop, po_id) == {"state": "closed"}
    assert await story(shop, po_id) == [
        *SENT,
        *("acknowledged", "partly received", "received", "closed"),
    ]
    assert [done async for done in shop.purchasing.resume_lost()] == []
    async with shop.pool.acquire() as conn:
        kept = await suppliers.get(conn, po_id)
    assert kept is not None
    await shop.settled()


async def lose_and_take_up(shop: Shop, po_id: str) -> None:
    """Its workflow is terminated; then another one is asked for, and a worker starts it."""

    async def taken() -> bool:
        started = "select started_at is not null from purchase_order where po_id = $1"
        return bool(await shop.pool.fetchval(started, po_id))

    await shop.until(taken, "Temporal has taken it")
    run = (await workflow(shop, po_id).describe()).run_id
    await workflow(shop, po_id).terminate("a slip")
    (done,) = [done async for done in shop.purchasing.resume_lost()]
    assert done == Resumption(po_id, "resumed", "its workflow had been terminated")

    async def begun() -> bool:
        return (await workflow(shop, po_id).describe()).run_id != run

    await shop.until(begun, f"another workflow of {po_id}")
    await shop.until(taken, "Temporal has taken it again")
