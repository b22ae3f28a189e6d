"""What needs a person: the answers that commands print are those that the step takes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio
from temporalio.client import Client

from domain.orders.messages import RefundRequest
from store.database import Pool
from tests.support.builders import a_policy, an_order
from tests.support.command_line import Cli
from tests.support.shop import Shop

EVERY_ANSWER = ("retry", "done", "cancel", "store_credit")


@pytest_asyncio.fixture(loop_scope="session")
async def shop(pool: Pool, temporal_client: Client) -> AsyncIterator[Shop]:
    """A shop whose steps give up soon."""
    shop = Shop(pool, temporal_client, a_policy(give_up_after=1.5, return_window=60))
    async with shop.working():
        yield shop


async def refused_capture(shop: Shop) -> str:
    order = an_order(("TEA", 2), token="tok_capture_refused")
    await shop.drive(await shop.placed(order), "shipped")
    return order.order_id


async def capture_without_an_answer(shop: Shop) -> str:
    shop.faults.after("charge_payment", times=1000)
    order = an_order(("TEA", 2))
    await shop.drive(await shop.placed(order), "shipped")
    return order.order_id


async def refused_refund(shop: Shop) -> str:
    order = an_order(("TEA", 2), token="tok_refund_refused")
    await shop.drive(await shop.placed(order), "delivered")
    await shop.phase(order.order_id, "return window")
    await shop.aftersales.refund(
        order.order_id, RefundRequest.model_validate({"reason": "sorry", "amount": "5.00"})
    )
    return order.order_id


async def no_label(shop: Shop) -> str:
    shop.faults.before("pick_pack_ship", times=1000)
    order = an_order(("TEA", 2))
    await shop.drive(await shop.placed(order), "packed")
    return order.order_id


async def refused_void(shop: Shop) -> str:
    shop.faults.refuse("void_label")
    order = an_order(("TEA", 2))
    await shop.drive(await shop.placed(order), "labelled")
    await shop.workflow(order.order_id).signal("cancel", {"reason": "changed my mind"})
    return order.order_id


async def overdue_pick(shop: Shop) -> str:
    order = an_order(("TEA", 2))
    await shop.placed(order, a_policy(pick_within=0.5))
    return order.order_id


async def late_scan(shop: Shop) -> str:
    order = an_order(("TEA", 2))
    parcel = await shop.placed(order)
    await shop.drive(parcel, "delivered")
    await shop.scan(parcel, "return_to_sender")
    return order.order_id


WAYS: dict[Callable[[Shop], Awaitable[str]], tuple[str, ...]] = {
    refused_capture: ("retry", "done"),
    capture_without_an_answer: ("retry",),
    refused_refund: ("retry", "done", "store_credit"),
    no_label: ("retry", "cancel"),
    refused_void: ("retry", "done"),
    overdue_pick: (),
    late_scan: ("done",),
}


# What is charged, paid back or released by the step that waits.
AT_STAKE: dict[Callable[[Shop], Awaitable[str]], str] = {
    refused_capture: "25.00",
    refused_refund: "5.00",
}


@pytest.mark.parametrize("live", WAYS, ids=lambda live: live.__name__)
async def test_the_answers_that_are_printed_are_those_that_the_step_takes(
    cli: Cli, shop: Shop, live: Callable[[Shop], Awaitable[str]]
) -> None:
    await shop.stocked("TEA", 2)
    order_id = await live(shop)
    (step,) = await shop.attention(order_id)
    allowed = WAYS[live]
    if allowed:
        command = f"orderloom resolve {order_id} {'|'.join(allowed)} --step '{step}' --note '…'"
        way = f"decide: {command}"
    else:
        command = "orderloom warehouse tasks"
        way = f"nothing is to be decided: it ends when the warehouse reports it: {command}"
    shown, listed, document = await cli.many(
        ("show", order_id), ("orders", "--attention"), ("orders", "--attention", "--json")
    )
    assert f"  {way}\n" in shown.out
    assert f"\n{order_id}: {step}: " in listed.out
    assert f"\n  {way}\n" in listed.out
    (row,) = document.json["steps"]
    assert (row["step"], tuple(row["allowed"])) == (step, allowed)
    tasks, printed = await cli.many(("attention", "--json"), ("attention",))
    (task,) = tasks.json["tasks"]
    assert (task["subject"], task["name"]) == (order_id, step)
    assert task["money_at_stake"] is (live in AT_STAKE)
    assert task.get("amount") == AT_STAKE.get(live)
    assert task["command"] == command
    assert f"\n  {task['do']}: {task['command']}\n" in printed.out
    assert printed.out.endswith("\n1 task\n")
    said = [answer for answer in EVERY_ANSWER if answer not in allowed]
    refusals = await cli.many(*(("resolve", order_id, answer, "--note", "x") for answer in said))
    for answer, refusal in zip(said, refusals, strict=True):
        assert refusal.code == 1, refusal
        told = f"it takes {', '.join(allowed)}\n" if allowed else "nothing is to be decided"
        assert f"takes no {answer}: {told}" in refusal.err
    for name in ("charge_payment", "pick_pack_ship", "void_label"):
        shop.faults.heal(name)
    if "retry" in allowed:
        taken = await cli.done("resolve", order_id, "retry", "--note", "once more")
        assert taken.out == f"{order_id}: {step}: retry\n"
    if allowed == ("done",):
        taken = await cli.done("resolve", order_id, "done", "--note", "asked the carrier")
        assert taken.out == f"{order_id}: {step}: done\n"
        assert (await shop.orders.get(order_id)).attention == ()
