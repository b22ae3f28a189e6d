"""A cancellation meets what happens in the same moment: one of them comes first, and both agree."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import Client

from activities.fulfilment.carrier import Label
from domain.orders.order import Order
from store.database import Pool
from tests.support.builders import a_policy, an_order
from tests.support.shop import Shop, Stage
from tests.workflows.stopping import (
    BRISK,
    assert_nothing_was_sent,
    cancel,
    tea_and_cups,
    until_it_waits,
)


async def test_what_was_picked_before_the_order_could_be_stopped_is_put_back(shop: Shop) -> None:
    order = await tea_and_cups(shop)
    shop.faults.hold("authorize_payment")
    placing = asyncio.create_task(shop.orders.place(order, policy=BRISK))
    await asyncio.wait_for(shop.faults.reached["authorize_payment"].wait(), 20)
    await cancel(shop, "signal", order.order_id, {"reason": "never mind"})
    shop.faults.hold("recall")
    shop.faults.release("authorize_payment")
    await asyncio.wait_for(shop.faults.reached["recall"].wait(), 20)
    # Confirmed, so the warehouse sees it, and is faster than the workflow.
    await shop.warehouse.pick(f"{order.order_id}:1", who="picker")
    shop.faults.release("recall")
    await placing
    assert (await shop.result(order.order_id))["outcome"] == "cancelled"
    assert "units freed" in await shop.story(order.order_id)
    await assert_nothing_was_sent(shop, order)


async def test_an_order_stopped_where_the_picker_had_found_nothing_is_cancelled(shop: Shop) -> None:
    await shop.stocked("TEA", 3)
    order = an_order(("TEA", 3))
    shop.faults.hold("authorize_payment")
    placing = asyncio.create_task(shop.orders.place(order, policy=BRISK))
    await asyncio.wait_for(shop.faults.reached["authorize_payment"].wait(), 20)
    cancelling = asyncio.create_task(
        cancel(shop, "update", order.order_id, {"reason": "never mind"})
    )
    await asyncio.sleep(0.1)
    shop.faults.hold("recall")
    shop.faults.release("authorize_payment")
    await asyncio.wait_for(shop.faults.reached["recall"].wait(), 20)
    await shop.warehouse.pick(f"{order.order_id}:1", {"1": 0}, who="picker")
    shop.faults.release("recall")
    await asyncio.gather(placing, cancelling)
    assert (await shop.result(order.order_id))["outcome"] == "cancelled"
    await shop.settled()


async def test_a_short_pick_reported_as_units_are_taken_out_leaves_the_counts_right(
    shop: Shop,
) -> None:
    order = await tea_and_cups(shop)
    parcel = await shop.placed(order, BRISK)
    await shop.task("pick", parcel)
    shop.faults.hold("take_out")
    cancelling = asyncio.create_task(
        cancel(shop, "update", order.order_id, {"reason": "no tea", "lines": [{"line_id": "1"}]})
    )
    await asyncio.wait_for(shop.faults.reached["take_out"].wait(), 20)
    await shop.warehouse.pick(parcel, {"1": 1, "2": 1}, who="picker")
    shop.faults.release("take_out")
    answer = await cancelling
    assert answer is not None
    assert (answer.outcome, answer.refused) == ("cancelled", ())
    assert {item.line_id: item.quantity for item in answer.cancelled} == {"1": 1}  # all there was
    assert (await shop.finish(order.order_id))["outcome"] == "closed"
    counts = {
        line.line_id: (line.delivered, line.cancelled)
        for line in (await shop.orders.get(order.order_id)).lines
    }
    assert counts == {"1": (0, 3), "2": (1, 1)}  # one cup was not found, and there is no other shop
    await shop.settled()


async def test_units_that_are_being_replaced_are_stopped_too(shop: Shop) -> None:
    shop.faults.before("reserve_again", times=1000)
    await asyncio.gather(shop.stocked("TEA", 3), shop.stocked("TEA", 3, "second"))
    order = an_order(("TEA", 3))
    parcel = await shop.placed(order, a_policy(give_up_after=0.5, return_window=0.01))
    await shop.task("pick", parcel)
    await shop.warehouse.pick(parcel, {"1": 0}, who="picker")
    step = await shop.parked(order.order_id)
    cancelling = asyncio.create_task(
        cancel(shop, "update", order.order_id, {"reason": "never mind"})
    )
    await asyncio.sleep(0.1)
    shop.faults.heal("reserve_again")
    await shop.retry(order.order_id, step)
    answer = await cancelling
    assert answer is not None
    assert [item.quantity for item in answer.cancelled] == [3]
    assert (await shop.result(order.order_id))["outcome"] == "cancelled"
    await shop.settled()


async def test_lost_units_that_are_being_replaced_are_stopped_too(shop: Shop) -> None:
    await shop.stocked("TEA", 9)
    order = an_order(("TEA", 3))
    parcel = await shop.placed(order, BRISK)
    await shop.drive(parcel, "shipped")
    await shop.told(order.order_id, "charged")
    shop.faults.hold("reserve_again")
    await shop.scan(parcel, "failure")
    await asyncio.wait_for(shop.faults.reached["reserve_again"].wait(), 20)
    cancelling = asyncio.create_task(
        cancel(shop, "update", order.order_id, {"reason": "never mind"})
    )
    await asyncio.sleep(0.2)
    shop.faults.release("reserve_again")
    answer = await cancelling
    assert answer is not None
    assert (answer.outcome, answer.refused) == ("cancelled", ())
    await shop.result(order.order_id)
    summary = (await shop.orders.get(order.order_id)).summary
    assert (summary.cancelled, summary.refunded_minor) == (3, summary.captured_minor)
    await shop.settled()


async def test_a_label_refused_as_the_order_is_stopped_cancels_it_once(shop: Shop) -> None:
    order = await tea_and_cups(shop)
    parcel = await shop.placed(order, BRISK)
    await shop.drive(parcel, "picked")
    await shop.idle(order.order_id)
    shop.faults.hold("pick_pack_ship")
    await shop.warehouse.pack(parcel, who="packer")
    await asyncio.wait_for(shop.faults.reached["pick_pack_ship"].wait(), 20)
    cancelling = asyncio.create_task(
        cancel(shop, "update", order.order_id, {"reason": "never mind"})
    )

    async def recalled() -> bool:
        fulfilments = (await shop.orders.get(order.order_id)).fulfilments
        return fulfilments[0].recalled_from is not None

    await shop.until(recalled, "the parcel is recalled")
    shop.faults.refuse("pick_pack_ship", "declined")
    shop.faults.release("pick_pack_ship")
    answer = await cancelling
    assert answer is not None
    assert answer.outcome == "cancelled"
    result = await shop.result(order.order_id)
    assert (result["outcome"], result["reason"]) == ("cancelled", "never mind")
    await assert_nothing_was_sent(shop, order)


async def test_a_step_given_up_and_cancelled_in_one_moment_is_cancelled_once(
    pool: Pool, temporal_client: Client
) -> None:
    shop = Shop(pool, temporal_client, BRISK)
    order = await tea_and_cups(shop)
    shop.faults.refuse("pick_pack_ship")
    async with shop.working():
        await shop.placed(order)
        step = await shop.parked(order.order_id)
    # Nobody is there to hear them one after the other: the next worker hears both at once.
    answer = {"step": step, "action": "cancel", "note": "nobody can find it"}
    for name, message in (("cancel", {"reason": "never mind"}), ("resolve_attention", answer)):
        await shop.workflow(order.order_id).signal(name, message)
    async with shop.working():
        assert (await shop.result(order.order_id))["outcome"] == "cancelled"
        await assert_nothing_was_sent(shop, order)
    released = [what for what in await shop.story(order.order_id) if what == "cancelled"]
    assert len(released) == 2  # the units, and then the order


async def test_s22_what_left_as_the_order_was_stopped_is_charged_and_delivered(shop: Shop) -> None:
    order = await tea_and_cups(shop)
    parcel = await shop.placed(order, BRISK)
    await shop.drive(parcel, "labelled")
    shop.faults.hold("recall")
    cancelling = asyncio.create_task(
        cancel(shop, "update", order.order_id, {"reason": "never mind"})
    )
    await asyncio.wait_for(shop.faults.reached["recall"].wait(), 20)
    await shop.warehouse.hand_over(parcel, who="packer")
    shop.faults.release("recall")
    answer = await cancelling
    assert answer is not None
    assert (answer.outcome, answer.return_offered) == ("refused", True)
    assert (await shop.finish(order.order_id))["outcome"] == "closed"
    assert (await shop.orders.get(order.order_id)).summary.captured_minor == order.total_minor
    await shop.settled()


async def test_s22_a_pick_and_the_recall_that_caught_it_are_heard_in_one_task(
    pool: Pool, temporal_client: Client
) -> None:
    shop = Shop(pool, temporal_client, BRISK)
    order = await tea_and_cups(shop)

    async def answered(times: int) -> None:
        async def find() -> bool:
            history = await shop.history(order.order_id)
            answers = [e.HasField("activity_task_completed_event_attributes") for e in history]
            return sum(answers) >= times

        await shop.until(find, f"{times} answers")

    async def asked_to_recall() -> bool:
        history = await shop.history(order.order_id)
        kinds = [e.activity_task_scheduled_event_attributes.activity_type.name for e in history]
        return "recall" in kinds

    async with shop.working():
        parcel = await shop.placed(order)
        await shop.task("pick", parcel)
        await shop.idle(order.order_id)
    async with shop.working(no_remote_activities=True):
        await shop.workflow(order.order_id).signal("cancel", {"reason": "never mind"})
        await shop.until(asked_to_recall, "the parcel is recalled")
        await shop.idle(order.order_id)
    await shop.warehouse.pick(parcel, who="picker")
    async with shop.working(workflows=[]):
        await answered(3)  # the authorization, the pick, the recall
    async with shop.working():
        assert (await shop.result(order.order_id))["outcome"] == "cancelled"
        await assert_nothing_was_sent(shop, order)
        assert "units freed" in await shop.story(order.order_id)


async def test_a_worker_that_dies_with_the_label_of_a_recalled_parcel_keeps_nobody_waiting(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await tea_and_cups(shop)
    parcel = await shop.placed(order, BRISK)
    buy = shop.carrier.buy_label

    async def buy_slowly(**ask: Any) -> Label:
        label = await buy(**ask)
        await shop.recalled(order.order_id)
        return label

    monkeypatch.setattr(shop.carrier, "buy_label", buy_slowly)
    dead = shop.faults.lose("pick_pack_ship")
    try:
        await shop.drive(parcel, "packed")
        await shop.until(lambda: shop.carrier.lookup(key=f"{parcel}:label"), "the label is sold")
        answer = await cancel(shop, "update", order.order_id, {"reason": "never mind"})
        assert answer is not None
        assert answer.outcome == "cancelled"
        assert (await shop.result(order.order_id))["outcome"] == "cancelled"
        assert shop.faults.calls["pick_pack_ship"] >= 2  # the relay had the label looked after
    finally:
        dead.set()
    assert (await shop.story(order.order_id)).count("label voided") == 1
    await assert_nothing_was_sent(shop, order)


async def test_attention_that_is_raised_as_the_parcel_is_recalled_is_taken_back(shop: Shop) -> None:
    order = await tea_and_cups(shop)
    shop.faults.hold("note_attention")
    policy = a_policy(pick_within=1, return_window=0.01)
    parcel = await shop.placed(order, policy)
    await asyncio.wait_for(shop.faults.reached["note_attention"].wait(), 20)
    cancelling = asyncio.create_task(
        cancel(shop, "update", order.order_id, {"reason": "never mind"})
    )
    await shop.recalled(order.order_id)
    shop.faults.release("note_attention")
    assert (await cancelling) is not None
    assert (await shop.result(order.order_id))["outcome"] == "cancelled"
    story = await shop.story(order.order_id)
    assert [what for what in story if "attention" in what] == [
        f"needs attention: pick_pack_ship {parcel}",
        f"attention resolved: pick_pack_ship {parcel}",
    ]
    assert (await shop.orders.get(order.order_id)).attention == ()
    await assert_nothing_was_sent(shop, order)


async def pending(shop: Shop, order: Order) -> dict[str, tuple[int, str]]:
    """The activities that Temporal shows as pending: id → attempt, and type of the last failure."""
    description = await shop.workflow(order.order_id).describe()
    return {
        each.activity_id: (each.attempt, each.last_failure.application_failure_info.type)
        for each in description.raw_description.pending_activities
    }


@pytest.mark.parametrize("stage", ["picked", "labelled"])
async def test_a_wait_that_was_recalled_is_not_pending_any_more(shop: Shop, stage: Stage) -> None:
    await asyncio.gather(shop.stocked("TEA", 1), shop.stocked("CUP", 1, "second"))
    order = an_order(("TEA", 1), ("CUP", 1))
    await shop.placed(order, BRISK)
    waits = set()
    for fulfilment in (await shop.orders.get(order.order_id)).fulfilments:
        await shop.drive(fulfilment.fulfilment_id, stage)
        waits.add(f"pick_pack_ship:{fulfilment.fulfilment_id}")
    assert len(waits & (await pending(shop, order)).keys()) == 2
    no_tea = {"reason": "no tea", "lines": [{"line_id": "1"}]}
    assert await cancel(shop, "update", order.order_id, no_tea) is not None
    (recalled,) = (
        f"pick_pack_ship:{fulfilment.fulfilment_id}"
        for fulfilment in (await shop.orders.get(order.order_id)).fulfilments
        if fulfilment.recalled_from is not None
    )
    assert waits & (await pending(shop, order)).keys() == waits - {recalled}
    assert (await shop.finish(order.order_id))["outcome"] == "closed"
    await shop.settled()


async def test_the_attempt_that_bought_the_label_says_why_it_began(
    pool: Pool, temporal_client: Client
) -> None:
    shop = Shop(pool, temporal_client, BRISK)
    # On a busy machine the label may take longer than other tests give an attempt to buy it.
    async with shop.working(stranded_after=timedelta(seconds=60)):
        order = await tea_and_cups(shop)
        parcel = await shop.placed(order, BRISK)
        await until_it_waits(shop, parcel)
        await shop.drive(parcel, "labelled")
        assert (await pending(shop, order))[f"pick_pack_ship:{parcel}"] == (2, "packed")
        assert (await shop.finish(order.order_id))["outcome"] == "closed"
        await shop.settled()
