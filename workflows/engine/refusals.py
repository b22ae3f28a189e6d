"""Saying no to a message: an application error with the domain's stable type, and the reason."""

from __future__ import annotations

from collections.abc import Sequence

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.payments.contracts import Refusal
    from domain.errors import InvalidInput, OrderloomError, Refused


def refuse(error: OrderloomError) -> ApplicationError:
    """The error as it reaches the caller of an update."""
    return refusal(error.kind, str(error), reason=error.reason, instead=error.instead)


def refusal(
    kind: str, message: str, *, reason: str = "", instead: Sequence[str] = ()
) -> ApplicationError:
    """A refusal that a step has answered with, as it reaches the caller of an update."""
    details = {"reason": reason, "instead": list(instead)}
    return ApplicationError(message, details, type=kind, non_retryable=True)


def refused(message: str, *, reason: str = "", instead: Sequence[str] = ()) -> ApplicationError:
    """A rule says no: which one (`reason`), and what can be asked for `instead`."""
    return refuse(Refused(message, reason=reason, instead=instead))


def reason_of(error: ApplicationError) -> str:
    """Which rule says no, as a code; "": the error names none."""
    said = error.details[0] if error.details else None
    return str(said.get("reason", "")) if isinstance(said, dict) else ""


def raise_refusal(no: Refusal | None) -> None:
    """Raises what a step has answered, where that is a no."""
    if no is not None:
        raise ApplicationError(
            no.message,
            {"reason": no.reason, "instead": list(no.instead)},
            type=no.kind,
            non_retryable=True,
        )


def invalid_line(index: int, message: str) -> ApplicationError:
    """A line of a request that cannot be meant for this order."""
    return refuse(InvalidInput(message, where=f"lines[{index}]"))
