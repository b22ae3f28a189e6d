"""Orders that are open when workflow code changes go on: their histories replay (scenario S33)."""

from __future__ import annotations

from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer, WorkflowRunner

from domain import ids
from runtime.worker_options import sandbox
from tests.replay.changed import AuthorizeFirst, EnsuresNothing
from tests.replay.record import HISTORIES, LIVES
from tests.support.builders import QUICK, an_order
from tests.support.shop import Shop
from workflows.order import OrderWorkflow

FILES = sorted(HISTORIES.glob("*.json"))


def history_of(file: Path) -> WorkflowHistory:
    return WorkflowHistory.from_json(ids.workflow_id(file.stem), file.read_text(encoding="utf-8"))


def replayer(*, of: type = OrderWorkflow, runner: WorkflowRunner | None = None) -> Replayer:
    return Replayer(
        workflows=[of],
        data_converter=pydantic_data_converter,
        workflow_runner=runner or sandbox(),
    )


def test_every_way_of_life_has_a_history() -> None:
    assert {file.stem.split("-")[0] for file in FILES} == {life.__name__ for life in LIVES}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
async def test_s33_an_order_goes_on_with_the_code_as_it_is_now(file: Path) -> None:
    await replayer().replay_workflow(history_of(file))


@pytest.mark.parametrize(
    "name",
    [
        "plain",
        "partly_cancelled_after_packing",
        "confirmed_at_the_bank",
        "charged_by_hand",
        "refunded_as_store_credit",
    ],
)
async def test_s33_it_goes_on_from_any_moment_of_its_life(name: str) -> None:
    history = history_of(HISTORIES / f"{name}.json")
    completed = [
        index
        for index, event in enumerate(history.events, start=1)
        if event.HasField("workflow_task_completed_event_attributes")
    ]
    for end in completed:
        # What follows a completed task are its commands; a history is cut before the next task.
        cut = end
        while cut < len(history.events) and not history.events[cut].HasField(
            "workflow_task_scheduled_event_attributes"
        ):
            cut += 1
        await replayer().replay_workflow(WorkflowHistory(history.workflow_id, history.events[:cut]))


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (AuthorizeFirst, "plain"),
        (EnsuresNothing, "renewed_before_it_leaves"),
        (EnsuresNothing, "charged_by_hand"),
    ],
)
async def test_s33_a_change_that_open_orders_could_not_follow_is_noticed(
    change: type, name: str
) -> None:
    with pytest.raises(workflow.NondeterminismError):
        await replayer(of=change).replay_workflow(history_of(HISTORIES / f"{name}.json"))


async def test_s33_an_open_order_goes_on_with_the_next_worker(shop: Shop) -> None:
    await shop.stocked("TEA", 5)
    order = an_order(("TEA", 2))
    second = Shop(shop.pool, shop.temporal, QUICK)
    async with second.working():
        parcel = await second.placed(order)
        await second.drive(parcel, "labelled")
        await second.idle(order.order_id)
    # The first worker is gone; the order's task queue gets another one.
    async with second.working():
        await second.warehouse.hand_over(parcel, who="packer")
        await second.scan(parcel, "delivered")
        assert (await second.result(order.order_id))["outcome"] == "closed"
