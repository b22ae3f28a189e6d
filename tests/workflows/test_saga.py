"""The saga table, by enumeration: a step that is added to it is tested by what stands here."""

from __future__ import annotations

import ast
import asyncio
from contextlib import suppress
from datetime import timedelta

import pytest
from temporalio.client import WorkflowFailureError

from activities.fulfilment.fulfilments import Fulfilments
from domain.errors import Unreachable
from domain.orders.messages import Placement
from domain.orders.order import Order
from domain.orders.policy import Policy
from tests.architecture.source import sources
from tests.support.shop import Shop
from tests.workflows.lives import (
    BRISK,
    IMPATIENT,
    STEPS,
    UNDOS,
    a_two_parcel_order,
    assert_a_life_with_every_undo,
    assert_a_plain_life,
    live_a_life_with_every_undo,
    three_teas,
)
from workflows.engine.step_table import Step, StepTable
from workflows.order_steps import STEPS as TABLE

# How a step goes wrong once, or happens twice.
MISHAPS = ("before", "after", "repeat")

ACTIVITY_CLASSES: tuple[str, ...] = (
    "Inventory",
    "Authorizations",
    "Payments",
    "Fulfilments",
    "Backorders",
)
ACTIVITY_CLASSES += ("Delivery", "Returns", "OrderRecords")


def undos(reached: str) -> list[str]:
    """The names of the undos that the executor runs for a fulfilment that had come so far."""
    states = TABLE.to_undo(Fulfilments.pick_pack_ship, reached)
    return [state.undo.__name__ for state in states]


def test_every_step_has_an_undo_or_says_why_not() -> None:
    for step in TABLE:
        ways = [step.undo is not None, bool(step.states), bool(step.because)]
        assert ways.count(True) == 1, step.name
    with pytest.raises(ValueError, match="play has either an undo, or the reason why it has none"):
        Step(Shop.play)
    with pytest.raises(ValueError, match="play has either"):
        Step(Shop.play, undo=Shop.finish, because="of no account")


def test_undos_run_last_state_first_and_each_once_up_to_the_state_that_was_reached() -> None:
    assert undos("labelled") == ["void_label", "put_back"]
    assert undos("picked") == undos("packed") == ["put_back"]
    assert undos("picking") == undos("open") == []


def test_a_step_that_is_not_in_the_table_cannot_be_run() -> None:
    table = StepTable(Step(Shop.play, undo=Shop.finish))
    table.check(Shop.play)
    table.check(Shop.finish)  # an undo
    with pytest.raises(LookupError, match="settled is not in the table of steps"):
        table.check(Shop.settled)


def test_the_table_has_every_activity_that_an_order_runs_and_no_undo_is_named_elsewhere() -> None:
    """What the executor would refuse at run time, found by reading."""
    undos_of_all = set(TABLE.undos)
    for source in sources("workflows/chapters/"):
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) in ACTIVITY_CLASSES:
                assert node.attr not in undos_of_all, f"{source.path}:{node.lineno}: {node.attr}"
                assert node.attr in {step.name for step in TABLE}, f"{source.path}: {node.attr}"


@pytest.mark.parametrize("mishap", MISHAPS)
async def test_every_step_that_fails_loses_its_answer_or_runs_twice_is_done_once(
    shop: Shop, mishap: str
) -> None:
    for step in STEPS:
        getattr(shop.faults, mishap)(step)
    order = await three_teas(shop)
    await place(shop, order)
    assert (await shop.finish(order.order_id))["outcome"] == "closed"
    await assert_a_plain_life(shop, order)
    assert shop.faults.still_to_come() == set()


@pytest.mark.parametrize(
    ("step", "kind"),
    [
        ("reserve_stock", "refused"),
        ("authorize_payment", "declined"),
        ("pick_pack_ship", "refused"),
        ("charge_payment", "declined"),
    ],
)
async def test_a_step_refused_for_good_ends_the_order_undone_or_asks_a_person(
    shop: Shop, step: str, kind: str
) -> None:
    """One refusal of each sort. The simulator refuses each step of the table."""
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
        await shop.retry(order.order_id, await needs_a_person)
        assert (await placing).outcome == "confirmed"
        assert (await ended)["outcome"] == "closed"
        await assert_a_plain_life(shop, order)
        return
    needs_a_person.cancel()
    outcome = "rejected" if (await placing).outcome == "rejected" else "cancelled"
    assert ended.result()["outcome"] == outcome
    level = await shop.level("TEA")
    assert (level.on_hand, level.allocated) == (10, 0)
    await shop.settled()


async def test_each_step_that_cannot_be_done_for_long_asks_a_person_and_goes_on_when_it_can(
    shop: Shop,
) -> None:
    for step in STEPS:
        shop.faults.before(step, times=1000)
    order = await three_teas(shop)
    placing = asyncio.create_task(place(shop, order, IMPATIENT))
    await shop.begun()
    not_done = set(STEPS)
    ended = asyncio.create_task(shop.finish(order.order_id, leaving=not_done))
    while not_done:
        parked = await shop.parked(order.order_id)
        step, part = parked.split(" ", maxsplit=1)
        assert part.startswith(order.order_id)
        shop.faults.heal(step)
        await shop.retry(order.order_id, parked)
        not_done.discard(step)
    assert (await ended)["outcome"] == "closed"
    assert (await placing).outcome == "confirmed"
    await assert_a_plain_life(shop, order)


async def test_a_workflow_for_an_order_that_has_ended_or_is_not_on_record_does_nothing(
    shop: Shop,
) -> None:
    shop.faults.refuse("reserve_stock", "conflict")
    order = await three_teas(shop)
    soon = timedelta(milliseconds=500)
    with suppress(Unreachable):  # or it is in progress still
        await shop.orders.place(order, answer_within=soon)
    with pytest.raises(WorkflowFailureError):
        await shop.result(order.order_id)
    with pytest.raises(Unreachable, match="ended without a record"):
        await shop.orders.place(order, answer_within=soon)
    assert await shop.story(order.order_id) == ["received"]
    assert (await shop.level("TEA")).allocated == 0


@pytest.mark.parametrize("mishap", MISHAPS)
async def test_every_undo_that_fails_loses_its_answer_or_runs_twice_undoes_once(
    shop: Shop, mishap: str
) -> None:
    for undo in UNDOS:
        getattr(shop.faults, mishap)(undo)
    order = await a_two_parcel_order(shop)
    await live_a_life_with_every_undo(shop, order)
    await assert_a_life_with_every_undo(shop, order)
    assert shop.faults.still_to_come() == set()


async def place(shop: Shop, order: Order, policy: Policy = BRISK) -> Placement:
    """Place it, with the patience to wait for an operator."""
    return await shop.orders.place(order, policy=policy, answer_within=timedelta(seconds=30))
