"""A cancellation finds each unit where it stands: it is stopped, or the caller learns why not."""

from __future__ import annotations

import asyncio
from itertools import cycle
from typing import Any

import pytest
from temporalio.service import RPCError

from domain.errors import Conflict, InvalidInput, Refused
from domain.orders.messages import AttentionAnswer, Placement
from domain.orders.return_messages import ReturnRequest
from domain.stock.items import Item
from tests.support.builders import a_policy, an_order
from tests.support.shop import Shop, Stage
from tests.workflows.stopping import (
    BRISK,
    LEISURELY,
    STOPPABLE,
    TOO_LATE,
    UNDONE,
    WAYS,
    Moment,
    Way,
    assert_nothing_was_sent,
    cancel,
    tea_and_cups,
    when,
)


@pytest.mark.parametrize(("moment", "way"), [*zip(STOPPABLE, cycle(WAYS), strict=False)])
async def test_before_the_hand_over_the_whole_order_is_stopped_and_undone(
    shop: Shop, moment: Moment, way: Way
) -> None:
    order = await tea_and_cups(shop)
    request = {"reason": "changed my mind"}
    answer = await when(shop, order, moment, lambda: cancel(shop, way, order.order_id, request))
    if answer is not None:
        assert answer.outcome == "cancelled"
        assert {item.line_id: item.quantity for item in answer.cancelled} == {"1": 3, "2": 2}
        assert (answer.refused, answer.return_offered) == ((), False)
    result = await shop.result(order.order_id)
    assert (result["outcome"], result["reason"]) == ("cancelled", "changed my mind")
    story = await shop.story(order.order_id)
    assert [what for what in story if what in ("label voided", "units freed")] == UNDONE[moment]
    await assert_nothing_was_sent(shop, order)


@pytest.mark.parametrize(("stage", "way"), [*zip(TOO_LATE, WAYS, strict=True)])
async def test_s25_after_the_hand_over_the_caller_is_told_and_offered_the_return_path(
    shop: Shop, stage: Stage, way: Way
) -> None:
    order = await tea_and_cups(shop)
    parcel = await shop.placed(order, LEISURELY)
    await shop.drive(parcel, stage)
    answer = await cancel(shop, way, order.order_id, {"reason": "too late"})
    if answer is not None:
        assert (answer.outcome, answer.cancelled, answer.return_offered) == ("refused", (), True)
        assert "request a return" in answer.message
    else:
        await shop.told(order.order_id, "cancel refused")
    if stage == "shipped":
        await shop.scan(parcel, "delivered")
    await shop.phase(order.order_id, "return window")
    summary = (await shop.orders.get(order.order_id)).summary
    assert (summary.captured_minor, summary.refunded_minor) == (order.total_minor, 0)
    # The path that was offered is open.
    await shop.aftersales.request_return(order.order_id, ReturnRequest(reason="too late"))
    assert (await shop.finish(order.order_id))["outcome"] == "closed"
    summary = (await shop.orders.get(order.order_id)).summary
    assert summary.refunded_minor == order.total_minor
    await shop.settled()


@pytest.mark.parametrize("moment", ["authorizing", "picked", "buying", "labelled"])
async def test_before_the_hand_over_units_are_stopped_and_the_others_go_on(
    shop: Shop, moment: Moment
) -> None:
    order = await tea_and_cups(shop)
    fewer = {"reason": "fewer", "lines": [{"line_id": "1", "quantity": 1}, {"line_id": "2"}]}
    answer = await when(shop, order, moment, lambda: cancel(shop, "update", order.order_id, fewer))
    assert answer is not None
    assert answer.outcome == "cancelled"
    assert {item.line_id: item.quantity for item in answer.cancelled} == {"1": 1, "2": 2}
    assert (await shop.finish(order.order_id))["outcome"] == "closed"
    detail = await shop.orders.get(order.order_id)
    counts = {line.line_id: (line.delivered, line.cancelled) for line in detail.lines}
    assert counts == {"1": (2, 1), "2": (0, 2)}
    # 2 of 3 teas at 12.50, and their 2/3 of the 3.26 that is the teas' part of the shipping.
    assert detail.summary.captured_minor == 2500 + 217
    assert (await shop.level("TEA")).on_hand == 8
    assert (await shop.level("CUP")).on_hand == 10
    await shop.settled()


