"""An order that continues as new forgets nothing: it goes on from where it stood, each effect once.

The orders here do so whenever they may, which is at every event that leaves nothing under way.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from itertools import pairwise

import pytest
import pytest_asyncio
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from activities.fulfilment.contracts import Sent
from domain import ids
from domain.errors import Conflict, OrderloomError
from domain.orders.messages import (
    AttentionAnswer,
    CancelOutcome,
    CancelRequest,
    LineRequest,
    PayRequest,
)
from domain.orders.order import Order
from domain.orders.return_messages import ReturnLine, ReturnRequest
from domain.stock.items import Item
from store.aftersales.returns import Counted
from store.database import Pool
from store.stock import items
from tests.support.builders import a_policy, an_order
from tests.support.runs import replay, restless, runs_of
from tests.support.servers import running_temporal
from tests.support.shop import Shop
from tests.workflows.lives import PLAIN_STORY, told
from workflows.engine.runs import A_MOMENT

LEISURELY = a_policy(give_up_after=10, return_window=60)
RETURN_WINDOW = timedelta(seconds=60)

TIMER_LATE_S = A_MOMENT.total_seconds() + 1.5
"""The server lets a timer be a second late."""

Moment = Callable[[Shop, Order], Awaitable[None]]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def temporal_client() -> AsyncIterator[Client]:
    """A server whose timers are late: what is looked at here comes before an order continues."""
    async with running_temporal(timers=()) as server:
        yield await Client.connect(server.address, data_converter=pydantic_data_converter)


@pytest_asyncio.fixture(loop_scope="session")
async def shop(pool: Pool, temporal_client: Client) -> AsyncIterator[Shop]:
    """A shop of restless orders, with a worker."""
    shop = Shop(pool, restless(temporal_client), LEISURELY)
    async with shop.working():
        yield shop


async def an_order_in(shop: Shop) -> Order:
    """Placed and confirmed: three teas of one parcel, and enough to send as many again."""
    await shop.stocked("TEA", 10)
    order = an_order(("TEA", 3, "12.50"))
    await shop.placed(order)
    return order


def first_parcel(order: Order) -> str:
    return ids.fulfilment_id(order.order_id, 1)


def one_unit(reason: str, request_id: str | None = None) -> CancelRequest:
    lines = (LineRequest(line_id="1", quantity=1),)
    return CancelRequest(reason=reason, lines=lines, request_id=request_id)


async def nudge(shop: Shop, order: Order) -> None:
    """Say something to the order that changes nothing; it answers, and continues as new."""
    runs = len(await runs_of(shop, order.order_id))
    refused = (await shop.story(order.order_id)).count("nudge refused")
    await shop.workflow(order.order_id).signal("nudge")
    await shop.until_many(order.order_id, "nudge refused", refused + 1)

    async def continued() -> bool:
        return len(await runs_of(shop, order.order_id)) > runs

    await shop.until(continued, f"{order.order_id} goes on in a new run")
    await shop.idle(order.order_id)


async def stays_in_its_run(shop: Shop, order: Order) -> None:
    """Say something to the order as in `nudge`; it answers, and does not continue as new."""
    await asyncio.sleep(TIMER_LATE_S)  # what it had begun before is over
    runs = len(await runs_of(shop, order.order_id))
    await shop.workflow(order.order_id).signal("nudge")
    await shop.told(order.order_id, "nudge refused")
    await asyncio.sleep(TIMER_LATE_S)
    assert len(await runs_of(shop, order.order_id)) == runs


async def end(shop: Shop, order: Order) -> None:
    """Deliver what is to be delivered, and send it all back."""
    playing = asyncio.create_task(shop.play(order.order_id))
    ending = asyncio.create_task(shop.result(order.order_id))
    while not ending.done():
        with suppress(OrderloomError):  # nothing delivered yet, or nothing left to return
            await shop.aftersales.request_return(order.order_id, ReturnRequest(reason="enough"))
        await asyncio.sleep(0.1)
    playing.cancel()
    await ending


async def finish(shop: Shop, order: Order) -> list[str]:
    """Come to the end, and look at everything. Returns the story without the nudges."""
    await end(shop, order)
    await shop.settled()
    await replay(await runs_of(shop, order.order_id))
    return [what for what in await told(shop, order.order_id) if what != "nudge refused"]


SENT = ["picked", "packed", "label bought", "shipped", "charged", "delivered"]
PLACED = ["received", "stock reserved", "confirmed"]
SENT_BACK = ["return approved", "return received", "refunded", "closed"]


async def at(shop: Shop, order: Order, stage: str) -> None:
    """Wait until the order's workflow has its first parcel at this stage."""

    async def there() -> bool:
        return bool((await shop.view(order.order_id))["fulfilments"][first_parcel(order)] == stage)

    await shop.until(there, f"the first parcel of {order.order_id} is at {stage}")


