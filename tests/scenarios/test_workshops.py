"""Goods on which a workshop works before they leave: a program of somebody else's, by the contract.

The workshop is the example, with a worker and a task queue of its own. It has nothing of ours.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from temporalio import workflow
from temporalio.api.command.v1 import Command, CompleteWorkflowExecutionCommandAttributes
from temporalio.api.enums.v1 import CommandType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    PollWorkflowTaskQueueRequest,
    RespondWorkflowTaskCompletedRequest,
)
from temporalio.client import Client, WorkflowHandle
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from domain import ids
from domain.fulfilment.outside_work import Workshop
from domain.orders.messages import AttentionAnswer, CancelRequest
from domain.stock.items import Item
from examples.workshop.engraving import Engrave
from store.database import Pool
from tests.support.builders import a_policy, an_order
from tests.support.runs import restless, runs_of
from tests.support.shop import Shop

CUP = "CUP-ENGRAVED"
SILENT = "CUP-SILENT"
VOID = "CUP-VOID"


@workflow.defn(name="Silent")
class Silent:
    """A workshop that says as little as it can, and stops in its own time."""

    def __init__(self) -> None:
        self.is_unwanted = self.is_over = False

    @workflow.run
    async def run(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Refuse to stop, and stop later."""
        await workflow.wait_condition(lambda: self.is_unwanted)
        parent = workflow.info().parent
        assert parent is not None
        asker = workflow.get_external_workflow_handle(parent.workflow_id)
        await asker.signal("progress", {"note": None})
        await asker.signal("cannot_stop")
        await workflow.wait_condition(lambda: self.is_over)
        return {"outcome": "stopped", "note": None}

    @workflow.signal
    def cancel(self) -> None:
        """It is asked to stop."""
        self.is_unwanted = True

    @workflow.signal
    def over(self) -> None:
        """It stops."""
        self.is_over = True