@pytest.mark.parametrize("stage", TOO_LATE)
async def test_after_the_hand_over_units_are_refused(shop: Shop, stage: Stage) -> None:
    order = await tea_and_cups(shop)
    parcel = await shop.placed(order, LEISURELY)
    await shop.drive(parcel, stage)
    answer = await cancel(
        shop, "update", order.order_id, {"reason": "fewer", "lines": [{"line_id": "2"}]}
    )
    assert answer is not None
    assert (answer.outcome, answer.return_offered) == ("refused", True)
    assert [(item.line_id, item.quantity) for item in answer.refused] == [("2", 2)]


@pytest.mark.parametrize("way", WAYS)
async def test_of_two_parcels_the_one_that_left_goes_on_and_the_other_is_stopped(
    shop: Shop, way: Way
) -> None:
    await asyncio.gather(shop.stocked("TEA", 3), shop.stocked("CUP", 2, "second"))
    order = an_order(("TEA", 3, "12.50"), ("CUP", 2))
    parcel = await shop.placed(order, BRISK)
    await asyncio.gather(
        shop.drive(parcel, "shipped"), shop.drive(f"{order.order_id}:2", "labelled")
    )
    answer = await cancel(shop, way, order.order_id, {"reason": "moved away"})
    if answer is not None:
        assert (answer.outcome, answer.return_offered) == ("partly_cancelled", True)
        assert [(item.line_id, item.quantity) for item in answer.cancelled] == [("2", 2)]
        assert [(item.line_id, item.quantity) for item in answer.refused] == [("1", 3)]
    await shop.told(order.order_id, "label voided")
    assert (await shop.finish(order.order_id))["outcome"] == "closed"
    assert (await shop.level("CUP", "second")).on_hand == 2
    await shop.settled()


async def test_units_of_one_line_are_taken_from_the_parcel_that_is_easiest_to_stop(
    shop: Shop,
) -> None:
    await asyncio.gather(shop.stocked("TEA", 3), shop.stocked("TEA", 2, "second"))
    order = an_order(("TEA", 5, "12.50"))
    await shop.placed(order, BRISK)
    first, second = f"{order.order_id}:1", f"{order.order_id}:2"
    await shop.drive(first, "labelled")
    few = await cancel(
        shop,
        "update",
        order.order_id,
        {"reason": "few", "lines": [{"line_id": "1", "quantity": 1}]},
    )
    assert few is not None
    assert few.outcome == "cancelled"
    detail = await shop.orders.get(order.order_id)
    units = {f.fulfilment_id: f.units for f in detail.fulfilments}
    assert units == {first: {"1": 3}, second: {"1": 1}}  # nobody had begun to pick the second
    await shop.warehouse.hand_over(first, who="packer")
    more = await cancel(
        shop,
        "update",
        order.order_id,
        {"reason": "more", "lines": [{"line_id": "1", "quantity": 3}]},
    )
    assert more is not None
    assert (more.outcome, more.return_offered) == ("partly_cancelled", True)
    assert [item.quantity for item in more.cancelled] == [1]
    assert [item.quantity for item in more.refused] == [2]
    assert (await shop.finish(order.order_id))["outcome"] == "closed"
    await shop.settled()


async def test_cancelling_unit_by_unit_to_the_end_cancels_the_order_and_charges_nothing(
    shop: Shop,
) -> None:
    order = await tea_and_cups(shop)
    await shop.placed(order, BRISK)
    for line_id, units in (("1", 3), ("2", 2)):
        for _ in range(units):
            lines = [{"line_id": line_id, "quantity": 1}]
            await cancel(shop, "update", order.order_id, {"reason": "one less", "lines": lines})
    assert (await shop.result(order.order_id))["outcome"] == "cancelled"
    await assert_nothing_was_sent(shop, order)