async def waiting_for_the_hand_over(shop: Shop, order: Order) -> None:
    await shop.drive(first_parcel(order), "labelled")


async def on_its_way(shop: Shop, order: Order) -> None:
    await shop.drive(first_parcel(order), "shipped")
    await shop.told(order.order_id, "charged")
    await at(shop, order, "await_delivery")


async def in_the_return_window(shop: Shop, order: Order) -> None:
    await shop.drive(first_parcel(order), "delivered")
    await shop.phase(order.order_id, "return window")


async def to_be_picked(shop: Shop, order: Order) -> None:
    await at(shop, order, "under_way")


async def picked(shop: Shop, order: Order) -> None:
    await shop.drive(first_parcel(order), "picked")
    await at(shop, order, "under_way")


async def packed(shop: Shop, order: Order) -> None:
    await shop.warehouse.pack(first_parcel(order), who="packer")
    await shop.task("handover", first_parcel(order))
    await at(shop, order, "under_way")


async def handed_over(shop: Shop, order: Order) -> None:
    await shop.warehouse.hand_over(first_parcel(order), who="packer")
    await shop.told(order.order_id, "charged")
    await at(shop, order, "await_delivery")


async def delivered(shop: Shop, order: Order) -> None:
    await shop.scan(first_parcel(order), "delivered")
    await shop.phase(order.order_id, "return window")


STAGES: tuple[Moment, ...] = (to_be_picked, picked, packed, handed_over, delivered)
"""Each goes on from the one before."""


async def test_an_order_continues_at_every_stage_with_the_time_that_is_left(shop: Shop) -> None:
    """One life continues twice at each stage. Each effect is there once; the books are right."""
    order = await an_order_in(shop)
    for go_on in STAGES:
        await go_on(shop, order)
        before = await shop.view(order.order_id)
        await nudge(shop, order)
        await nudge(shop, order)  # numbered on from the first, or it would be lost
        assert await shop.view(order.order_id) == before
    report = await shop.audit()
    assert report.clean, "\n".join(report.lines())
    events = [event for run in await runs_of(shop, order.order_id) for event in run.events]
    timers = [
        event.timer_started_event_attributes.start_to_fire_timeout.ToTimedelta()
        for event in events
        if event.event_type == EventType.EVENT_TYPE_TIMER_STARTED
    ]
    assert_less_each_time([timer for timer in timers if A_MOMENT < timer <= RETURN_WINDOW])
    scheduled = [event.activity_task_scheduled_event_attributes for event in events]
    patience = [
        each.schedule_to_close_timeout.ToTimedelta()
        for each in scheduled
        if each.activity_type.name == "pick_pack_ship"
    ]
    whole, *left = patience
    assert whole == min(LEISURELY.pick_within, LEISURELY.pack_within, LEISURELY.hand_over_within)
    # The time of each stage begins with the stage, which the row knows.
    assert len(left) == 2 * len((to_be_picked, picked, packed))
    for first, second in zip(left[::2], left[1::2], strict=True):
        assert second < first < whole
    assert await finish(shop, order) == sorted([*PLACED, *SENT, *SENT_BACK])
    level = await shop.level("TEA")
    assert (level.on_hand, level.allocated) == (10, 0)


def assert_less_each_time(times: list[timedelta]) -> None:
    assert len(times) >= 3
    assert all(later < earlier for earlier, later in pairwise(times))


