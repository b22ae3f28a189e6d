"""The choice of shelves: the fewest units missing, then the least weight. Pure arithmetic.

Choosing shelves that together hold the wanted units is set cover with quantities, and no method is
fast in every case. Branch and bound is exact if it ends by itself, as it does for orders of twenty
lines and twenty locations. If there are too many choices to examine, it begins with the fullest
shelves and answers with the best choice that it found.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from typing import Final

EFFORT_MAX: Final = 400_000
"""Items examined over all choices together: some tenths of a second."""

SHELVES_MAX: Final = 60
"""If there are more shelves, only the fullest are examined."""

Weight = tuple[int, ...]

_Found = tuple[
    int, Weight, tuple[int, ...]
]  # Units missing, weight, indexes: the least is the best.


@dataclass(frozen=True)
class Choice:
    """Indexes of the chosen shelves. Not `exact`: cut short, so there may be a better choice."""

    chosen: tuple[int, ...]
    exact: bool


def cover(
    wanted: Sequence[int],
    shelves: Sequence[Sequence[int]],
    weights: Sequence[Weight],
    *,
    at_most: int,
    owners: Sequence[int] | None = None,
    effort_max: int = EFFORT_MAX,
) -> Choice:
    """Choose shelves that leave the fewest of `wanted` units missing, and of those the lightest.

    Shelf i holds `shelves[i][k]` units of item k and weighs `weights[i]`, numbers of zero or more:
    the weights of the chosen add up, and the first number counts most. Among equals, the earlier
    shelves win. At most `at_most` shelves are chosen, and at most one of each owner (`owners[i]`;
    left out: each has its own).
    """

    def rank(i: int) -> tuple[int, Weight, int]:
        return -sum(map(min, wanted, shelves[i])), weights[i], i

    if not shelves:
        return Choice((), exact=True)
    owners = range(len(shelves)) if owners is None else owners
    field = sorted(range(len(shelves)), key=rank)
    quick = _fullest_first(wanted, shelves, owners, field, at_most)
    if len(field) == 1:  # The usual case: one shelf, and nothing to compare.
        return Choice(tuple(quick[1]), exact=True)
    if len(quick[1]) > SHELVES_MAX:
        return Choice(tuple(sorted(quick[1])), exact=False)
    if len(field) > SHELVES_MAX:
        field = [*quick[1], *(i for i in field if i not in quick[1])][:SHELVES_MAX]
    search = _Search(shelves, weights, owners, field, at_most, effort_max)
    search.best = (quick[0], search.weigh(quick[1]), tuple(sorted(quick[1])))
    search.look(0, list(wanted), (), search.nothing)
    whole = len(field) == len(shelves) and search.effort <= effort_max
    return Choice(search.best[2], exact=whole)


def _fullest_first(
    wanted: Sequence[int],
    shelves: Sequence[Sequence[int]],
    owners: Sequence[int],
    field: Sequence[int],
    at_most: int,
) -> tuple[int, list[int]]:
    """Take the shelf that serves most of the rest, repeatedly: (units missing, chosen indexes)."""
    left, chosen, field = list(wanted), list[int](), list(field)
    while field and len(chosen) < at_most:
        i = max(field, key=lambda i: sum(map(min, left, shelves[i])))
        rest = _without(left, shelves[i])
        if rest == left:
            break
        left = rest
        field = [j for j in field if owners[j] != owners[i]]
        chosen.append(i)
    return sum(left), chosen


def _without(wanted: Sequence[int], shelf: Sequence[int]) -> list[int]:
    return [max(0, units - held) for units, held in zip(wanted, shelf, strict=True)]


class _Search:
    """Takes or leaves one shelf after the other, while that can still lead to the best choice."""

    def __init__(
        self,
        shelves: Sequence[Sequence[int]],
        weights: Sequence[Weight],
        owners: Sequence[int],
        field: Sequence[int],
        at_most: int,
        effort_max: int,
    ) -> None:
        self.shelves = shelves
        self.weights = weights
        self.owners = owners
        self.field = field
        self.at_most = at_most
        self.effort_max = effort_max
        self.effort = 0
        self.items = len(shelves[0])
        self.nothing: Weight = (0,) * len(weights[0])
        self.best: _Found = (0, (), ())
        self.limits = cache(self._limits)

    def look(self, place: int, wanted: list[int], chosen: tuple[int, ...], weight: Weight) -> None:
        """Weigh the present choice with these wanted units left, and go on from this place."""
        self.effort += 1 + len(wanted)
        if self.effort > self.effort_max:
            return
        missing = sum(wanted)
        self.best = min(self.best, (missing, weight, tuple(sorted(chosen))))
        room = min(self.at_most - len(chosen), len(self.field) - place)
        fewest, at_least = self._at_best(place, wanted, weight, room)
        if fewest == missing or (fewest, at_least) > self.best[:2]:
            return
        i = self.field[place]
        left = _without(wanted, self.shelves[i])
        if left != wanted and all(self.owners[j] != self.owners[i] for j in chosen):
            self.look(place + 1, left, (*chosen, i), _sum(weight, self.weights[i]))
        self.look(place + 1, wanted, chosen, weight)

    def weigh(self, chosen: Iterable[int]) -> Weight:
        """The weight of these shelves together."""
        total = self.nothing
        for i in chosen:
            total = _sum(total, self.weights[i])
        return total

    def _at_best(
        self, place: int, wanted: Sequence[int], weight: Weight, room: int
    ) -> tuple[int, Weight]:
        """The fewest missing units from this place on, and the least weight for that."""
        fullest, lightest = self.limits(place)
        missing, more = 0, 0
        for units, sums in zip(wanted, fullest, strict=True):
            served = min(units, sums[room])
            missing += units - served
            while sums[more] < served:
                more += 1
        return missing, _sum(weight, [sums[more] for sums in lightest])

    def _limits(self, place: int) -> tuple[list[list[int]], list[list[int]]]:
        """The most that 1, 2, 3 … shelves from this place on hold, and the least they weigh.

        For items, the sums of the fullest shelves; for weights, the sums of the lightest.
        """
        left = self.field[place:]
        held = [[self.shelves[i][k] for i in left] for k in range(self.items)]
        weights = [[self.weights[i][w] for i in left] for w in range(len(self.nothing))]
        return (
            [[0, *accumulate(sorted(units, reverse=True))] for units in held],
            [[0, *accumulate(sorted(each))] for each in weights],
        )


def _sum(one: Sequence[int], other: Sequence[int]) -> Weight:
    return tuple(a + b for a, b in zip(one, other, strict=True))
