"""The saga table, by enumeration: a step that is added to it is tested by what stands here."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from domain.messages import AttentionAnswer, CancelRequest, Placement, ReturnRequest
from domain.order import Order
from domain.policy import Policy
from tests.builders import a_policy, an_order
from tests.shop import Shop
from workflows.order import SAGA
from workflows.saga import Step, undos

STEPS = [step.name for step in SAGA]
UNDOS = list(dict.fromkeys(step.undo.__name__ for step in SAGA if step.undo is not None))

# Nobody sends anything back, so nobody waits for it.
BRISK = a_policy(give_up_after=10, return_window=0.01)
IMPATIENT = a_policy(give_up_after=0.5, return_window=0.01)

PLAIN_STORY = [
    "received",
    "stock reserved",
    "confirmed",
    "picked",
    "packed",
    "label bought",
    "shipped",
    "charged",
    "delivered",
    "closed",
]

UNDONE_STORY = [
    *("received", "stock reserved", "confirmed"),
    *("picked", "packed", "label bought", "shipped", "charged", "delivered"),  # the first parcel
    *("picked", "packed", "label bought"),  # the second
    *("label voided", "put back", "cancelled", "authorization released"),
    *("return approved", "return received", "refunded", "closed"),
]


def test_every_step_has_an_undo_or_says_why_not() -> None:
    for step in SAGA:
        assert (step.undo is None) == bool(step.because), step.name


def test_undos_run_last_step_first_and_each_once_for_steps_that_have_begun() -> None:
    begun = [step.name for step in SAGA if step.name in ("pick", "pack", "ship")]
    assert [undo.__name__ for undo in undos(SAGA, begun)] == ["void_label", "put_back"]
    assert [undo.__name__ for undo in undos(SAGA, ["pick"])] == ["put_back"]
    assert undos(SAGA, []) == []
    assert undos((Step(Shop.play, because="of no account"),), ["play"]) == []


@pytest.mark.parametrize("step", STEPS)
async def test_a_step_that_fails_once_before_its_effect_is_done_once(shop: Shop, step: str) -> None:
    shop.faults.before(step)
    await live_a_plain_life(shop)


@pytest.mark.parametrize("step", STEPS)
async def test_a_step_whose_answer_is_lost_is_done_once(shop: Shop, step: str) -> None:
    shop.faults.after(step)
    await live_a_plain_life(shop)


@pytest.mark.parametrize("step", STEPS)
async def test_a_step_that_runs_twice_is_done_once(shop: Shop, step: str) -> None:
    shop.faults.repeat(step)
    await live_a_plain_life(shop)


@pytest.mark.parametrize("kind", ["declined", "refused"])
@pytest.mark.parametrize("step", STEPS)
async def test_a_step_refused_for_good_ends_the_order_undone_or_asks_a_person(
    shop: Shop, step: str, kind: str
) -> None:
    shop.faults.refuse(step, kind)
    order = await three_teas(shop)
    placing = asyncio.create_task(place(shop, order))
    await shop.begun()
    needs_a_person = asyncio.create_task(shop.parked(order.order_id))
    not_done = {step}
    ended = asyncio.create_task(shop.finish(order.order_id, leaving=not_done))
    await asyncio.wait({needs_a_person, ended}, return_when=asyncio.FIRST_COMPLETED)
    if not ended.done():
        shop.faults.heal(step)
        not_done.clear()
        await retry(shop, order.order_id, await needs_a_person)
        assert (await placing).outcome == "confirmed"
        assert (await ended)["outcome"] == "closed"
        await shop.settled()
        return
    needs_a_person.cancel()
    outcome = "rejected" if (await placing).outcome == "rejected" else "cancelled"
    assert ended.result()["outcome"] == outcome
    level = await shop.level("TEA")
    assert (level.on_hand, level.allocated) == (10, 0)
    await shop.settled()


@pytest.mark.parametrize("step", STEPS)
async def test_a_step_that_cannot_be_done_for_long_asks_a_person_and_goes_on_when_it_can(
    shop: Shop, step: str
) -> None:
    shop.faults.before(step, times=1000)
    order = await three_teas(shop)
    placing = asyncio.create_task(place(shop, order, IMPATIENT))
    await shop.begun()
    not_done = {step}
    ended = asyncio.create_task(shop.finish(order.order_id, leaving=not_done))
    key = await shop.parked(order.order_id)
    assert key.startswith(f"{step} {order.order_id}")
    shop.faults.heal(step)
    not_done.clear()
    await retry(shop, order.order_id, key)
    assert (await ended)["outcome"] == "closed"
    assert (await placing).outcome == "confirmed"
    story = [what for what in await shop.story(order.order_id) if "attention" not in what]
    assert sorted(story) == sorted(PLAIN_STORY)
    await shop.settled()


@pytest.mark.parametrize("undo", UNDOS)
async def test_an_undo_that_fails_once_before_its_effect_undoes_once(shop: Shop, undo: str) -> None:
    shop.faults.before(undo)
    await live_a_life_with_every_undo(shop)


@pytest.mark.parametrize("undo", UNDOS)
async def test_an_undo_whose_answer_is_lost_undoes_once(shop: Shop, undo: str) -> None:
    shop.faults.after(undo)
    await live_a_life_with_every_undo(shop)


@pytest.mark.parametrize("undo", UNDOS)
async def test_an_undo_that_runs_twice_undoes_once(shop: Shop, undo: str) -> None:
    shop.faults.repeat(undo)
    await live_a_life_with_every_undo(shop)


async def live_a_plain_life(shop: Shop) -> None:
    """One parcel, delivered and kept. Each effect there was exactly once, and the books are right."""
    order = await three_teas(shop)
    placement = await place(shop, order)
    assert placement.outcome == "confirmed"
    assert (await shop.finish(order.order_id))["outcome"] == "closed"
    assert sorted(await shop.story(order.order_id)) == sorted(PLAIN_STORY)
    level = await shop.level("TEA")
    assert (level.on_hand, level.allocated) == (7, 0)
    for step in STEPS:
        assert shop.faults.calls[step] > 0, f"{step} is in the table, and no part of this life"
    await shop.settled()


async def live_a_life_with_every_undo(shop: Shop) -> None:
    """Two parcels: one comes back from the customer, the other is cancelled with its label bought."""
    await asyncio.gather(shop.stocked("TEA", 3), shop.stocked("CUP", 2, "second"))
    order = an_order(("TEA", 3, "12.50"), ("CUP", 2))
    kept = await shop.placed(order, a_policy(give_up_after=10, return_window=60))
    recalled = f"{order.order_id}:2"
    await asyncio.gather(shop.drive(kept, "delivered"), shop.drive(recalled, "labelled"))
    await shop.orders.cancel(
        order.order_id,
        CancelRequest.model_validate({"reason": "no cups", "lines": [{"line_id": "2"}]}),
    )

    async def releasing() -> bool:
        return "authorization released" in await shop.story(order.order_id)

    await shop.until(releasing, "the rest of the authorization is released")
    await shop.orders.request_return(order.order_id, ReturnRequest(reason="too strong"))
    # Everything that was delivered comes back, so nobody waits for the window to end.
    assert (await shop.finish(order.order_id))["outcome"] == "closed"
    assert sorted(await shop.story(order.order_id)) == sorted(UNDONE_STORY)
    for sku, location, quantity in (("TEA", "main", 3), ("CUP", "second", 2)):
        level = await shop.level(sku, location)
        assert (level.on_hand, level.allocated) == (quantity, 0)
    for undo in UNDOS:
        assert shop.faults.calls[undo] > 0, f"{undo} is in the table, and no part of this life"
    await shop.settled()


async def three_teas(shop: Shop) -> Order:
    """An order that the shop can fill."""
    await shop.stocked("TEA", 10)
    return an_order(("TEA", 3, "12.50"))


async def place(shop: Shop, order: Order, policy: Policy = BRISK) -> Placement:
    """Place it, with the patience to wait for an operator."""
    return await shop.orders.place(order, policy=policy, answer_within=timedelta(seconds=30))


async def retry(shop: Shop, order_id: str, step: str) -> None:
    """An operator's answer to a parked step."""
    answer = AttentionAnswer(step=step, action="retry", note="it works again")
    await shop.orders.resolve_attention(order_id, answer)
