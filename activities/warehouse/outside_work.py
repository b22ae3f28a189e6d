"""The work of workshops on fulfilments: begun, asked to stop, and its end written down.

A workflow of ours sees to each attempt. It has the workshop's as its child, and outlives what
happens to the order's meanwhile; its id is made of the fulfilment's, so that it is found again.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Literal

from pydantic import BaseModel, ConfigDict
from temporalio import activity
from temporalio.client import Client, WorkflowUpdateFailedError
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from activities.fulfilment.contracts import Part
from activities.relay import RPC_TIMEOUT
from domain import ids
from domain.fulfilment.outside_work import WorkAnswer, WorkAsked, Workshop
from domain.orders.handling import OUTSIDE, Handling
from store.database import Pool
from store.warehouse import outside_work


class WorkAttempt(BaseModel):
    """Names an attempt of a workshop at a fulfilment."""

    model_config = ConfigDict(frozen=True)

    fulfilment_id: str
    attempt: int


class WorkGiven(BaseModel):
    """What a workshop's workflow is given, and where it runs."""

    model_config = ConfigDict(frozen=True)

    handling: Handling
    workshop: Workshop
    asked: WorkAsked


class WorkNote(WorkAttempt):
    """What a workshop tells for the n-th time."""

    number: int
    note: str


class WorkEnded(WorkAttempt):
    """How the attempt has ended."""

    answer: WorkAnswer


class WorkStopped(BaseModel):
    """Whether a workshop gives its goods back. `over`: it works no more, and rows say the rest."""

    model_config = ConfigDict(frozen=True)

    outcome: Literal["over", "goes_on"]
    why: str = ""


class OutsideWork:
    """Activities for workshops; `workshops`: by the names that handlings have after `x:`."""

    def __init__(
        self, pool: Pool, client: Client, workshops: Mapping[str, Workshop] | None = None
    ) -> None:
        self._pool = pool
        self._client = client
        self._workshops = workshops or {}

    async def begin(self, fulfilment_id: str, handling: Handling) -> None:
        """Have a workflow see to the work that is wanted, or begun, if none does.

        Called by the step that waits for the hand-over. Fails for good, with type `no_workshop`,
        where this worker knows none of that name.
        """
        if self._workshops.get(_name(handling)) is None:
            raise ApplicationError(
                f"no workshop {_name(handling)!r} is known here: name it in ORDERLOOM_WORKSHOPS of "
                "all workers, and say retry",
                type="no_workshop",
                non_retryable=True,
            )
        async with self._pool.acquire() as conn:
            work = await outside_work.find(conn, fulfilment_id)
        if work is None or work.state not in ("wanted", "begun"):
            return
        with suppress(WorkflowAlreadyStartedError):
            await self._client.start_workflow(
                "OutsideWork",
                WorkAttempt(fulfilment_id=fulfilment_id, attempt=work.attempt),
                id=ids.work_id(fulfilment_id, work.attempt),
                task_queue=activity.info().task_queue,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
                static_summary=f"{handling} of {fulfilment_id}",
                rpc_timeout=RPC_TIMEOUT,
            )

    @activity.defn
    async def work_begun(self, ask: WorkAttempt) -> WorkGiven | None:
        """Take the work: from now on the workshop has the goods. None: it is not wanted any more.

        Tried again where this worker does not know the workshop, as another one does.
        """
        async with self._pool.acquire() as conn, conn.transaction():
            work = await outside_work.find(conn, ask.fulfilment_id)
            assert work is not None  # it is wanted since its workflow was started
            workshop = self._workshops[_name(work.handling)]
            if not await outside_work.begun(conn, ask.fulfilment_id, ask.attempt):
                return None
        asked = WorkAsked(
            order_id=work.order_id,
            fulfilment_id=work.fulfilment_id,
            attempt=work.attempt,
            location=work.location,
            lines=work.lines,
            ship_to=f"/v1/orders/{work.order_id}",
        )
        return WorkGiven(handling=work.handling, workshop=workshop, asked=asked)

    @activity.defn
    async def work_goes_on(self, ask: WorkNote) -> None:
        """Tell in the order's story how far the workshop has come."""
        async with self._pool.acquire() as conn, conn.transaction():
            work = await outside_work.find(conn, ask.fulfilment_id)
            assert work is not None  # it has begun
            await outside_work.goes_on(
                conn, work.model_copy(update={"attempt": ask.attempt}), ask.number, ask.note
            )

    @activity.defn
    async def work_ended(self, ask: WorkEnded) -> None:
        """Write down how an attempt has ended, once, with all that follows."""
        async with self._pool.acquire() as conn, conn.transaction():
            work = await outside_work.find(conn, ask.fulfilment_id)
            assert work is not None  # it has begun
            await outside_work.ended(
                conn, work.model_copy(update={"attempt": ask.attempt}), ask.answer
            )

    @activity.defn
    async def stop_work(self, part: Part) -> WorkStopped:
        """Ask the workshop to stop, and wait for its answer. Where it has not begun, nobody is."""
        async with self._pool.acquire() as conn:
            work = await outside_work.find(conn, part.fulfilment_id)
        if work is None or work.state != "begun":
            return WorkStopped(outcome="over")
        handle = self._client.get_workflow_handle(ids.work_id(part.fulfilment_id, work.attempt))
        try:
            stopped: WorkStopped = await handle.execute_update("stop", result_type=WorkStopped)
            return stopped
        except WorkflowUpdateFailedError as error:  # it ended, so its row says more now
            raise ApplicationError(f"the work has just ended: {error.cause}") from error
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:
                raise
            await self.begin(part.fulfilment_id, work.handling)  # if Temporal has lost it
            raise ApplicationError(f"nobody sees to the work on {part.fulfilment_id}") from error

    @activity.defn
    async def work_wanted_again(self, part: Part) -> None:
        """A person has said that failed work is tried again."""
        async with self._pool.acquire() as conn, conn.transaction():
            await outside_work.wanted_again(conn, part.fulfilment_id)


def _name(handling: Handling) -> str:
    return handling.removeprefix(OUTSIDE)
