"""The scale beside a chart: round figures, and where on it a figure stands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple


class Scale(NamedTuple):
    """From a round figure to a round figure, in equal steps."""

    low: int
    high: int
    step: int

    def up(self, value: int) -> float:
        """Where a figure stands: 0 at the foot of the picture, 1 at its head."""
        return (value - self.low) / (self.high - self.low)

    def ticks(self) -> Iterator[int]:
        """The figures that are written beside it."""
        yield from range(self.low, self.high + 1, self.step)


def scale_of(low: int, high: int) -> Scale:
    """A scale on which both stand, and zero: with at most six steps."""
    low, high = min(low, 0), max(high, 0)
    wanted = max(1, -(-(high - low) // 4))
    power = 10 ** (len(str(wanted)) - 1)
    step = next(n * power for n in (1, 2, 5, 10) if n * power >= wanted)
    low, high = low // step * step, -(-high // step) * step
    return Scale(low, high if high > low else low + step, step)
