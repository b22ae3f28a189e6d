"""Kits: SKUs that are sold as one and kept in stock as their parts. Pure arithmetic.

A kit is put together at one location. Where several wanted things share a part, a shelf can be
divided between them in several ways: more of the one or more of the other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import prod
from typing import Annotated, Final, TypeAlias

from pydantic import Field

from domain.fields import Document, Sku

UNITS_MAX: Final = 100_000
"""The most units of one part in one kit."""

WAYS_MAX: Final = 64
"""The most ways to divide one shelf.

If there are more, those that favour one thing are examined first.
"""

Parts: TypeAlias = Mapping[str, int]
"""The stock that one unit takes: SKU → units. A SKU that is no kit takes one of itself."""

Way: TypeAlias = tuple[int, ...]
"""Units of each wanted thing."""


class Kit(Document):
    """A kit's SKU, and its parts (SKU → units of one kit)."""

    sku: Sku
    parts: dict[Sku, Annotated[int, Field(strict=True, ge=1, le=UNITS_MAX)]]

    def __str__(self) -> str:
        """2 × TEA + 1 × CUP"""
        return " + ".join(f"{units} × {part}" for part, units in self.parts.items())


def could_make(parts: Parts, shelf: Parts) -> int:
    """The number of kits that a shelf (SKU → units) has parts for; negative units count as zero."""
    return min(max(0, shelf.get(part, 0)) // units for part, units in parts.items())


class Dividing:
    """Divides shelves between wanted things that may share parts."""

    def __init__(self, wanted: Iterable[tuple[int, Parts]]) -> None:
        """`wanted`: pairs of a number of units and the parts that one unit takes."""
        self._wanted = list(wanted)
        uses = Counter(part for _, parts in self._wanted for part in parts)
        self._shared = [part for part, users in uses.items() if users > 1]

    def ways(self, shelf: Parts) -> tuple[list[Way], bool]:
        """The ways in which a shelf can serve them, without those that another way beats.

        The way that serves most of the first thing comes first. False: there were too many, and
        some are left out.
        """
        alone = [min(units, could_make(parts, shelf)) for units, parts in self._wanted]
        short = [p for p in self._shared if self._taken(p, enumerate(alone)) > shelf.get(p, 0)]
        if not short:
            return [tuple(alone)], True
        rivals = [
            k
            for k, (_, parts) in enumerate(self._wanted)
            if alone[k] and not parts.keys().isdisjoint(short)
        ]
        # The one that could get the most is not tried with every number: it gets the rest.
        rivals.sort(key=alone.__getitem__)
        left = {part: shelf[part] for part in short}
        every = prod(alone[k] + 1 for k in rivals[:-1]) <= WAYS_MAX
        queues = [rivals] if every else [[k, *(o for o in rivals if o != k)] for k in rivals]
        ways = {
            tuple(given.get(k, units) for k, units in enumerate(alone))
            for queue in queues
            for given in self._shares(queue, alone, left, every=every)
        }
        best = [
            way
            for way in ways
            if not any(way != other and all(map(int.__le__, way, other)) for other in ways)
        ]
        return sorted(best, reverse=True), every

    def _shares(
        self, queue: Sequence[int], alone: Sequence[int], left: Parts, *, every: bool
    ) -> Iterator[dict[int, int]]:
        """The shares of each thing in the queue: as much as possible, or `every` number."""
        if not queue:
            yield {}
            return
        k, *others = queue
        parts = {part: units for part, units in self._wanted[k][1].items() if part in left}
        most = min(alone[k], could_make(parts, left))
        for units in range(most + 1) if every and others else (most,):
            rest = {part: n - units * parts.get(part, 0) for part, n in left.items()}
            for given in self._shares(others, alone, rest, every=every):
                yield {k: units, **given}

    def _taken(self, part: str, way: Iterable[tuple[int, int]]) -> int:
        return sum(units * self._wanted[k][1].get(part, 0) for k, units in way)