async def test_what_an_order_waits_for_is_filled_in_later_runs(shop: Shop) -> None:
    async with shop.pool.acquire() as conn:
        await items.save(conn, [Item(sku="TEA", backorder=True)])
    order = an_order(("TEA", 3, "12.50"))
    await shop.orders.place(order)
    await shop.phase(order.order_id, "in fulfilment")
    for units in (1, 2):
        await nudge(shop, order)
        await shop.stocked("TEA", units)
        await shop.until_many(order.order_id, "backorder filled", units)
    story = await finish(shop, order)
    assert (story.count("backorder filled"), story.count("shipped")) == (2, 2)


async def test_a_cancellation_in_temporal_reaches_the_latest_run(shop: Shop) -> None:
    order = await an_order_in(shop)
    await waiting_for_the_hand_over(shop, order)
    await nudge(shop, order)
    await shop.workflow(order.order_id).cancel()
    result = await shop.result(order.order_id)
    assert (result["outcome"], result["reason"]) == ("cancelled", "cancelled in Temporal")
    await shop.settled()


async def test_an_order_continues_when_the_server_suggests_it(pool: Pool) -> None:
    sooner = ("--dynamic-config-value", "limit.historyCount.suggestContinueAsNew=30")
    async with running_temporal(*sooner, timers=()) as server:
        client = await Client.connect(server.address, data_converter=pydantic_data_converter)
        shop = Shop(pool, client, LEISURELY)
        async with shop.working():
            order = await an_order_in(shop)
            await in_the_return_window(shop, order)
            await nudge(shop, order)
            runs = await runs_of(shop, order.order_id)
            assert len(runs) == 2
            assert len(runs[0].events) >= 30
            assert await finish(shop, order) == sorted([*PLACED, *SENT, *SENT_BACK])


async def test_a_return_window_that_ends_in_a_later_run_ends_the_order(
    pool: Pool, temporal_client: Client
) -> None:
    shop = Shop(pool, restless(temporal_client), a_policy(return_window=1.5))
    async with shop.working():
        order = await an_order_in(shop)
        await in_the_return_window(shop, order)
        await nudge(shop, order)
        assert (await shop.result(order.order_id))["outcome"] == "closed"
        await shop.settled()
        story = await told(shop, order.order_id)
        assert [what for what in story if what != "nudge refused"] == PLAIN_STORY


async def test_a_return_under_way_is_awaited_and_paid_back_once(shop: Shop) -> None:
    order = await an_order_in(shop)
    await in_the_return_window(shop, order)
    lines = (ReturnLine(line_id="1", quantity=2),)
    request = ReturnRequest(reason="too bitter", lines=lines, request_id="call-1")
    approved = await shop.aftersales.request_return(order.order_id, request)
    assert approved.return_id == ids.return_id(order.order_id, 1)
    await shop.task("receive-return", approved.return_id)
    await nudge(shop, order)
    assert await shop.aftersales.request_return(order.order_id, request) == approved
    counted = {"1": Counted(restocked=1, scrapped=1)}
    await shop.warehouse.receive_return(approved.return_id, counted, who="returns")
    await shop.told(order.order_id, "refunded")
    # The third unit comes back under the next number.
    again = await shop.aftersales.request_return(
        order.order_id, ReturnRequest(reason="this one too")
    )
    assert again.return_id == ids.return_id(order.order_id, 2)
    twice = ["return approved", "return received", "refunded"]
    assert await finish(shop, order) == sorted([*PLACED, *SENT, *twice, *SENT_BACK])


async def test_a_parcel_on_its_way_back_is_awaited_and_paid_back_once(shop: Shop) -> None:
    order = await an_order_in(shop)
    await on_its_way(shop, order)
    await shop.scan(first_parcel(order), "return_to_sender")
    return_id = ids.return_id(order.order_id, 1)
    await shop.task("receive-return", return_id)
    await nudge(shop, order)
    await nudge(shop, order)
    await shop.warehouse.receive_return(return_id, who="returns")
    assert (await shop.result(order.order_id))["outcome"] == "cancelled"
    story = await finish(shop, order)
    back = ["undeliverable", "coming back", "return received", "refunded"]
    # All of it was charged: of the authorization nothing is left to be released.
    assert story == sorted([*PLACED, *SENT[:5], *back, "cancelled"])


