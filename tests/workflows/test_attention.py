"""What cannot go on by itself is put before a person, and every such state has a way out."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from temporalio.client import Client

from domain.errors import IllegalTransition, NotFound
from domain.orders.messages import AttentionAnswer, CancelRequest
from domain.orders.order import Order
from domain.orders.return_messages import ReturnRequest
from store.database import Pool
from tests.support.books import faults_in
from tests.support.builders import a_policy, an_order
from tests.support.shop import Shop
from tests.workflows.lives import (
    BRISK,
    IMPATIENT,
    UNDOS,
    a_two_parcel_order,
    assert_a_life_with_every_undo,
    live_a_life_with_every_undo,
    three_teas,
)

OVERDUE = [
    ("pick", "pick_within", "{parcel} is not picked within 1 second"),
    ("pack", "pack_within", "{parcel} is not packed within 1 second"),
    ("handover", "hand_over_within", "{parcel} is not handed over within 1 second"),
    ("await_delivery", "scan_within", "the carrier has not scanned {parcel} for 1 second; lost?"),
]

# The step that waits for a task of the warehouse, and the task that a step waits for.
STEP_OF = dict.fromkeys(("pick", "pack", "handover"), "pick_pack_ship")


# Overdue -----------------------------------------------------------------------------------------


async def test_whatever_is_overdue_asks_for_a_person_and_goes_on_when_it_happens(
    shop: Shop,
) -> None:
    """One life in which the outside is late with each step that waits for it."""
    order = await three_teas(shop)
    names = {"parcel": f"{order.order_id}:1", "order": order.order_id}
    limits = {limit: 1 for _, limit, _ in OVERDUE}
    await shop.placed(order, a_policy(return_window=60, **limits))
    late = {step for step, _, _ in OVERDUE}
    ended = asyncio.create_task(finish_with_a_return(shop, order, leaving=late))
    resolved = []
    for task, _, reason in OVERDUE:
        step = STEP_OF.get(task, task)
        part = f"{order.order_id}:1"
        asked = {f"{step} {part}": reason.format(**names)}

        async def is_asked(asked: dict[str, str] = asked) -> bool:
            return await shop.attention(order.order_id) == asked

        await shop.until(is_asked, f"a person is asked about {asked}")
        assert [o.order_id for o in await shop.orders.list(attention=True)] == [order.order_id]
        with pytest.raises(IllegalTransition, match="nothing is to be decided; it ends by itself"):
            await shop.retry(order.order_id, f"{step} {part}")
        late.discard(task)
        resolved.append((f"attention resolved: {step} {part}", "it happened after all"))
    assert (await ended)["outcome"] == "closed"
    events = [e for e in await shop.orders.events(order.order_id) if "resolved" in e.what]
    assert [(e.what, e.why) for e in events] == resolved
    await shop.settled()


async def test_what_is_overdue_and_then_refused_needs_nobody_any_more(shop: Shop) -> None:
    shop.faults.hold("pick_pack_ship")
    order = await three_teas(shop)
    parcel = await shop.placed(order, a_policy(pick_within=1, return_window=0.01))
    assert list(await shop.attention(order.order_id)) == [f"pick_pack_ship {parcel}"]
    shop.faults.refuse("pick_pack_ship", "declined")
    shop.faults.release("pick_pack_ship")
    assert (await shop.result(order.order_id))["outcome"] == "cancelled"
    await shop.settled()


# Completed wrongly -------------------------------------------------------------------------------

WRONG_RESULTS = {"text": "x", "nothing": None, "another": {"picked": "all of it"}}


@pytest.mark.parametrize("result", WRONG_RESULTS.values(), ids=WRONG_RESULTS)
async def test_a_result_of_the_wrong_kind_is_a_failed_step_and_no_failed_workflow(
    shop: Shop, result: Any
) -> None:
    order = await three_teas(shop)
    parcel = await shop.placed(order, BRISK)
    await shop.task("pick", parcel)
    await shop.idle(order.order_id)  # the row is there before its order waits for it
    waiting = shop.temporal.get_async_activity_handle(
        workflow_id=f"order:{order.order_id}", run_id=None, activity_id=f"pick_pack_ship:{parcel}"
    )
    await waiting.complete(result)
    (reason,) = (await shop.attention(order.order_id)).values()
    assert reason == "pick_pack_ship was completed from outside with a result of the wrong kind"
    await shop.retry(order.order_id, f"pick_pack_ship {parcel}")
    assert (await shop.finish(order.order_id))["outcome"] == "closed"
    await shop.settled()


# Answers -----------------------------------------------------------------------------------------


async def test_a_step_given_up_by_an_operator_cancels_its_units(shop: Shop) -> None:
    order = await a_two_parcel_order(shop)
    first, second = await shop.placed(order, BRISK), f"{order.order_id}:2"
    await shop.knows(order.order_id, second)
    await shop.idle(order.order_id)
    await shop.drive(first, "picked")
    shop.faults.refuse("pick_pack_ship")  # the attempt that is to buy the label
    await shop.warehouse.pack(first, who="packer")
    assert await shop.parked(order.order_id) == f"pick_pack_ship {first}"
    shop.faults.heal("pick_pack_ship")
    await resolve(shop, order, f"pick_pack_ship {first}", "cancel")
    await shop.told(order.order_id, "units freed")
    assert (await shop.finish(order.order_id))["outcome"] == "closed"
    counts = {
        line.line_id: (line.delivered, line.cancelled)
        for line in (await shop.orders.get(order.order_id)).lines
    }
    assert counts == {"1": (0, 3), "2": (2, 0)}
    assert (await shop.level("TEA")).on_hand == 3
    await shop.settled()


@pytest.mark.parametrize("step", ["reserve_stock", "close_order"])
async def test_a_step_that_could_not_be_done_for_long_is_known_to_the_next_worker(
    pool: Pool, temporal_client: Client, step: str
) -> None:
    """A local step that ran out of time fails otherwise when it is read from the history."""
    shop = Shop(pool, temporal_client, BRISK)
    shop.faults.before(step, times=1000)
    order = await three_teas(shop)
    async with shop.working():
        placing = asyncio.create_task(shop.orders.place(order, policy=IMPATIENT))
        await shop.begun()
        finishing = asyncio.create_task(shop.finish(order.order_id))
        parked = await shop.parked(order.order_id)
    shop.faults.heal(step)
    async with shop.working():
        await shop.retry(order.order_id, parked)
        assert (await placing).outcome == "confirmed"
        assert (await finishing)["outcome"] == "closed"
        await shop.settled()


async def test_an_authorization_given_up_by_an_operator_ends_the_order(shop: Shop) -> None:
    shop.faults.before("authorize_payment", times=1000)
    order = await three_teas(shop)
    placing = asyncio.create_task(shop.orders.place(order, policy=IMPATIENT))
    await shop.begun()
    step = await shop.parked(order.order_id)
    await resolve(shop, order, step, "cancel")
    assert (await placing).outcome == "rejected"
    assert (await shop.result(order.order_id))["outcome"] == "cancelled"
    assert (await shop.level("TEA")).allocated == 0
    await shop.settled()


@pytest.mark.parametrize("task", ["short pick", "picked", "packed"])
async def test_a_payment_given_up_that_has_confirmed_the_order_unheard_is_cancelled_as_it_stands(
    shop: Shop, task: str
) -> None:
    """The warehouse acts on what the rows say, of which the order's workflow has not heard."""
    shop.faults.after("authorize_payment", times=1000)
    order = await three_teas(shop)
    placing = asyncio.create_task(shop.orders.place(order, policy=IMPATIENT))
    await shop.begun()
    await shop.told(order.order_id, "confirmed")
    parcel = f"{order.order_id}:1"
    short = {"1": 2} if task == "short pick" else None
    await shop.warehouse.pick(parcel, short, who="picker")
    if task == "packed":
        await shop.warehouse.pack(parcel, who="packer")
    await resolve(shop, order, await shop.parked(order.order_id), "cancel")
    assert (await placing).outcome == "confirmed"
    assert (await shop.finish(order.order_id))["outcome"] == "cancelled"
    story = await shop.story(order.order_id)
    assert "units freed" in story
    assert "shipped" not in story
    level = await shop.level("TEA")
    assert (level.on_hand, level.allocated) == (10 - (task == "short pick"), 0)
    assert (await shop.orders.get(order.order_id)).summary.captured_minor == 0
    await shop.settled()


