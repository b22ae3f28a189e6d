"""A saga's steps as data: what is done, and what undoes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Step:
    """One step: its activity, and the activity that undoes it, or why nothing does."""

    do: Callable[..., Any]
    undo: Callable[..., Any] | None = None
    because: str = ""

    @property
    def name(self) -> str:
        return self.do.__name__


def undos(saga: tuple[Step, ...], begun: list[str]) -> list[Callable[..., Any]]:
    """The undos of the steps that have begun, last step first, each once.

    A step that began may or may not have had its effect; every undo tolerates that it had none.
    """
    found: list[Callable[..., Any]] = []
    for step in reversed(saga):
        if step.name in begun and step.undo is not None and step.undo not in found:
            found.append(step.undo)
    return found