async def test_a_repeated_request_is_answered_as_before_it_continued(shop: Shop) -> None:
    order = await an_order_in(shop)
    await waiting_for_the_hand_over(shop, order)
    first = await shop.aftersales.cancel(order.order_id, one_unit("one too many", "call-1"))
    unnamed = await shop.aftersales.cancel(order.order_id, one_unit("another"))
    assert (first.outcome, unnamed.outcome) == ("cancelled", "cancelled")
    await nudge(shop, order)
    assert await shop.aftersales.cancel(order.order_id, one_unit("one too many", "call-1")) == first
    # Sent again by the client library, a request that nobody named is the same as well.
    resent = one_unit("another", unnamed.request_id)
    assert await shop.aftersales.cancel(order.order_id, resent) == unnamed
    with pytest.raises(Conflict, match="call-1 was made before"):
        await shop.aftersales.cancel(order.order_id, one_unit("with another reason", "call-1"))
    last = await shop.aftersales.cancel(order.order_id, one_unit("the last"))
    assert last.outcome == "cancelled"
    result = await shop.result(order.order_id)
    assert (result["outcome"], result["reason"]) == ("cancelled", "the last")
    await finish(shop, order)
    assert (await shop.level("TEA")).on_hand == 10


async def test_a_short_pick_that_a_later_run_is_told_of_again_is_not_short_twice(
    shop: Shop,
) -> None:
    order = await an_order_in(shop)
    await shop.stocked("TEA", 5, "second")
    parcel = first_parcel(order)
    await shop.warehouse.pick(parcel, {"1": 2}, who="picker")
    await shop.knows(order.order_id, ids.fulfilment_id(order.order_id, 2))
    await nudge(shop, order)
    # The report of an attempt that nobody waits for any more.
    again = Sent(outcome="short", missing={"1": 1})
    waiting = shop.temporal.get_async_activity_handle(
        workflow_id=ids.workflow_id(order.order_id),
        run_id=None,
        activity_id=ids.sending_id(parcel),
    )
    await waiting.complete(again)
    story = await finish(shop, order)
    assert story.count("shipped") == 2
    parts = [part.fulfilment_id for part in (await shop.orders.get(order.order_id)).fulfilments]
    assert parts == [parcel, ids.fulfilment_id(order.order_id, 2)]


async def test_units_paid_for_and_sent_again_are_charged_once(shop: Shop) -> None:
    order = await an_order_in(shop)
    await on_its_way(shop, order)
    await shop.scan(first_parcel(order), "failure")
    again = ids.fulfilment_id(order.order_id, 2)
    await shop.knows(order.order_id, again)
    await nudge(shop, order)
    await shop.aftersales.cancel(order.order_id, one_unit("two are enough"))
    await nudge(shop, order)
    await shop.drive(again, "delivered")  # with what stays wanted
    await shop.phase(order.order_id, "return window")
    await nudge(shop, order)
    story = await finish(shop, order)
    assert story.count("charged") == 1
    assert story.count("refunded") == 2
    money = (await shop.orders.get(order.order_id)).summary
    assert money.captured_minor == money.refunded_minor == 4250


async def test_attention_for_a_late_step_stays_until_it_is_done(
    pool: Pool, temporal_client: Client
) -> None:
    shop = Shop(pool, restless(temporal_client), a_policy(pick_within=0.5, return_window=60))
    async with shop.working():
        order = await an_order_in(shop)
        step = await shop.parked(order.order_id)
        await nudge(shop, order)
        assert await shop.parked(order.order_id) == step
        assert list(await shop.attention(order.order_id)) == [step]
        story = await finish(shop, order)
        assert story == sorted([*PLACED, *SENT, *SENT_BACK])
        attention = [what for what in await shop.story(order.order_id) if "attention" in what]
        assert attention == [f"needs attention: {step}", f"attention resolved: {step}"]


