"""A parcel with a wrong address: redirected or called back while its carrier has it."""

from __future__ import annotations

import asyncio

import pytest

from domain.errors import Refused
from domain.orders.interception_messages import Interception, ParcelAnew
from domain.orders.messages import AttentionAnswer
from store.aftersales.returns import Counted
from store.sandbox.companies import clear_faults, set_fault
from tests.support.builders import a_policy, address_of, an_order
from tests.support.shop import Shop


async def test_a_parcel_is_redirected_and_arrives_at_its_new_address(shop: Shop) -> None:
    await shop.stocked("TEA", 2)
    order = an_order(("TEA", 2))
    parcel = await shop.placed(order, a_policy(return_window=0.2))
    await shop.drive(parcel, "labelled")
    there = address_of(order).model_copy(update={"line1": "New Street 9"})
    wanted = Interception(fulfilment_id=parcel, way="redirect", reason="moved", address=there)
    with pytest.raises(Refused) as no:
        await shop.interceptions.intercept(order.order_id, wanted)
    assert no.value.reason == "not_on_its_way"
    await shop.warehouse.hand_over(parcel, who="kim")
    done = await shop.interceptions.intercept(order.order_id, wanted)
    assert (done.outcome, done.fee and done.fee.minor) == ("accepted", 750)
    await shop.scan(parcel, "delivered")
    assert (await shop.result(order.order_id))["outcome"] == "closed"
    versions = await shop.edits.versions(order.order_id)
    assert versions[-1].document["shipping"]["address"]["line1"] == "New Street 9"
    assert "intercepted: goes to another address" in await shop.story(order.order_id)
    await shop.settled()


async def test_a_parcel_that_is_called_back_is_counted_and_paid_back(shop: Shop) -> None:
    await shop.stocked("TEA", 2)
    order = an_order(("TEA", 2))
    parcel = await shop.placed(order)
    await shop.drive(parcel, "shipped")
    wanted = Interception(fulfilment_id=parcel, way="return", reason="ordered twice")
    await shop.interceptions.intercept(order.order_id, wanted)
    await shop.scan(parcel, "return_to_sender")
    task = await shop.task("receive-return", f"{order.order_id}:R1")
    await shop.warehouse.receive_return(task.part_id, who="kim")
    assert (await shop.result(order.order_id))["outcome"] in ("cancelled", "closed")
    assert (await shop.orders.get(order.order_id)).summary.refunded_minor == 2500
    assert (await shop.level("TEA")).on_hand == 2
    await shop.settled()


async def test_where_the_carrier_never_answers_a_person_gives_it_up_and_another_is_asked_for(
    shop: Shop,
) -> None:
    await shop.stocked("TEA", 2)
    order = an_order(("TEA", 2))
    parcel = await shop.placed(order, a_policy(give_up_after=0.5))
    await shop.drive(parcel, "shipped")
    async with shop.pool.acquire() as conn:
        await set_fault(conn, "carrier", "intercept", "unavailable", 1.0)
    wanted = Interception(fulfilment_id=parcel, way="return", reason="ordered twice")
    first = asyncio.create_task(shop.interceptions.intercept(order.order_id, wanted))
    step = await shop.parked(order.order_id)
    given_up = AttentionAnswer(step=step, action="cancel", note="nobody answers there")
    await shop.orders.resolve_attention(order.order_id, given_up)
    with pytest.raises(Refused) as no:
        await first
    assert (no.value.reason, no.value.instead) == (
        "no_answer",
        ("intercept_parcel", "claim_items"),
    )
    async with shop.pool.acquire() as conn:
        await clear_faults(conn)
    done = await shop.interceptions.intercept(order.order_id, wanted)
    assert (done.outcome, done.fee and done.fee.minor) == ("accepted", 750)
    assert "interception given up" in await shop.story(order.order_id)
    await shop.scan(parcel, "return_to_sender")
    task = await shop.task("receive-return", f"{order.order_id}:R1")
    await shop.warehouse.receive_return(task.part_id, who="kim")
    await shop.settled()


@pytest.mark.parametrize("scrapped", [False, True])
async def test_what_could_not_be_delivered_goes_out_once_more_to_another_address(
    shop: Shop, scrapped: bool
) -> None:
    await shop.stocked("TEA", 2)
    order = an_order(("TEA", 2))
    parcel = await shop.placed(order, a_policy(return_window=0.2))
    await shop.drive(parcel, "shipped")
    there = address_of(order).model_copy(update={"line1": "New Street 9"})
    wanted = ParcelAnew(fulfilment_id=parcel, reason="moved", address=there, request_id="a-1")
    with pytest.raises(Refused) as no:
        await shop.interceptions.send_anew(order.order_id, wanted)
    assert no.value.reason == "not_coming_back"
    await shop.scan(parcel, "return_to_sender")
    task = await shop.task("receive-return", f"{order.order_id}:R1")
    for _ in range(2):
        done = await shop.interceptions.send_anew(
            order.order_id, wanted.model_copy(update={"request_id": "a-2"})
        )
    assert (done.outcome, done.return_id) == ("awaited", task.part_id)
    counted = {"1": Counted(scrapped=2)} if scrapped else None
    await shop.warehouse.receive_return(task.part_id, counted, who="kim")
    if scrapped:  # and no others are there
        assert (await shop.result(order.order_id))["outcome"] in ("cancelled", "closed")
        assert (await shop.orders.get(order.order_id)).summary.refunded_minor == 2500
    else:
        again = f"{order.order_id}:2"
        await shop.drive(again, "delivered")
        assert (await shop.result(order.order_id))["outcome"] == "closed"
        detail = await shop.orders.get(order.order_id)
        assert (detail.summary.captured_minor, detail.summary.refunded_minor) == (2500, 0)
    versions = await shop.edits.versions(order.order_id)
    assert versions[-1].document["shipping"]["address"]["line1"] == "New Street 9"
    await shop.settled()
