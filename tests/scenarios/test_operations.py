"""Hard cases of operations: what is clicked twice, comes late, or does not come at all."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from domain.errors import Conflict, Refused
from domain.fulfilment.tracking import CarrierStatus
from domain.orders.messages import AttentionAnswer, CancelRequest, LineRequest
from domain.orders.return_messages import ReturnRequest
from tests.support.builders import a_policy, an_order
from tests.support.shop import Shop
from workflows.engine.attention import ORDER_ATTENTION

# Dispatch ----------------------------------------------------------------------------------------


async def test_s29_dispatch_clicked_often_and_tried_again_is_one_label_and_one_parcel(
    shop: Shop,
) -> None:
    await shop.stocked("TEA", 9)
    order = an_order(("TEA", 2))
    shop.faults.repeat("pick_pack_ship")
    shop.faults.after("pick_pack_ship", times=2)
    parcel = await shop.placed(order)
    await shop.drive(parcel, "picked")
    await asyncio.gather(*(shop.warehouse.pack(parcel, who="packer") for _ in range(4)))
    await shop.task("handover", parcel)
    await asyncio.gather(*(shop.warehouse.hand_over(parcel, who="packer") for _ in range(4)))
    await shop.finish(order.order_id)
    async with shop.pool.acquire() as conn:
        assert await conn.fetchval("select count(*) from sandbox.label") == 1
        assert await conn.fetchval("select count(*) from shipment") == 1
        assert await conn.fetchval("select count(*) from movement where kind = 'shipped'") == 1
    assert (await shop.story(order.order_id)).count("shipped") == 1
    assert (await shop.level("TEA")).on_hand == 7
    await shop.settled()


async def test_s29_an_order_placed_often_at_once_is_one_order_with_one_answer(shop: Shop) -> None:
    await shop.stocked("TEA", 9)
    order = an_order(("TEA", 2))
    answers = await asyncio.gather(*(shop.orders.place(order) for _ in range(6)))
    assert {answer.outcome for answer in answers} == {"confirmed"}
    assert (await shop.level("TEA")).allocated == 2
    await shop.finish(order.order_id)
    assert (await shop.orders.place(order)).outcome == "confirmed"  # long after, too
    await shop.settled()
    assert (await shop.level("TEA")).on_hand == 7


async def test_s29_the_same_key_with_another_body_is_a_conflict(shop: Shop) -> None:
    await shop.stocked("TEA", 9)
    order = an_order(("TEA", 2))
    other = order.model_copy(update={"note": "and be quick"})
    await shop.placed(order, a_policy(give_up_after=60, return_window=60))
    with pytest.raises(Conflict, match="placed before with other content"):
        await shop.orders.place(other)
    one = CancelRequest(
        reason="no", lines=(LineRequest(line_id="1", quantity=1),), request_id="C-1"
    )
    first = await shop.aftersales.cancel(order.order_id, one)
    assert await shop.aftersales.cancel(order.order_id, one) == first
    with pytest.raises(Conflict, match="request C-1 was made before with other content"):
        await shop.aftersales.cancel(order.order_id, one.model_copy(update={"lines": ()}))
    parcel = f"{order.order_id}:1"  # with what stayed wanted
    await shop.drive(parcel, "picked")
    with pytest.raises(Conflict, match="reported before, and differently"):
        await shop.warehouse.pick(parcel, {}, who="another picker")
    await shop.warehouse.pack(parcel, who="packer")
    await shop.do(await shop.task("handover", parcel))
    await shop.scan(parcel, "delivered")
    await shop.heard(order.order_id, "delivered", 1)
    await shop.told(order.order_id, "charged")
    back = ReturnRequest(reason="no", request_id="R-1")
    approved = await shop.aftersales.request_return(order.order_id, back)
    assert await shop.aftersales.request_return(order.order_id, back) == approved
    with pytest.raises(Conflict, match="request R-1 was made before with other content"):
        await shop.aftersales.request_return(
            order.order_id, back.model_copy(update={"reason": "other"})
        )
    await shop.warehouse.receive_return(f"{order.order_id}:R1", who="receiver")
    await shop.settled()
    with pytest.raises(Conflict, match="placed before with other content"):
        await shop.orders.place(other)  # long after, too
    assert await shop.aftersales.cancel(order.order_id, one) == first
    with pytest.raises(Refused, match="is closed since"):
        await shop.aftersales.cancel(order.order_id, one.model_copy(update={"request_id": "C-2"}))


# Carriers ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [30])
async def test_s30_events_that_come_twice_late_and_mixed_up_only_move_the_story_forward(
    shop: Shop, seed: int
) -> None:
    await shop.stocked("TEA", 9)
    order = an_order(("TEA", 2))
    parcel = await shop.placed(order)
    await shop.drive(parcel, "labelled")
    scans: list[CarrierStatus] = [
        *("pre_transit", "in_transit", "out_for_delivery", "available_for_pickup"),
        *("in_transit", "delivered", "unknown", "failure", "return_to_sender"),
    ]
    random = Random(seed)
    # The ends come last among them, delivered first: what a carrier says after it is not believed,
    # and a person is asked about it.
    before = scans[:5] * 2
    random.shuffle(before)
    after = scans[6:] + scans[:5] + ["delivered"]
    random.shuffle(after)
    for number, status in enumerate([*before, "delivered", *after]):
        await shop.scan(parcel, status, f"{status}-{number // 3}")
    result = await shop.result(order.order_id)
    assert result["outcome"] == "closed"
    (fulfilment,) = (await shop.orders.get(order.order_id)).fulfilments
    assert (fulfilment.state, fulfilment.carrier_status) == ("delivered", "delivered")
    story = await shop.story(order.order_id)
    assert [what for what in story if what in ("shipped", "delivered", "lost", "closed")] == [
        *("shipped", "delivered", "closed")
    ]
    (step,) = await shop.attention(order.order_id)
    assert step == f"late_scan {parcel}"
    await shop.carriers.settle_late_scan(order.order_id, step, "it has arrived", who="kim")
    await shop.settled()


async def test_s30_a_parcel_that_nobody_scans_raises_attention_by_itself_and_ends_it_by_itself(
    shop: Shop,
) -> None:
    await shop.stocked("TEA", 9)
    quiet, lively = an_order(("TEA", 1)), an_order(("TEA", 1))
    policy = a_policy(give_up_after=60, scan_within=1.5)
    parcels = [await shop.placed(order, policy) for order in (quiet, lively)]
    await asyncio.gather(*(shop.drive(parcel, "shipped") for parcel in parcels))
    raised = asyncio.create_task(shop.attention(quiet.order_id))
    while not raised.done():
        await shop.scan(parcels[1], "in_transit")
        await asyncio.sleep(0.2)
    assert (await raised).keys() == {f"await_delivery {parcels[0]}"}
    assert "has not scanned" in next(iter(raised.result().values()))
    assert (await shop.orders.get(quiet.order_id)).summary.attention
    assert not any("attention" in what for what in await shop.story(lively.order_id))
    for parcel in parcels:
        await shop.scan(parcel, "delivered")
    await shop.settled()  # which nobody had to ask for
    assert f"attention resolved: await_delivery {parcels[0]}" in await shop.story(quiet.order_id)


async def test_s30_a_delivery_told_long_after_the_return_window_still_ends_the_order(
    shop: Shop,
) -> None:
    await shop.stocked("TEA", 9)
    order = an_order(("TEA", 1))
    parcel = await shop.placed(order)
    await shop.drive(parcel, "shipped")
    # It left a long time ago.
    await shop.pool.execute(
        "update shipment set asked_at = now() - interval '41 days', "
        "handed_over_at = now() - interval '41 days'"
    )
    row = next(p for p in await shop.carriers.under_way() if p.fulfilment_id == parcel)
    await shop.carriers.event(
        carrier=row.carrier,
        tracking_number=row.tracking_number,
        event_id="late",
        status="delivered",
        happened_at=datetime.now(UTC) - timedelta(days=40),
    )
    assert (await shop.result(order.order_id))["outcome"] == "closed"
    await shop.settled()


# Before the order is on record --------------------------------------------------------------------


async def test_an_order_that_cannot_be_recorded_yet_waits_for_a_person_and_is_not_lost(
    shop: Shop,
) -> None:
    await shop.stocked("TEA", 9)
    order = an_order(("TEA", 1))
    # A failure for good needs no short `give_up_after`, which every other step would get as well.
    shop.faults.refuse("reserve_stock", "fault")
    placement = await shop.orders.place(
        order, policy=a_policy(give_up_after=60), answer_within=timedelta(seconds=1)
    )
    assert placement.outcome == "in_progress"
    handle = shop.workflow(order.order_id)

    async def listed() -> bool:
        return bool((await handle.describe()).typed_search_attributes.get(ORDER_ATTENTION))

    await shop.until(listed, "Temporal lists the order as needing attention")
    shop.faults.heal("reserve_stock")
    answer = AttentionAnswer(
        step=f"reserve_stock {order.order_id}", action="retry", note="the database is back"
    )
    await shop.orders.resolve_attention(order.order_id, answer)
    assert (await shop.orders.place(order)).outcome == "confirmed"
    await shop.finish(order.order_id)
    await shop.settled()
