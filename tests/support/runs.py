"""Orders that continue as new far sooner than the server would have them, and all their runs."""

from __future__ import annotations

from typing import Any

from temporalio.client import (
    Client,
    Interceptor,
    OutboundInterceptor,
    StartWorkflowInput,
    WorkflowHandle,
    WorkflowHistory,
)
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer

from runtime.worker_options import sandbox
from tests.support.shop import Shop
from workflows.order import OrderWorkflow


def restless(client: Client, after_events: int = 1) -> Client:
    """A client whose orders continue as new whenever they may, with this many events or more."""
    config = client.config()
    config["interceptors"] = [_Restless(after_events)]
    return Client(**config)


async def runs_of(shop: Shop, order_id: str) -> list[WorkflowHistory]:
    """The histories of all runs of the order, first to last."""
    handle: WorkflowHandle[Any, Any] = shop.workflow(order_id)
    histories = [await handle.fetch_history()]
    while before := _continued_from(histories[0]):
        handle = shop.temporal.get_workflow_handle(handle.id, run_id=before)
        histories.insert(0, await handle.fetch_history())
    return histories


async def replay(histories: list[WorkflowHistory]) -> None:
    """Raises where the code as it is would do other than a history says."""
    replayer = Replayer(
        workflows=[OrderWorkflow],
        data_converter=pydantic_data_converter,
        workflow_runner=sandbox(),
    )
    for history in histories:
        await replayer.replay_workflow(history)


def _continued_from(history: WorkflowHistory) -> str:
    started = history.events[0].workflow_execution_started_event_attributes
    return started.continued_execution_run_id


class _Restless(Interceptor):
    def __init__(self, after_events: int) -> None:
        self._after_events = after_events

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        return _Outbound(next, self._after_events)


class _Outbound(OutboundInterceptor):
    def __init__(self, next: OutboundInterceptor, after_events: int) -> None:
        super().__init__(next)
        self._after_events = after_events

    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:
        (start,) = input.args
        input.args = [start.model_copy(update={"continue_after_events": self._after_events})]
        return await super().start_workflow(input)
