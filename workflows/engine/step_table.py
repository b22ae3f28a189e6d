"""The table of a workflow's steps: what each one does, and what undoes it, or why nothing does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

Activity = Callable[..., Any]


@dataclass(frozen=True)
class Step:
    """One step: its activity, and the activity that undoes it; or `because`, why nothing does.

    `by_hand`: the undo is at a company, where a person can do it instead.
    """

    do: Activity
    undo: Activity | None = None
    by_hand: bool = False
    because: str = ""

    def __post_init__(self) -> None:
        if (self.undo is None) != bool(self.because):
            raise ValueError(f"{self.name} has either an undo, or the reason why it has none")

    @property
    def name(self) -> str:
        return self.do.__name__


class StepTable:
    """All steps that a workflow may run. The executor takes each step, and its undo, from here."""

    def __init__(self, *steps: Step) -> None:
        self._steps = {step.name: step for step in steps}
        self._undos = {step.undo.__name__ for step in steps if step.undo is not None}

    def __iter__(self) -> Iterator[Step]:
        return iter(self._steps.values())

    def check(self, do: Activity) -> None:
        """Raises LookupError for an activity that is neither a step nor an undo of one."""
        if do.__name__ not in self._steps and do.__name__ not in self._undos:
            raise LookupError(f"{do.__name__} is not in the table of steps")

    def step(self, do: Activity) -> Step:
        """The row of a step. Raises LookupError where there is none."""
        self.check(do)
        return self._steps[do.__name__]

    def to_undo(self, begun: Iterable[str]) -> list[Step]:
        """Of steps that have begun, by name, those to undo: last step first, each undo once.

        A step that began may or may not have had its effect; every undo tolerates that it had none.
        """
        names, found = set(begun), dict[str, Step]()
        for step in reversed(self._steps.values()):
            if step.name in names and step.undo is not None:
                found.setdefault(step.undo.__name__, step)
        return list(found.values())
