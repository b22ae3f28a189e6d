"""Updates to workflows: sent, and their refusals as the errors that they were there."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta
from typing import Any, TypeVar

from temporalio.client import (
    WorkflowHandle,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from domain import errors
from domain.errors import Conflict, NotFound, OrderloomError, Refused, Unreachable

Answer = TypeVar("Answer")

_KINDS: dict[str, type[Refused]] = {
    kind.kind: kind for kind in (Refused, Conflict, NotFound, errors.IllegalTransition)
}

ANSWER_WITHIN = timedelta(seconds=60)
"""A workflow is given this long to answer a request; a worker may have to start first."""


async def update(
    handle: WorkflowHandle[Any, Any],
    name: str,
    request: Any,
    result: type[Answer],
    *,
    subject: str,
    update_id: str | None = None,
    within: timedelta = ANSWER_WITHIN,
) -> Answer:
    """Send an update and return its answer.

    Raises Refused, or what else the workflow answered with, and Unreachable where it does not
    answer in time. What Temporal itself says comes as RPCError.
    """
    try:
        answer: Answer = await handle.execute_update(
            name,
            request,
            id=update_id or uuid.uuid4().hex,
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


def unreachable(error: RPCError) -> Unreachable:
    """Temporal's silence as an error of ours."""
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
