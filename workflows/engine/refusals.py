"""Saying no to a message: an application error with the domain's stable type, and the reason."""

from __future__ import annotations

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from domain.errors import InvalidInput, OrderloomError, Refused


def refuse(error: OrderloomError) -> ApplicationError:
    """The error as it reaches the caller of an update."""
    return ApplicationError(str(error), type=error.kind, non_retryable=True)


def refused(message: str) -> ApplicationError:
    """A rule says no."""
    return refuse(Refused(message))


def invalid_line(index: int, message: str) -> ApplicationError:
    """A line of a request that cannot be meant for this order."""
    return refuse(InvalidInput(message, where=f"lines[{index}]"))