async def test_a_step_given_up_after_it_happened_is_not_undone(shop: Shop) -> None:
    shop.faults.after("pick_pack_ship", times=1000)
    order = await three_teas(shop)
    parcel = await shop.placed(order, IMPATIENT)
    await shop.drive(parcel, "packed")
    step = await shop.parked(order.order_id)
    # The label was bought all the same, and the carrier came for the parcel.
    await shop.warehouse.hand_over(parcel, who="packer")
    shop.faults.heal("pick_pack_ship")
    await resolve(shop, order, step, "cancel")
    assert (await shop.finish(order.order_id))["outcome"] == "closed"
    assert (await shop.orders.get(order.order_id)).summary.captured_minor == order.total_minor
    await shop.settled()


async def test_a_charge_made_by_hand_is_booked_with_the_note(shop: Shop) -> None:
    await shop.stocked("TEA", 10)
    order = an_order(("TEA", 3, "12.50"), token="tok_capture_refused")
    parcel = await shop.placed(order, BRISK)
    await shop.drive(parcel, "shipped")
    reason = "the bank refused the capture; the authorization stays as it was"
    assert await shop.attention(order.order_id) == {f"charge_payment {parcel}": reason}
    await resolve(shop, order, f"charge_payment {parcel}", "done", note="paid in cash, slip 17")
    assert (await shop.finish(order.order_id))["outcome"] == "closed"
    detail = await shop.orders.get(order.order_id)
    assert detail.summary.captured_minor == order.total_minor
    captures = [(p.provider, p.state) for p in detail.payments if p.kind == "capture"]
    assert captures == [("sandbox", "failed"), ("by_hand", "succeeded")]
    assert ("charged", "paid in cash, slip 17") in [
        (event.what, event.why) for event in await shop.orders.events(order.order_id)
    ]