async def test_what_is_cancelled_already_is_refused_and_named(shop: Shop) -> None:
    order = await tea_and_cups(shop)
    await shop.placed(order, BRISK)
    request = {"reason": "no cups", "lines": [{"line_id": "2", "quantity": 2}]}
    await cancel(shop, "update", order.order_id, request)
    again = await cancel(shop, "update", order.order_id, request)
    assert again is not None
    assert (again.outcome, again.return_offered) == ("refused", False)
    assert again.message == "line 2: 2 already cancelled"
    assert (await shop.finish(order.order_id))["outcome"] == "closed"
    await shop.settled()


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ([{"line_id": "9"}], "there is no line 9; the order has 1, 2"),
        ([{"line_id": "1", "quantity": 4}], "cannot cancel 4: only 3 were ordered"),
        ([{"line_id": "1"}, {"line_id": "1"}], "line 1 is named twice"),
    ],
)
async def test_a_request_that_cannot_be_meant_for_the_order_changes_nothing(
    shop: Shop, lines: list[dict[str, Any]], why: str
) -> None:
    order = await tea_and_cups(shop)
    await shop.placed(order)
    with pytest.raises(InvalidInput, match=why):
        await cancel(shop, "update", order.order_id, {"reason": "?", "lines": lines})
    assert (await shop.orders.get(order.order_id)).summary.cancelled == 0


@pytest.mark.parametrize("way", WAYS)
async def test_a_repeated_request_is_one_request_with_one_answer(shop: Shop, way: Way) -> None:
    order = await tea_and_cups(shop)
    await shop.placed(order, BRISK)
    request = {
        "reason": "fewer",
        "lines": [{"line_id": "1", "quantity": 1}],
        "request_id": "click-1",
    }
    first = await cancel(shop, way, order.order_id, request)
    repeats = await asyncio.gather(
        *(cancel(shop, "update", order.order_id, request) for _ in range(3))
    )
    assert len({repr(answer) for answer in repeats}) == 1
    assert first in (None, repeats[0])
    assert repeats[0] is not None
    assert (repeats[0].request_id, repeats[0].outcome) == ("click-1", "cancelled")
    assert (await shop.orders.get(order.order_id)).summary.cancelled == 1
    assert (await shop.story(order.order_id)).count("cancelled") == 1
    assert (await shop.finish(order.order_id))["outcome"] == "closed"
    await shop.settled()


async def test_the_same_request_id_with_other_content_is_a_conflict(shop: Shop) -> None:
    order = await tea_and_cups(shop)
    await shop.placed(order)
    request = {"reason": "fewer", "lines": [{"line_id": "2"}], "request_id": "click-1"}
    other = {**request, "lines": [{"line_id": "1"}]}
    await cancel(shop, "update", order.order_id, request)
    with pytest.raises(Conflict, match="request click-1 was made before with other content"):
        await cancel(shop, "update", order.order_id, other)
    await cancel(shop, "signal", order.order_id, other)
    await shop.told(order.order_id, "cancel refused")
    assert (await shop.orders.get(order.order_id)).summary.cancelled == 2


async def test_a_closed_order_answers_that_nothing_can_be_changed(shop: Shop) -> None:
    order = await tea_and_cups(shop)
    await shop.placed(order, BRISK)
    await shop.finish(order.order_id)
    with pytest.raises(Refused, match=r"is closed since .* nothing can be changed"):
        await cancel(shop, "update", order.order_id, {"reason": "too late"})
    with pytest.raises(RPCError, match="workflow execution already completed"):
        await cancel(shop, "signal", order.order_id, {"reason": "too late"})


