"""Updates to workflows: sent, and their refusals as the errors that they were there."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any, Final, TypeVar

from pydantic import TypeAdapter
from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from domain import errors, ids
from domain.errors import Conflict, Ending, NotFound, OrderloomError, Refused, Unreachable
from domain.orders.messages import (
    AttentionAnswer,
    CancelRequest,
    ChargeRequest,
    PayRequest,
    RefundRequest,
    ReturnRequest,
    digest_of,
)
from runtime.order_starts import late_run
from runtime.retries import retry_context
from store.database import Pool
from store.orders import answers, open_orders
from store.views import reads

Request = TypeVar(
    "Request",
    CancelRequest,
    ReturnRequest,
    RefundRequest,
    PayRequest,
    ChargeRequest,
    AttentionAnswer,
)
Answer = TypeVar("Answer")
Starts = tuple[Client, Callable[[], WithStartWorkflowOperation[Any, Any]]]

T = TypeVar("T")

_KINDS: dict[str, type[Refused]] = {
    kind.kind: kind for kind in (Refused, Conflict, NotFound, Ending, errors.IllegalTransition)
}

ANSWER_WITHIN = timedelta(seconds=60)
"""A workflow is given this long to answer a request; a worker may have to start first."""

ANSWER_SECONDS_MAX: Final = 30.0
"""A command waits so long for the answer of an order."""

LATE_TRIES, ENDS_WITHIN_S = 3, 5.0
"""A message that came just as a run ended is for the next one."""

_TASK_FAILS: Final = "Workflow Task in failed state"
"""So the server says why it takes no update; it has no code of its own for that."""

NOT_READY_TRIES, NOT_READY_PAUSE_S = 10, 0.1
"""A message that came as its order went over into a new run was not taken, and is sent again."""


async def update(
    handle: WorkflowHandle[Any, Any],
    name: str,
    request: Any,
    result: type[Answer],
    *,
    subject: str,
    update_id: str | None = None,
    within: timedelta = ANSWER_WITHIN,
    starts: Starts | None = None,
) -> Answer:
    """Send an update and return its answer. `starts`: begins a run with it, where there is none.

    Raises Refused, or what else the workflow answered with, and Unreachable where it does not
    answer in time. What Temporal itself says comes as RPCError.
    """
    try:
        id_ = update_id or uuid.uuid4().hex
        answer: Answer
        if starts is None:
            answer = await handle.execute_update(
                name, request, id=id_, result_type=result, rpc_timeout=within
            )
        else:
            client, run = starts
            answer = await client.execute_update_with_start_workflow(
                name,
                request,
                start_workflow_operation=run(),
                id=id_,
                result_type=result,
                rpc_timeout=within,
            )
    except WorkflowUpdateFailedError as error:
        raise _refusal(error) from error
    except WorkflowUpdateRPCTimeoutOrCancelledError as error:
        # The library says so, too, when it is the caller who does not wait any longer.
        if isinstance(error.__cause__, asyncio.CancelledError):
            raise asyncio.CancelledError from error
        raise Unreachable(
            f"{subject} did not answer in time; it may still do so: ask again"
        ) from error
    return answer


def _not_ready(error: Exception) -> bool:
    return isinstance(error, RPCError) and error.status == RPCStatusCode.FAILED_PRECONDITION


class OrderRequests:
    """Sends requests to the workflows of orders, and finds the answers of those that have ended."""

    def __init__(self, pool: Pool, temporal: Client, *, task_queue: str) -> None:
        self._pool = pool
        self._temporal = temporal
        self._task_queue = task_queue

    async def send(
        self, order_id: str, name: str, request: Request, result: type[Answer]
    ) -> Answer:
        """Send a request to an order and return its answer, also of an order that has ended.

        Raises NotFound, Refused, Conflict where the request id was used for other content, and
        Unreachable.
        """
        handle = self._temporal.get_workflow_handle(ids.workflow_id(order_id))
        try:
            return await self._sent(handle, name, request, result, f"order {order_id}")
        except Ending:
            if not _may_come_late(request):
                raise
            await _at_its_end(handle)
            return await self._ended(order_id, name, request, result)
        except RPCError as error:
            if is_missing(error):
                return await self._ended(order_id, name, request, result)
            raise unreachable(error, f"order {order_id}") from error

    async def _sent(
        self,
        handle: WorkflowHandle[Any, Any],
        name: str,
        request: Request,
        result: type[Answer],
        subject: str,
        starts: Starts | None = None,
    ) -> Answer:
        """Send an update until the workflow takes it. The server says so where it did not."""
        update_id = uuid.uuid4().hex
        if getattr(request, "request_id", update_id) is None:
            # The library may send it again, and the order may be in its next run by then: there a
            # request is known by its own id, and no longer by that of the update.
            request = request.model_copy(update={"request_id": update_id})
        async for attempt in retry_context(
            on=_not_ready,
            attempts=NOT_READY_TRIES,
            timeout=None,
            wait_initial=NOT_READY_PAUSE_S,
            wait_exp_base=1,
            wait_jitter=0,
        ):
            with attempt:
                answer = await update(
                    *(handle, name, request, result),
                    subject=subject,
                    update_id=update_id,
                    starts=starts,
                )
        return answer

    async def _ended(
        self, order_id: str, name: str, request: Request, result: type[Answer]
    ) -> Answer:
        """The answer that was given while the order was open, or one of a closed order.

        Raises Refused where there is none.
        """
        request_id = getattr(request, "request_id", None)
        async with self._pool.acquire() as conn:
            summary = await reads.find_summary(conn, order_id)
            kept = await answers.find(conn, order_id, request_id) if request_id else None
        if summary is None:
            raise NotFound(f"there is no order {order_id}; `orderloom orders` lists what is there")
        if kept is not None and not isinstance(request, AttentionAnswer):
            if kept.digest != digest_of(request):
                raise Conflict(f"request {request_id} was made before with other content")
            return TypeAdapter(result).validate_python(kept.outcome)
        if summary.decision in ("received", "confirmed"):
            raise Unreachable(
                f"order {order_id} has no workflow in Temporal: where it was just placed, a worker "
                f"starts one within seconds, so try again; else `orderloom resume {order_id}` does"
            )
        closed = summary.decision == "closed"
        if closed and _may_come_late(request):
            return await self._late(order_id, name, request, result)
        but = ", but for a late return (--late)" if closed and name == "return_items" else ""
        raise Refused(
            f"order {order_id} is {summary.state} since {summary.decided_at:%Y-%m-%d %H:%M %Z}"
            f"{f' ({summary.reason})' if summary.reason else ''}; nothing can be changed{but}"
        )

    async def _late(
        self, order_id: str, name: str, request: Request, result: type[Answer]
    ) -> Answer:
        """Have a closed order meet a request, in a run of its own."""
        async with self._pool.acquire() as conn:
            standing = (await open_orders.of_ids(conn, [order_id]))[order_id]
        starts = self._temporal, partial(late_run, self._task_queue, standing.start)
        handle = self._temporal.get_workflow_handle(ids.workflow_id(order_id))
        try:
            async for attempt in retry_context(
                on=Ending, attempts=LATE_TRIES, timeout=None, wait_initial=0, wait_jitter=0
            ):
                with attempt:
                    if attempt.num > 1:
                        await _at_its_end(handle)
                    answer = await self._sent(
                        handle, name, request, result, f"order {order_id}", starts
                    )
        except RPCError as error:
            raise unreachable(error, f"order {order_id}") from error
        return answer


def _may_come_late(request: object) -> bool:
    """Whether a closed order takes it, too."""
    return isinstance(request, RefundRequest) or (
        isinstance(request, ReturnRequest) and request.late
    )


async def _at_its_end(handle: WorkflowHandle[Any, Any]) -> None:
    """Wait until the workflow has ended, for some seconds at most."""
    with suppress(TimeoutError, WorkflowFailureError):
        await asyncio.wait_for(handle.result(), ENDS_WITHIN_S)


def is_missing(error: Exception) -> bool:
    """Whether Temporal says that there is no such workflow, or none that runs."""
    return isinstance(error, RPCError) and error.status == RPCStatusCode.NOT_FOUND


def unreachable(error: RPCError, subject: str = "") -> Unreachable:
    """Temporal's silence as an error of ours, or that the workflow of `subject` cannot answer."""
    if _not_ready(error) and _TASK_FAILS in error.message:
        return Unreachable(
            f"{subject} cannot go on: its workflow fails. Nothing is lost, and it goes on when the "
            "cause is mended; `orderloom attention` tells it. Ask again after that"
        )
    return Unreachable(
        f"Temporal does not answer ({error.message}); nothing is lost: try again when it does"
    )


def _refusal(error: WorkflowUpdateFailedError) -> OrderloomError:
    """The refusal that the workflow answered with, as the error it was there."""
    cause = error.cause
    if isinstance(cause, ApplicationError):
        if cause.type == errors.InvalidInput.kind:
            return errors.InvalidInput(cause.message)
        return _KINDS.get(cause.type or "", Refused)(cause.message)
    return Refused(str(cause))


async def answered(asked: Awaitable[T], *, again: str) -> T:
    """Wait for an order's answer. Raises Unreachable if none comes; `again` says how to repeat."""
    try:
        return await asyncio.wait_for(asked, ANSWER_SECONDS_MAX)
    except TimeoutError:
        raise Unreachable(
            f"the order did not answer within {ANSWER_SECONDS_MAX:.0f} s: is a worker running, or "
            "does it wait for a person (`orderloom attention`)? It may still do what was asked; "
            f"{again}"
        ) from None