async def test_s16_a_refused_refund_stays_owed_until_it_is_paid_by_hand(shop: Shop) -> None:
    await shop.stocked("TEA", 10)
    order = an_order(("TEA", 3, "12.50"), token="tok_refund_refused")
    parcel = await shop.placed(order, a_policy(return_window=60))
    await shop.drive(parcel, "delivered")
    await shop.phase(order.order_id, "return window")
    step = await refused_refund(shop, order)
    # A retry asks the bank anew, under another key; it has not changed its mind.
    await resolve(shop, order, step, "retry")
    await shop.until_many(order.order_id, f"needs attention: {step}", 2)
    assert (await shop.orders.get(order.order_id)).summary.payment_status == "refund_owed"
    await resolve(shop, order, step, "done", note="sent by transfer")
    assert (await shop.result(order.order_id))["outcome"] == "closed"
    detail = await shop.orders.get(order.order_id)
    assert detail.summary.payment_status == "refunded"
    assert [(p.provider, p.state) for p in detail.payments if p.kind == "refund"] == [
        ("sandbox", "failed"),
        ("sandbox", "failed"),
        ("by_hand", "succeeded"),
    ]
    assert await shop.payment.operations(order.order_id) == tuple(
        receipt
        for receipt in await shop.payment.operations(order.order_id)
        if receipt.kind != "refund"
    )


async def test_a_refused_refund_is_paid_once_when_the_retry_succeeds(shop: Shop) -> None:
    shop.faults.refuse("refund_payment", "declined")
    order = await three_teas(shop)
    parcel = await shop.placed(order, a_policy(return_window=60))
    await shop.drive(parcel, "delivered")
    await shop.phase(order.order_id, "return window")
    step = await refused_refund(shop, order, owed=False)
    shop.faults.heal("refund_payment")
    await shop.retry(order.order_id, step)
    assert (await shop.result(order.order_id))["outcome"] == "closed"
    assert (await shop.orders.get(order.order_id)).summary.payment_status == "refunded"
    await shop.settled()


async def test_what_was_done_by_hand_and_cannot_be_written_down_is_only_tried_again(
    shop: Shop,
) -> None:
    await shop.stocked("TEA", 10)
    order = an_order(("TEA", 3, "12.50"), token="tok_capture_refused")
    parcel = await shop.placed(order, IMPATIENT)
    await shop.drive(parcel, "shipped")
    step = await shop.parked(order.order_id)
    shop.faults.before("charge_payment", times=1000)
    await resolve(shop, order, step, "done")
    await shop.until_many(order.order_id, f"needs attention: {step}", 2)
    with pytest.raises(IllegalTransition, match=r"it takes retry$"):
        await resolve(shop, order, step, "done")
    shop.faults.heal("charge_payment")
    await shop.retry(order.order_id, step)
    assert (await shop.finish(order.order_id))["outcome"] == "closed"
    assert (await shop.orders.get(order.order_id)).summary.captured_minor == order.total_minor


