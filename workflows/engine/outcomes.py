"""The four ways in which a step ends. The code that runs a step matches them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, Literal, TypeAlias, TypeVar

from temporalio.exceptions import ActivityError, ApplicationError, FailureError
from temporalio.exceptions import TimeoutError as ActivityTimeout

T = TypeVar("T")


@dataclass(frozen=True)
class Done(Generic[T]):
    """The step had its effect."""

    result: T


@dataclass(frozen=True)
class Refused:
    """A firm no from a rule or a company: nothing was done. `kind` is the error's stable type.

    `charged`: but that one of several tenders had been charged, in minor units. `reason` and
    `instead`: as the errors of `domain.errors` have them.
    """

    kind: str
    message: str
    charged: int = 0
    reason: str = ""
    instead: tuple[str, ...] = ()


@dataclass(frozen=True)
class ByOperator:
    """After a firm no, an operator had it done another way: by hand, or as store credit."""

    action: Literal["done", "store_credit"]
    note: str


@dataclass(frozen=True)
class Abandoned:
    """The step ended without its effect: an operator gave it up, or nobody needs it any more."""

    message: str = "given up by an operator"


Outcome: TypeAlias = Done[T] | Refused | ByOperator | Abandoned

Stopped = Refused | Abandoned
"""What keeps the next step from being run."""


STEP_FAILURES = (ActivityError, ApplicationError, ActivityTimeout)
"""How a step fails. A local activity's error comes as it was raised, any other's in an
ActivityError. One that ran out of time comes in one at first, and bare when the history is read
again (seen with temporalio 1.35): a workflow that knew only the first would never go on."""


def refusal_of(error: FailureError) -> Refused | None:
    """The firm refusal in a step's failure, or None where the outcome is open."""
    cause = error.cause if isinstance(error, ActivityError) else error
    if isinstance(cause, ApplicationError) and cause.non_retryable and cause.type:
        details = cause.details[0] if cause.details and isinstance(cause.details[0], dict) else {}
        return Refused(
            cause.type,
            cause.message,
            details.get("charged", 0),
            details.get("reason", ""),
            tuple(details.get("instead", ())),
        )
    return None


def why(error: FailureError) -> str:
    """Why something failed, in the words of what failed first."""
    innermost: BaseException = error
    while innermost.__cause__ is not None:
        innermost = innermost.__cause__
    if isinstance(innermost, ActivityTimeout):  # its last failure, if any, is not handed on
        return "it kept failing or did not answer; the worker's log says why"
    return innermost.message if isinstance(innermost, ApplicationError) else str(innermost)
