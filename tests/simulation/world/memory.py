"""What the world remembers: effects by their key, and reports for steps that wait."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final, Literal, TypeVar

from temporalio.exceptions import ApplicationError

from domain import ids
from domain.orders.continuation import Decision

T = TypeVar("T")

BEGAN: Final = datetime(2026, 11, 28, 9, tzinfo=UTC)


class Pending(Exception):
    """The activity waits: somebody outside completes it."""


class Memory:
    """One order's effects, and the reports that its steps wait for."""

    def __init__(
        self,
        reported: Callable[[str], None],
        told: Callable[[str, Any], None] = lambda _, __: None,
        packed: Callable[[str], None] = lambda _: None,
        now: Callable[[], datetime] = lambda: BEGAN,
    ) -> None:
        self._reported = reported  # tells whoever looks after waiting steps
        self._told = told  # the same, with what the step is to answer
        self.packed = packed  # has a waiting step run once more
        self.now = now
        self._effects: dict[str, Any] = {}
        self.reports: dict[str, Any] = {}
        """By activity id, as the outside wrote them; the first report of a step stands."""
        self.broken: list[str] = []
        """What was asked for in a moment in which it must not be."""
        self.done: list[dict[str, Any]] = []
        """What was done for requests: effects and the data of their stories, as rows have them."""
        self.decision: Decision | Literal[""] = ""
        """confirmed, rejected, cancelled or closed, as the order's row has it."""
        self.version = 1
        """Of the order, as edits count them."""
        self.reopened = ""
        """It is closed, and something that came late is done for it, since this opening."""
        self.reason = ""
        """Why, if it has ended."""
        self.cancelled: list[tuple[str, str]] = []
        """Who cancelled something of it, and why, the latest last."""

    def once(self, key: str, act: Callable[[], T]) -> T:
        """Do it, or answer as it was answered before."""
        if key not in self._effects:
            self._effects[key] = act()
        done: T = self._effects[key]
        return done

    def knows(self, key: str) -> bool:
        """It was done before."""
        return key in self._effects

    def settled(self, effect: str, turn: str) -> Any:
        """What was done, or was told in this turn where nothing was done. None: it is open."""
        return self._effects.get(effect, self._effects.get(f"nothing:{turn}:{effect}"))

    def nothing(self, effect: str, turn: str, answer: T) -> T:
        """An answer of which nothing came: a late attempt of this turn gives it as well."""
        self._effects[f"nothing:{turn}:{effect}"] = answer
        return answer

    def report(self, step: str, part_id: str, outcome: Any) -> None:
        """The outside says what became of a step that waits, or will."""
        activity_id = ids.wait_id(step, part_id)
        self.reports.setdefault(activity_id, outcome)
        self._reported(activity_id)

    def report_anew(self, part_id: str, outcome: Any) -> None:
        """What is true now of a fulfilment takes the place of what was reported of it before."""
        activity_id = ids.sending_id(part_id)
        self.reports[activity_id] = outcome
        self._told(activity_id, outcome)

    def report_or_wait(self, step: str, part_id: str) -> Any:
        """The report, if it is there. Raises Pending."""
        activity_id = ids.wait_id(step, part_id)
        if activity_id not in self.reports:
            raise Pending(activity_id)
        return self.reports[activity_id]


def refusal(kind: str, message: str, **details: Any) -> ApplicationError:
    """A firm no, as an activity raises it."""
    return ApplicationError(message, details, type=kind, non_retryable=True)


DECLINED: Final = "declined"