async def test_a_call_whose_outcome_is_open_cannot_be_answered_as_done_by_hand(shop: Shop) -> None:
    shop.faults.after("charge_payment", times=1000)
    order = await three_teas(shop)
    parcel = await shop.placed(order, IMPATIENT)
    await shop.drive(parcel, "shipped")
    step = await shop.parked(order.order_id)
    with pytest.raises(IllegalTransition, match=r"it takes retry$"):
        await resolve(shop, order, step, "done")
    shop.faults.heal("charge_payment")
    await shop.retry(order.order_id, step)
    assert (await shop.finish(order.order_id))["outcome"] == "closed"
    await shop.settled()


async def test_the_first_answer_counts_and_the_step_needs_nobody_from_then_on(shop: Shop) -> None:
    shop.faults.refuse("pick_pack_ship")
    shop.faults.hold("note_attention")  # it takes long to write down that a person is needed
    order = await three_teas(shop)
    await shop.placed(order, BRISK)
    step = await shop.parked(order.order_id)
    await resolve(shop, order, step, "retry")
    assert (await shop.view(order.order_id))["attention"] == {}
    with pytest.raises(IllegalTransition, match="has just been answered with retry by operator"):
        await resolve(shop, order, step, "cancel")
    shop.faults.heal("pick_pack_ship")
    shop.faults.release("note_attention")
    assert (await shop.finish(order.order_id))["outcome"] == "closed"
    await shop.settled()


async def test_an_answer_that_does_not_fit_is_refused_and_says_what_does(shop: Shop) -> None:
    shop.faults.refuse("pick_pack_ship")
    order = await three_teas(shop)
    parcel = await shop.placed(order, BRISK)
    step = await shop.parked(order.order_id)
    with pytest.raises(NotFound, match=f"needs no attention here; what does: {step}"):
        await resolve(shop, order, f"pack {parcel}", "retry")
    with pytest.raises(IllegalTransition, match="takes no done: it takes retry, cancel"):
        await resolve(shop, order, step, "done")
    wrong = {"step": step, "action": "done", "note": "?"}
    await shop.workflow(order.order_id).signal("resolve_attention", wrong)
    await shop.told(order.order_id, "resolve_attention refused")
    assert list(await shop.attention(order.order_id)) == [step]


# Undoing -----------------------------------------------------------------------------------------


async def test_s28_each_compensation_that_keeps_failing_waits_for_an_operator_and_none_is_skipped(
    shop: Shop,
) -> None:
    for undo in UNDOS:
        shop.faults.before(undo, times=1000)
    order = await a_two_parcel_order(shop)
    life = asyncio.create_task(live_a_life_with_every_undo(shop, order, give_up_after=0.5))
    failing = set(UNDOS)

    async def asked() -> tuple[str, str] | None:
        try:
            rows = (await shop.orders.get(order.order_id)).attention
        except NotFound:  # it is being placed
            return None
        told = ((row.step, row.reason) for row in rows if row.step.split(" ")[0] in failing)
        return next(told, None)

    while failing:
        step, reason = await shop.until(asked, f"a person is asked about one of {failing}")
        undo, part = step.split(" ", maxsplit=1)
        assert part.startswith(order.order_id)
        assert reason == f"{undo} failed by the test"
        assert [o.order_id for o in await shop.orders.list(attention=True)] == [order.order_id]
        assert not life.done()
        assert len(await faults_in(shop.pool)) > 0  # something is left to undo, and nobody hides it
        shop.faults.heal(undo)
        failing.remove(undo)
        await shop.retry(order.order_id, step)
    await life
    await assert_a_life_with_every_undo(shop, order)


@pytest.mark.parametrize("undo", ["void_label", "void_payment"])
async def test_s28_a_compensation_that_is_refused_can_be_made_by_hand(
    shop: Shop, undo: str
) -> None:
    shop.faults.refuse(undo)
    order = await three_teas(shop)
    parcel = await shop.placed(order, BRISK)
    await shop.drive(parcel, "labelled")
    cancelling = asyncio.create_task(
        shop.aftersales.cancel(order.order_id, CancelRequest(reason="never mind"))
    )
    step = await shop.parked(order.order_id)
    assert step.startswith(undo)
    await resolve(shop, order, step, "done", note="rang them up")
    assert (await cancelling).outcome == "cancelled"
    assert (await shop.result(order.order_id))["outcome"] == "cancelled"
    assert (await shop.level("TEA")).allocated == 0


