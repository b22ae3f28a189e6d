"""`null`, for orientation, and `floor`, what this Temporal server can do at best.

Both run with what makes a worker fastest: outside the sandbox, and with pollers that adapt.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from temporalio import activity
from temporalio.client import Client
from temporalio.worker import PollerBehaviorAutoscaling, UnsandboxedWorkflowRunner, Worker

from benchmarks.contestants.bare_workflows import WAITS, FloorWorkflow, NullWorkflow
from benchmarks.contestants.protocol import ClientSide, WorkerSide
from benchmarks.heralds import crying

FASTEST: dict[str, Any] = {
    "workflow_runner": UnsandboxedWorkflowRunner(),
    "workflow_task_poller_behavior": PollerBehaviorAutoscaling(),
    "activity_task_poller_behavior": PollerBehaviorAutoscaling(),
}


class WithoutEffects:
    """A contestant that writes to no database."""

    has_effects = False
    queries_per_order = 0

    async def furnish(self, database_url: str) -> None:
        """There is nothing to furnish."""

    async def audit(self, database_url: str, client: Client, task_queue: str) -> list[str]:
        """Without books, none is wrong."""
        return []


class Null(WithoutEffects):
    """A workflow with no step: a start and an end."""

    name = "null"

    def working(self, side: WorkerSide) -> Worker:
        """A running worker."""
        return Worker(
            side.client,
            task_queue=side.task_queue,
            workflows=[NullWorkflow],
            **FASTEST | side.options,
        )

    @asynccontextmanager
    async def playing(self, side: ClientSide) -> AsyncIterator[NullPlayer]:
        yield NullPlayer(side)


class NullPlayer:
    """Starts workflows and sees them end."""

    def __init__(self, side: ClientSide) -> None:
        self._side = side

    async def place(self, number: int) -> str:
        """Start a workflow."""
        handle = await self._side.client.start_workflow(
            NullWorkflow.run, id=f"null:{number}", task_queue=self._side.task_queue
        )
        return handle.id

    async def finish(self, workflow_id: str) -> None:
        """See it end."""
        await self._side.ends.of(workflow_id)


class Waits:
    """Activities that tell the generator that they wait, and are completed by it."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer

    async def wait(self) -> None:
        """Begin to wait."""
        info = activity.info()
        self._writer.write(f"{info.workflow_id} {info.activity_id}\n".encode())
        activity.raise_complete_async()

    @activity.defn
    async def pick(self) -> None:
        await self.wait()

    @activity.defn
    async def pack(self) -> None:
        await self.wait()

    @activity.defn
    async def deliver(self) -> None:
        await self.wait()


class Floor(WithoutEffects):
    """Waits for picked, packed and delivered, completed by activity id, and a timer."""

    name = "floor"

    @asynccontextmanager
    async def working(self, side: WorkerSide) -> AsyncIterator[None]:
        """A running worker."""
        async with crying(side.herald) as writer:
            waits = Waits(writer)
            async with Worker(
                side.client,
                task_queue=side.task_queue,
                workflows=[FloorWorkflow],
                activities=[waits.pick, waits.pack, waits.deliver],
                **FASTEST | side.options,
            ):
                yield

    @asynccontextmanager
    async def playing(self, side: ClientSide) -> AsyncIterator[FloorPlayer]:
        yield FloorPlayer(side)


class FloorPlayer:
    """Completes each wait after a pause."""

    def __init__(self, side: ClientSide) -> None:
        self._side = side

    async def place(self, number: int) -> str:
        """Place the order with this number."""
        handle = await self._side.client.start_workflow(
            FloorWorkflow.run,
            self._side.pace.return_window,
            id=f"floor:{number}",
            task_queue=self._side.task_queue,
        )
        return handle.id

    async def finish(self, workflow_id: str) -> None:
        """Take it to its end."""
        client, pace = self._side.client, self._side.pace
        for step in WAITS:
            await self._side.herald.hears(f"{workflow_id} {step}")
            await asyncio.sleep(pace.think_s)
            waiting = client.get_async_activity_handle(
                workflow_id=workflow_id, run_id=None, activity_id=step
            )
            await waiting.complete()
        await self._side.ends.of(workflow_id)