@pytest_asyncio.fixture(loop_scope="session")
async def shop(pool: Pool, temporal_client: Client) -> AsyncIterator[Shop]:
    """A shop of restless orders beside a workshop, with engraved cups on the shelf."""
    shop = Shop(pool, restless(temporal_client), a_policy(give_up_after=60, return_window=0.01))
    workshop = Worker(
        temporal_client,
        task_queue=f"{shop.task_queue}-engraving",
        workflows=[Engrave, Silent],
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    shop.workshops["silent"] = Workshop(workflow="Silent", task_queue=workshop.task_queue)
    shop.workshops["void"] = Workshop(workflow="Void", task_queue=f"{shop.task_queue}-void")
    async with shop.working(), workshop:
        for sku, handling in ((CUP, "x:engraving"), (SILENT, "x:silent"), (VOID, "x:void")):
            await shop.catalogue.set_items([Item(sku=sku, handling=handling)])
            await shop.stocked(sku, 9)
        yield shop


def at_work(shop: Shop, part: str, attempt: int = 1) -> WorkflowHandle[Any, Any]:
    """The workshop's workflow, found by its id."""
    return shop.temporal.get_workflow_handle(ids.workshop_id("x:engraving", part, attempt))


async def begun(shop: Shop, order_id: str, attempt: int = 1) -> str:
    """The fulfilment that the workshop works on, once it does."""

    async def find() -> str | None:
        found: str | None = await shop.pool.fetchval(
            "select fulfilment_id from outside_work where order_no = order_no_of($1)"
            " and state = 'begun' and attempt = $2",
            *(order_id, attempt),
        )
        return found

    part = await shop.until(find, f"a workshop works for {order_id}")

    async def is_there() -> bool:
        handle = shop.temporal.get_workflow_handle(ids.work_id(part, attempt))
        history = [event async for event in handle.fetch_history_events()]
        return any(e.HasField("child_workflow_execution_started_event_attributes") for e in history)

    await shop.until(is_there, "the workshop's workflow has begun")
    return part


async def placed(shop: Shop, *lines: tuple[str, int]) -> tuple[str, str]:
    """An order of which a workshop has the cups. Returns its id, and that fulfilment's."""
    order = an_order(*(lines or ((CUP, 2),)))
    placement = await shop.orders.place(order)
    assert placement.outcome == "confirmed", placement
    return order.order_id, await begun(shop, order.order_id)


async def state_of(shop: Shop, part: str) -> Any:
    detail = await shop.orders.get(ids.order_of(part))
    return next(one for one in detail.fulfilments if one.fulfilment_id == part)


async def test_a_workshop_engraves_and_sends_beside_a_parcel_of_ours(shop: Shop) -> None:
    await shop.stocked("TEA", 1)
    for step in ("pick_pack_ship", "work_begun", "work_goes_on", "work_ended"):
        shop.faults.after(step)  # its answer is lost, and it runs again
    order_id, part = await placed(shop, ("TEA", 1), (CUP, 2))
    tasks = await shop.warehouse.tasks()
    assert part not in [task.part_id for task in tasks]
    await at_work(shop, part).signal("one_engraved")
    await shop.told(order_id, "work goes on")
    (progress,) = [e for e in await shop.orders.events(order_id) if e.what == "work goes on"]
    assert (progress.who, progress.why) == ("x:engraving", "1 of 2 engraved")
    await at_work(shop, part).signal("sent", {"carrier": "dhl", "tracking_number": "JD-77"})
    await shop.told(order_id, "charged")
    fulfilment = await state_of(shop, part)
    assert (fulfilment.state, fulfilment.carrier, fulfilment.tracking_number) == (
        *("shipped", "dhl"),
        "JD-77",
    )
    await shop.scan(part, "delivered")
    await shop.finish(order_id)
    await shop.settled()


async def test_what_the_customer_takes_along_is_delivered_however_often_the_order_began_anew(
    shop: Shop,
) -> None:
    order_id, part = await placed(shop)

    async def anew() -> bool:
        return len(await runs_of(shop, order_id)) > 1

    await shop.until(anew, "the order has continued as new")
    await at_work(shop, part).signal("taken_along")
    assert (await shop.result(order_id))["outcome"] == "closed"
    assert (await shop.level(CUP)).on_hand == 7
    await shop.settled()


async def test_a_workshop_is_asked_to_stop_and_says_what_it_has_undone(shop: Shop) -> None:
    order_id, part = await placed(shop)
    shop.faults.after("stop_work")
    shop.faults.after("work_ended")
    answer = await shop.aftersales.cancel(order_id, CancelRequest(reason="another text"))
    assert answer.outcome == "cancelled"
    await shop.result(order_id)
    (stopped,) = [e for e in await shop.orders.events(order_id) if e.what == "work stopped"]
    assert stopped.why == "nothing was engraved"
    assert (await at_work(shop, part).result())["outcome"] == "stopped"
    assert (await shop.level(CUP)).available == 9
    await shop.settled()


async def test_what_is_engraved_is_not_cancelled_any_more_and_comes(shop: Shop) -> None:
    order_id, part = await placed(shop)
    await at_work(shop, part).signal("one_engraved")
    answer = await shop.aftersales.cancel(order_id, CancelRequest(reason="another text"))
    assert (answer.outcome, [each.reason for each in answer.refused]) == ("refused", ["at_work"])
    await at_work(shop, part).signal("taken_along")
    assert (await shop.result(order_id))["outcome"] == "closed"
    await shop.settled()


async def test_what_cannot_be_done_is_put_before_a_person_who_has_it_tried_again(
    shop: Shop,
) -> None:
    order_id, part = await placed(shop)
    await at_work(shop, part).signal("spoiled", "the cup is broken")
    (why,) = (await shop.attention(order_id)).values()
    assert why == "the workshop: the cup is broken"
    step = f"pick_pack_ship {part}"
    shop.faults.after("work_wanted_again")
    await shop.retry(order_id, step)
    await begun(shop, order_id, 2)
    await at_work(shop, part, 2).terminate("somebody ended it by hand")
    assert await shop.parked(order_id) == step
    give_up = AttentionAnswer(step=step, action="cancel", note="it cannot be done")
    await shop.orders.resolve_attention(order_id, give_up)
    assert (await shop.result(order_id))["outcome"] == "cancelled"
    assert (await shop.level(CUP)).available == 9
    await shop.settled()


async def test_work_that_nobody_of_ours_sees_to_any_more_is_begun_again_by_its_order(
    shop: Shop,
) -> None:
    """The workflow between order and workshop is ended by hand, and with it its child."""
    order_id, part = await placed(shop)
    await shop.temporal.get_workflow_handle(ids.work_id(part, 1)).terminate("by hand")
    answer = await shop.aftersales.cancel(order_id, CancelRequest(reason="another text"))
    assert answer.outcome == "cancelled"
    assert (await shop.result(order_id))["outcome"] == "cancelled"
    await shop.settled()


@pytest.mark.parametrize("it_has_begun", [True, False])
async def test_where_somebody_cancels_our_workflow_beside_it_a_person_is_told_at_once(
    shop: Shop, temporal_client: Client, it_has_begun: bool
) -> None:
    order = an_order((CUP, 2))
    part = ids.fulfilment_id(order.order_id, 1)
    if not it_has_begun:  # one of the same id, whose parent was terminated, does not end
        await temporal_client.start_workflow(
            "Silent",
            {},
            id=ids.workshop_id("x:engraving", part, 1),
            task_queue=f"{shop.task_queue}-engraving",
        )
    assert (await shop.orders.place(order)).outcome == "confirmed"
    await shop.until(lambda: is_taken(shop, part), "the work is taken")
    if it_has_begun:
        await begun(shop, order.order_id)
    ours = shop.temporal.get_workflow_handle(ids.work_id(part, 1))
    await ours.cancel()
    (why,) = (await shop.attention(order.order_id)).values()
    assert why.startswith("the workshop: "), why
    step = f"pick_pack_ship {part}"
    await shop.retry(order.order_id, step)
    await begun(shop, order.order_id, 2)
    await at_work(shop, part, 2).signal("taken_along")
    assert (await shop.result(order.order_id))["outcome"] == "closed"
    await shop.settled()


async def is_taken(shop: Shop, part: str) -> bool:
    query = "select count(*) from outside_work where fulfilment_id = $1 and state = 'begun'"
    return bool(await shop.pool.fetchval(query, part))


async def test_what_is_stopped_after_it_could_not_be_is_put_before_a_person(shop: Shop) -> None:
    """Whoever asked has been told no, and waits no more: nobody else would see to its units."""
    order_id, part = await placed(shop, (SILENT, 2))
    answer = await shop.aftersales.cancel(order_id, CancelRequest(reason="another text"))
    assert (answer.outcome, [each.reason for each in answer.refused]) == ("refused", ["at_work"])
    work = shop.temporal.get_workflow_handle(ids.workshop_id("x:silent", part, 1))
    await work.signal("over")
    await given_up(shop, order_id, part, "the workshop: it stopped by itself: it has not said why")
    assert (await shop.level(SILENT)).available == 9
    await shop.settled()


async def test_a_workshop_whose_language_ends_with_no_result_has_failed(shop: Shop) -> None:
    """As a workflow of Go or Java does that returns nothing."""
    order_id, part = await placed(shop, (VOID, 1))
    service, namespace = shop.temporal.workflow_service, shop.temporal.namespace
    task = await service.poll_workflow_task_queue(
        PollWorkflowTaskQueueRequest(
            namespace=namespace,
            task_queue=TaskQueue(name=shop.workshops["void"].task_queue),
            identity="a worker in another language",
        )
    )
    nothing = CompleteWorkflowExecutionCommandAttributes()
    await service.respond_workflow_task_completed(
        RespondWorkflowTaskCompletedRequest(
            namespace=namespace,
            task_token=task.task_token,
            commands=[
                Command(
                    command_type=CommandType.COMMAND_TYPE_COMPLETE_WORKFLOW_EXECUTION,
                    complete_workflow_execution_command_attributes=nothing,
                )
            ],
        )
    )
    await given_up(shop, order_id, part, "the workshop: its answer cannot be read")
    await shop.settled()


async def given_up(shop: Shop, order_id: str, part: str, why: str) -> None:
    """A person is asked for this reason, and gives the units up."""
    (asked,) = (await shop.attention(order_id)).values()
    assert asked.startswith(why), asked
    step = f"pick_pack_ship {part}"
    answer = AttentionAnswer(step=step, action="cancel", note="it cannot be done")
    await shop.orders.resolve_attention(order_id, answer)
    assert (await shop.result(order_id))["outcome"] == "cancelled"