async def test_an_order_cancelled_while_an_operator_is_awaited_is_not_paid_for(shop: Shop) -> None:
    shop.faults.before("authorize_payment", times=1000)
    order = await tea_and_cups(shop)
    placing = asyncio.create_task(shop.orders.place(order, policy=a_policy(give_up_after=0.5)))
    await shop.begun()
    await shop.parked(order.order_id)
    answer = await cancel(shop, "update", order.order_id, {"reason": "never mind"})
    assert answer is not None
    assert answer.outcome == "cancelled"
    assert await placing == Placement(
        order_id=order.order_id,
        outcome="rejected",
        reason="cancelled before the payment was authorized",
    )
    assert (await shop.result(order.order_id))["outcome"] == "cancelled"
    assert (await shop.orders.get(order.order_id)).summary.decision == "cancelled"
    await assert_nothing_was_sent(shop, order)


# A cancellation from Temporal itself ------------------------------------------------------------


@pytest.mark.parametrize("moment", ["authorizing", "confirmed", "labelled"])
async def test_a_cancellation_in_temporal_is_a_request_like_any_other(
    shop: Shop, moment: Moment
) -> None:
    order = await tea_and_cups(shop)
    await when(shop, order, moment, shop.workflow(order.order_id).cancel)
    result = await shop.result(order.order_id)
    assert (result["outcome"], result["reason"]) == ("cancelled", "cancelled in Temporal")
    await assert_nothing_was_sent(shop, order)


async def test_a_cancellation_in_temporal_of_what_was_delivered_is_refused_in_the_story(
    shop: Shop,
) -> None:
    order = await tea_and_cups(shop)
    parcel = await shop.placed(order, a_policy(return_window=1))
    await shop.drive(parcel, "delivered")
    await shop.phase(order.order_id, "return window")
    await shop.workflow(order.order_id).cancel()
    await shop.told(order.order_id, "cancel refused")
    assert (await shop.result(order.order_id))["outcome"] == "closed"
    await shop.settled()


async def test_a_cancellation_in_temporal_at_the_very_end_lets_the_order_end(shop: Shop) -> None:
    shop.faults.before("close_order", times=1000)
    order = await tea_and_cups(shop)
    await shop.placed(order, a_policy(give_up_after=0.5, return_window=0.01))
    ended = asyncio.create_task(shop.finish(order.order_id))
    step = await shop.parked(order.order_id)
    await shop.workflow(order.order_id).cancel()
    await shop.told(order.order_id, "cancel refused")
    shop.faults.heal("close_order")
    await shop.retry(order.order_id, step)
    assert (await ended)["outcome"] == "closed"
    await shop.settled()


async def test_a_refund_that_waits_for_a_person_keeps_no_unit_from_being_stopped(
    shop: Shop,
) -> None:
    """Units that wait for stock are cancelled first, and the company refuses to pay them back."""
    await shop.stocked("TEA", 1)
    await shop.catalogue.set_items([Item(sku="TEA", backorder=True)])
    order = an_order(("TEA", 2, "12.50"), token="tok_refund_refused")
    ahead = a_policy(give_up_after=10, backorder_within=600, charge="at_confirmation")
    await shop.placed(order, ahead)
    await shop.told(order.order_id, "charged")
    request = {"reason": "changed my mind"}
    asking = asyncio.create_task(cancel(shop, "update", order.order_id, request))

    async def all_stopped() -> bool:
        (line,) = (await shop.orders.get(order.order_id)).lines
        return line.cancelled == 2

    await shop.until(all_stopped, "both units are cancelled")

    async def two_owed() -> bool:
        return len(await shop.attention(order.order_id)) == 2

    await shop.until(two_owed, "both refunds wait for a person")
    for step in await shop.attention(order.order_id):
        answer = AttentionAnswer(step=step, action="done", note="sent by transfer")
        await shop.orders.resolve_attention(order.order_id, answer)
    answered = await asking
    assert answered is not None
    assert answered.outcome == "cancelled"
    assert (await shop.result(order.order_id))["outcome"] == "cancelled"
    await shop.settled()
