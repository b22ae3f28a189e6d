"""How an order meets each kind of request: what may be asked, and what is done about it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from pydantic import BaseModel

    from domain.orders.hold_messages import RejectOutcome
    from domain.orders.messages import CancelOutcome, OrderRequest

Asked = TypeVar("Asked", bound=OrderRequest)
Outcome = TypeVar("Outcome", bound=BaseModel)


@dataclass(frozen=True)
class Meeting(Generic[Asked, Outcome]):
    """How an order meets one kind of request.

    `check` raises where the request cannot be met, as far as is known before it is taken. `act`
    meets it, and looks again. `said_no`: why an answer says no, which the order's story tells where
    it was a signal. `waits`: a signal waits until it can be met, where an update is refused.
    """

    check: Callable[[Asked], None]
    act: Callable[[Asked, str], Awaitable[Outcome]]
    said_no: Callable[[Outcome], str] = lambda outcome: ""
    waits: bool = False


def anything(request: OrderRequest) -> None:
    """Rows say whether it can be met."""
    del request


def unless(met: str) -> Callable[[Any], str]:
    """An answer with another outcome than this says no."""
    return lambda answer: "" if answer.outcome == met else answer.message


def rule_of(outcome: BaseModel) -> str:
    """The rule by which an answer says no, as a code; "": there are several, or it names none."""
    units = outcome.refused if isinstance(outcome, CancelOutcome | RejectOutcome) else ()
    rules = {each.reason for each in units}
    return rules.pop() if len(rules) == 1 else ""
