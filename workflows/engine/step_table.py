"""The table of a workflow's steps: what each one does, and what undoes it, or why nothing does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

Activity = Callable[..., Any]


@dataclass(frozen=True)
class State:
    """How far a step has come that the outside completes, and the activity that undoes this much.

    `by_hand`: the undo is at a company, where a person can do it instead.
    """

    name: str
    undo: Activity
    by_hand: bool = False


@dataclass(frozen=True)
class Step:
    """One step: its activity, and the activity that undoes it; or `because`, why nothing does.

    A step that the outside completes may have an undo for each of its `states` instead, in their
    sequence. `by_hand`: the undo is at a company, where a person can do it instead.
    """

    do: Activity
    undo: Activity | None = None
    by_hand: bool = False
    because: str = ""
    states: tuple[State, ...] = ()

    def __post_init__(self) -> None:
        if [self.undo is not None, bool(self.states), bool(self.because)].count(True) != 1:
            raise ValueError(f"{self.name} has either an undo, or the reason why it has none")

    @property
    def name(self) -> str:
        return self.do.__name__


class StepTable:
    """All steps that a workflow may run. The executor takes each step, and its undo, from here."""

    def __init__(self, *steps: Step) -> None:
        self._steps = {step.name: step for step in steps}
        undos = [step.undo for step in steps if step.undo is not None]
        undos += [state.undo for step in steps for state in step.states]
        self.undos = tuple(dict.fromkeys(undo.__name__ for undo in undos))
        """The names of all undos."""

    def __iter__(self) -> Iterator[Step]:
        return iter(self._steps.values())

    def check(self, do: Activity) -> None:
        """Raises LookupError for an activity that is neither a step nor an undo of one."""
        if do.__name__ not in self._steps and do.__name__ not in self.undos:
            raise LookupError(f"{do.__name__} is not in the table of steps")

    def step(self, do: Activity) -> Step:
        """The row of a step. Raises LookupError where there is none."""
        self.check(do)
        return self._steps[do.__name__]

    def to_undo(self, do: Activity, reached: str, back_to: str = "") -> list[State]:
        """What undoes a step that has come to this state: last state first, each undo once.

        `back_to`: it stays in this earlier state. Nothing where the state is before all that has an
        undo.
        """
        states = self.step(do).states
        names = [state.name for state in states]
        passed = states[: names.index(reached) + 1] if reached in names else ()
        passed = passed[names.index(back_to) + 1 :] if back_to else passed
        return list({state.undo: state for state in reversed(passed)}.values())
