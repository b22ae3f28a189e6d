"""Chance that a seed decides, and that stays the same when something else is left out.

Every choice has a name of its own, and its own numbers. So a life can be lived again without one of
its mishaps, and everything that the mishap did not touch happens as before: that is what makes a
failing life small.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from random import Random
from typing import TypeVar

T = TypeVar("T")


class Chance:
    """Named choices of one seed. `without`: mishaps and actions that are left out.

    `only`: these happen and nothing else does, however probable it is. So a life that was kept
    stays what it was when odds change, or new things can happen.
    """

    def __init__(
        self,
        seed: int,
        without: frozenset[str] = frozenset(),
        only: frozenset[str] | None = None,
    ) -> None:
        self.seed = seed
        self.without = without
        self.only = only
        self.happened: list[str] = []
        """What was drawn and did happen, in sequence: what shrinking tries to leave out."""
        self.seen: Counter[str] = Counter()
        """How often each kind of thing happened, for the summary of many lives."""

    def of(self, name: str) -> Random:
        """The numbers of this choice."""
        return Random(f"{self.seed}/{name}")

    def happens(self, kind: str, name: str, probability: float) -> bool:
        """Whether this mishap or action happens."""
        key = f"{kind} {name}"
        if self.only is None:
            happens = self.of(key).random() < probability and key not in self.without
        else:
            happens = key in self.only
        if not happens:
            return False
        self.happened.append(key)
        self.seen[kind] += 1
        return True

    def pick(self, name: str, options: Sequence[T], weights: Sequence[float] | None = None) -> T:
        """One of the options."""
        return self.of(name).choices(options, weights)[0]

    def between(self, name: str, least: float, most: float) -> float:
        """A number between these."""
        return self.of(name).uniform(least, most)