async def test_what_an_operator_has_released_by_hand_is_not_asked_for_again(shop: Shop) -> None:
    shop.faults.refuse("void_payment")
    await shop.stocked("TEA", 10)
    order = an_order(("TEA", 3, "12.50"))
    await shop.placed(order, a_policy(give_up_after=10, return_window=8))
    await shop.aftersales.cancel(order.order_id, one_unit("one less"))
    await shop.drive(f"{order.order_id}:1", "delivered")
    step = await shop.parked(order.order_id)
    assert step == f"void_payment {order.order_id}"
    asked = shop.faults.calls["void_payment"]
    answer = AttentionAnswer(step=step, action="done", note="told them by phone")
    await shop.orders.resolve_attention(order.order_id, answer)
    runs = len(await runs_of(shop, order.order_id))
    await shop.workflow(order.order_id).signal("nudge")

    async def goes_on() -> bool:
        return len(await runs_of(shop, order.order_id)) > runs

    await shop.until(goes_on, "a new run has begun")
    assert (await shop.result(order.order_id))["outcome"] == "closed"
    assert shop.faults.calls["void_payment"] == asked
    assert (await shop.orders.get(order.order_id)).attention == ()


async def test_a_step_that_waits_for_an_operator_keeps_its_order_in_its_run(shop: Shop) -> None:
    order = await an_order_in(shop)
    shop.faults.refuse("charge_payment")
    await shop.drive(first_parcel(order), "shipped")
    step = await shop.parked(order.order_id)
    await stays_in_its_run(shop, order)
    shop.faults.heal("charge_payment")
    await shop.retry(order.order_id, step)
    assert await finish(shop, order) == sorted([*PLACED, *SENT, *SENT_BACK])


async def test_an_order_that_has_left_and_waits_for_its_payment_stays_in_its_run(
    shop: Shop,
) -> None:
    order = await an_order_in(shop)
    await shop.drive(first_parcel(order), "labelled")
    await shop.pool.execute("update sandbox.payment set expires_at = now()")
    shop.faults.refuse("authorize_payment", "declined")
    await shop.warehouse.hand_over(first_parcel(order), who="packer")
    await shop.told(order.order_id, "held: payment")
    await stays_in_its_run(shop, order)
    shop.faults.heal("authorize_payment")
    await shop.payments.pay(order.order_id, PayRequest(token="tok_ok"))
    story = await finish(shop, order)
    assert story.count("charged") == 1


async def test_what_arrives_as_an_order_continues_is_not_lost(shop: Shop) -> None:
    """Reports, signals and requests, as fast as they come, for several orders at once."""
    await shop.stocked("JUG", 100)
    orders = [an_order(("JUG", 20)) for _ in range(2)]
    chance = random.Random(5)
    for order in orders:
        await shop.placed(order)

    async def pester(order: Order) -> list[CancelOutcome]:
        answers = []
        for number in range(6):
            await shop.workflow(order.order_id).signal("nudge")
            no_jug = one_unit("broke one", f"call-{number}")
            answers.append(await shop.aftersales.cancel(order.order_id, no_jug))
            assert await shop.aftersales.cancel(order.order_id, no_jug) == answers[-1]
            await asyncio.sleep(chance.uniform(0, 1.5))  # an order needs a moment to continue
        return answers

    # Nothing is delivered before all is said, so that every order is there to hear it.
    playing = [
        asyncio.create_task(shop.play(order.order_id, leaving=("await_delivery",)))
        for order in orders
    ]
    answers = await asyncio.gather(*(pester(order) for order in orders))
    for task in playing:
        task.cancel()
    await asyncio.gather(*(end(shop, order) for order in orders))
    await shop.settled()
    for order, answered in zip(orders, answers, strict=True):
        story = await shop.story(order.order_id)
        assert story.count("nudge refused") == 6
        assert story.count("cancelled") == sum(bool(answer.cancelled) for answer in answered)
        runs = await runs_of(shop, order.order_id)
        assert len(runs) > 2
        await replay(runs)
    assert any(answer.cancelled for answered in answers for answer in answered)
