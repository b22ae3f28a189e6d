"""Updates to workflows: sent, and their refusals as the errors that they were there."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Final, NamedTuple, TypeVar

from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowHandle,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
    WorkflowUpdateStage,
)
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from domain import errors
from domain.errors import Conflict, Ending, NotFound, OrderloomError, Refused, Unreachable

Answer = TypeVar("Answer")
Starts = tuple[Client, Callable[[], WithStartWorkflowOperation[Any, Any]]]


class UnderWay(NamedTuple):
    """A request that a workflow has: the id of the update, and of the run that has it."""

    update_id: str
    run_id: str


Taken = Callable[[UnderWay], None]
"""Called once an order has a request, and will meet it or refuse it."""

T = TypeVar("T")

_KINDS: dict[str, type[Refused]] = {
    kind.kind: kind for kind in (Refused, Conflict, NotFound, Ending, errors.IllegalTransition)
}

ANSWER_WITHIN = timedelta(seconds=60)
"""A workflow is given this long to answer a request; a worker may have to start first."""

ANSWER_SECONDS_MAX: Final = 30.0
"""A command waits so long for the answer of an order."""

_TASK_FAILS: Final = "Workflow Task in failed state"
"""So the server says why it takes no update; it has no code of its own for that."""


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
    taken: Taken | None = None,
) -> Answer:
    """Send an update and return its answer. `starts`: begins a run with it, where there is none.

    `taken` is called once the workflow has it: then it is met, whoever waits for the answer.
    Raises Refused, or what else the workflow answered with, and Unreachable where it does not
    answer in time. What Temporal itself says comes as RPCError.
    """
    try:
        id_ = update_id or uuid.uuid4().hex
        answer: Answer
        if starts is None:
            under_way = await handle.start_update(
                name,
                request,
                id=id_,
                result_type=result,
                rpc_timeout=within,
                # The answer comes with it, unless somebody wants to know before.
                wait_for_stage=WorkflowUpdateStage.COMPLETED
                if taken is None
                else WorkflowUpdateStage.ACCEPTED,
            )
            if taken is not None:
                taken(UnderWay(under_way.id, under_way.workflow_run_id or ""))
            answer = await under_way.result(rpc_timeout=within)
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


async def refusal_of(
    handle: WorkflowHandle[Any, Any], request: UnderWay, *, within: timedelta
) -> OrderloomError | None:
    """Why the workflow has refused a request that it had. None: it did not, or not yet.

    Raises Unreachable where Temporal does not answer.
    """
    asked = handle.get_update_handle(request.update_id, workflow_run_id=request.run_id)
    try:
        await asked.result(rpc_timeout=within)
    except WorkflowUpdateFailedError as error:
        return _refusal(error)
    except WorkflowUpdateRPCTimeoutOrCancelledError as error:
        if isinstance(error.__cause__, asyncio.CancelledError):
            raise asyncio.CancelledError from error
    except RPCError as error:
        if not is_missing(error):
            raise unreachable(error) from error
        return Refused("the order has forgotten the request: ask again under the same key")
    return None


def not_ready(error: Exception) -> bool:
    """Whether the workflow was just going over into its next run, and has not taken the message."""
    return isinstance(error, RPCError) and error.status == RPCStatusCode.FAILED_PRECONDITION


def is_missing(error: Exception) -> bool:
    """Whether Temporal says that there is no such workflow, or none that runs."""
    return isinstance(error, RPCError) and error.status == RPCStatusCode.NOT_FOUND


def unreachable(error: RPCError, subject: str = "") -> Unreachable:
    """Temporal's silence as an error of ours, or that the workflow of `subject` cannot answer."""
    if not_ready(error) and _TASK_FAILS in error.message:
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
        details = cause.details[0] if cause.details and isinstance(cause.details[0], dict) else {}
        more = {"reason": details.get("reason", ""), "instead": details.get("instead", ())}
        if cause.type == errors.InvalidInput.kind:
            return errors.InvalidInput(cause.message, **more)
        return _KINDS.get(cause.type or "", Refused)(cause.message, **more)
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
