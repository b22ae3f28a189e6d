"""An order whose workflow cannot go on is told of: by show, by orders --attention, by the audit."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from activities.orders.stuck import STEP, StuckOrders
from activities.purchasing.stuck import StuckPurchases
from domain import ids
from starter.service.audit import AuditReport
from tests.support.builders import an_order
from tests.support.command_line import Cli
from tests.support.shop import Shop
from tests.workflows.test_purchase_order import a_need, at
from workflows.chapters.fulfilments import OrderFulfilments
from workflows.engine import results


async def audited(shop: Shop) -> AuditReport:
    patience = timedelta(seconds=0.1)
    return await shop.audit(patience=patience)


async def test_an_order_whose_workflow_cannot_go_on_needs_attention_until_it_does(
    cli: Cli, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    await shop.stocked("TEA", 3)
    order, other = an_order(("TEA", 2)), an_order(("TEA", 1))
    part = await shop.placed(order)
    await shop.placed(other)
    await shop.task("pick", part)
    stuck = StuckOrders(shop.pool, shop.temporal, shop.task_queue)
    await stuck.look()
    assert [row.order_id for row in await shop.orders.list(attention=True)] == []

    async def broken(*_: object) -> None:
        raise KeyError("a fault of ours")

    with monkeypatch.context() as patched:
        patched.setattr(OrderFulfilments, "_lacks", broken)
        await shop.warehouse.pick(part, {"1": 1}, who="picker")

        async def listed() -> bool:
            await stuck.look()
            return len(await shop.orders.list(attention=True)) == 1

        await shop.until(listed, "the order is listed")
        await stuck.look()  # once more is once
        shown, orders, resolved = await cli.many(
            ("show", order.order_id),
            ("orders", "--attention"),
            ("resolve", order.order_id, "retry", "--note", "x"),
        )
        cancelled, tasks = await cli.many(
            ("cancel", order.order_id, "--reason", "x"), ("attention",)
        )
        assert cancelled.code == 3, cancelled
        assert f"order {order.order_id} cannot go on: its workflow fails" in cancelled.err
        assert "Temporal does not answer" not in cancelled.err
        assert f"{order.order_id} {STEP}: its workflow cannot go on" in tasks.out
        assert "Needs attention since" in shown.out
        assert "its workflow cannot go on: 'a fault of ours'. Nothing is lost" in shown.out
        assert f"{order.order_id}: {STEP}: its workflow cannot go on" in orders.out
        assert (resolved.code, "nothing is to be decided" in resolved.err) == (1, True)
        (violation,) = (await audited(shop)).violations
        assert (violation.rule, violation.subject) == ("liveness", order.order_id)
        assert violation.message == (
            "its workflow is running, but cannot go on: "
            "WorkflowTaskFailed, WorkflowTaskFailedCauseWorkflowWorkerUnhandledFailure"
        )
    await shop.warehouse.pack(part, who="packer")

    async def taken_off() -> bool:
        await stuck.look()
        return not await shop.orders.list(attention=True)

    await shop.until(taken_off, "the order goes on, and is on the list no more")
    story = await shop.story(order.order_id)
    assert story.count(f"needs attention: {STEP}") == 1
    assert story.count(f"attention resolved: {STEP}") == 1
    await asyncio.gather(shop.finish(order.order_id), shop.finish(other.order_id))
    await shop.settled()


async def test_a_workflow_that_was_started_with_nonsense_is_named(shop: Shop) -> None:
    handle = await shop.temporal.start_workflow(
        "Order", {}, id=f"order:web-nonsense-{shop.task_queue}", task_queue=shop.task_queue
    )
    try:

        async def named() -> bool:
            found = (await audited(shop)).violations
            return any("cannot go on: WorkflowTaskFailed" in item.message for item in found)

        await shop.until(named, "the audit names it")
        (violation,) = (await audited(shop)).violations
        assert violation.subject == handle.id.removeprefix("order:")
        await StuckOrders(shop.pool, shop.temporal, shop.task_queue).look()  # nothing is on record
    finally:
        await handle.terminate()


async def test_a_purchase_order_whose_workflow_cannot_go_on_needs_attention_until_it_does(
    cli: Cli, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    await a_need(shop)
    order = await at(shop, "sent")
    stuck = StuckPurchases(shop.pool, shop.temporal, shop.task_queue)
    await stuck.look()

    async def attention() -> str | None:
        await stuck.look()
        return (await shop.purchasing.orders())[0].attention

    def broken(*_: object) -> None:
        raise KeyError("a fault of ours")

    with monkeypatch.context() as patched:
        patched.setattr(results, "answer", broken)
        await shop.purchasing.acknowledge(order.po_id, "855", who="assam")
        assert "its workflow cannot go on: 'a fault of ours'" in str(
            await shop.until(attention, "the purchase order is listed")
        )
        shown, listed = await cli.many(
            ("purchase-orders", "show", order.po_id), ("purchase-orders", "list")
        )
        for told in (shown, listed):
            assert "its workflow cannot go on" in told.out
        (violation,) = (await audited(shop)).violations
        assert (violation.rule, violation.subject) == ("liveness", order.po_id)
        assert "cannot go on: WorkflowTaskFailed" in violation.message
    await shop.purchasing.receive(order.po_id, "all", who="dock")

    async def taken_off() -> bool:
        return await attention() is None

    await shop.until(taken_off, "it goes on, and is on the list no more")
    await shop.temporal.get_workflow_handle(ids.purchase_workflow_id(order.po_id)).result()