async def test_what_is_counted_here_cannot_be_undone_by_hand(shop: Shop) -> None:
    shop.faults.refuse("put_back")
    order = await three_teas(shop)
    parcel = await shop.placed(order, BRISK)
    await shop.drive(parcel, "packed")
    cancelling = asyncio.create_task(
        shop.aftersales.cancel(order.order_id, CancelRequest(reason="never mind"))
    )
    step = await shop.parked(order.order_id)
    with pytest.raises(IllegalTransition, match=r"it takes retry$"):
        await resolve(shop, order, step, "done")
    shop.faults.heal("put_back")
    await shop.retry(order.order_id, step)
    assert (await cancelling).outcome == "cancelled"
    assert (await shop.result(order.order_id))["outcome"] == "cancelled"
    await shop.settled()


# Side by side ------------------------------------------------------------------------------------


async def test_two_who_wait_at_one_step_are_served_by_one_answer(shop: Shop) -> None:
    shop.faults.refuse("tell")
    order = await three_teas(shop)
    await shop.placed(order, BRISK)
    for _ in range(2):
        await shop.workflow(order.order_id).signal("cancel", {})

    async def both_tried() -> bool:
        return shop.faults.calls["tell"] == 2

    await shop.until(both_tried, "both refusals were tried")
    step = await shop.parked(order.order_id)
    shop.faults.heal("tell")
    await shop.retry(order.order_id, step)
    await shop.until_many(order.order_id, "cancel refused", 2)
    assert (await shop.finish(order.order_id))["outcome"] == "closed"
    await shop.settled()


async def test_an_order_is_not_closed_over_a_return_that_is_still_being_approved(
    shop: Shop,
) -> None:
    shop.faults.before("approve_return", times=1000)
    order = await three_teas(shop)
    parcel = await shop.placed(order, a_policy(give_up_after=0.5, return_window=2))
    await shop.drive(parcel, "delivered")
    await shop.phase(order.order_id, "return window")
    returning = asyncio.create_task(
        shop.aftersales.request_return(order.order_id, ReturnRequest(reason="too strong"))
    )
    step = await shop.parked(order.order_id)
    await asyncio.sleep(3)  # the window is over
    assert (await shop.orders.get(order.order_id)).summary.state == "delivered"
    shop.faults.heal("approve_return")
    await shop.retry(order.order_id, step)
    assert (await returning).outcome == "approved"
    assert (await shop.finish(order.order_id))["outcome"] == "closed"
    assert (await shop.orders.get(order.order_id)).summary.returned == 3
    await shop.settled()


# What happens ------------------------------------------------------------------------------------


async def finish_with_a_return(shop: Shop, order: Order, leaving: set[str]) -> dict[str, Any]:
    """Deliver the order, and have everything sent back."""
    playing = asyncio.create_task(shop.finish(order.order_id, leaving))
    await shop.told(order.order_id, "delivered")
    await shop.phase(order.order_id, "return window")
    await shop.aftersales.request_return(order.order_id, ReturnRequest(reason="too strong"))
    return await playing


async def refused_refund(shop: Shop, order: Order, *, owed: bool = True) -> str:
    """Send everything back. Returns the step that pays for it, which is refused."""
    outcome = await shop.aftersales.request_return(
        order.order_id, ReturnRequest(reason="too strong")
    )
    assert outcome.return_id is not None
    await shop.task("receive-return", outcome.return_id)
    await shop.warehouse.receive_return(outcome.return_id, who="receiver")
    step = await shop.parked(order.order_id)
    assert step == f"refund_payment {outcome.return_id}"
    summary = (await shop.orders.get(order.order_id)).summary
    assert summary.refunded_minor == 0
    if owed:
        assert (summary.payment_status, summary.refund_granted_minor) == (
            "refund_owed",
            order.total_minor,
        )
    return step


async def resolve(
    shop: Shop, order: Order, step: str, action: Any, note: str = "as the book says"
) -> None:
    """An operator's answer."""
    answer = AttentionAnswer(step=step, action=action, note=note)
    await shop.orders.resolve_attention(order.order_id, answer)
