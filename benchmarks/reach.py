"""What was aimed at, and what one run reached of it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.figures import ratio
from benchmarks.results import Entry, Results

HEADINGS: Final = ("reach", "aim", "reached", "")

HALF: Final = 0.5
"""The share of saturation at which placing is to take about as long for everybody."""


@dataclass(frozen=True)
class Goal:
    """One figure beside its aim: a bound from above (`at_most`), or from below."""

    what: str
    aim: float
    reached: float
    at_most: bool = False

    @property
    def met(self) -> bool:
        return self.reached <= self.aim if self.at_most else self.reached >= self.aim

    def row(self) -> list[str]:
        """As it stands in the table."""
        aim = f"{'≤' if self.at_most else '≥'} {self.aim:g}"
        return [self.what, aim, f"{self.reached:.4g}", "reached" if self.met else "not reached"]


def goals(results: Results) -> list[Goal]:
    """Every aim of an order's cost that this run has a figure for."""
    return [goal for goal in _goals(results) if not math.isnan(goal.reached)]


def rows(reached: Sequence[Goal]) -> list[list[str]]:
    return [goal.row() for goal in reached]


def _goals(results: Results) -> Iterator[Goal]:
    ours = results.entries["orderloom"]
    census, cost = ours.census, ours.cost
    cpu_ms = cost.worker_cpu_ms + cost.temporal_cpu_ms + cost.postgres_cpu_ms
    yield Goal("events per plain order", 36, census.events_per_order, at_most=True)
    yield Goal("billable actions per plain order", 8, census.actions_per_order, at_most=True)
    if census.round_trips_per_order is not None:
        yield Goal("round trips per order", 45, census.round_trips_per_order, at_most=True)
    yield Goal("WAL per order, KB", 25, cost.wal_bytes / 1000, at_most=True)
    yield Goal("CPU of worker + Temporal + PostgreSQL, ms per order", 110, cpu_ms, at_most=True)
    yield Goal("orders/s ÷ textbook", 3, results.ratios.get("vs_textbook", math.nan))
    yield Goal("orders/s ÷ floor", 0.8, results.ratios.get("vs_floor", math.nan))
    yield Goal("placement p99 ÷ p50 at half load", 2.5, _tail(ours), at_most=True)


def _tail(entry: Entry) -> float:
    loads = [load for load in entry.open_loop if load.share == HALF]
    return ratio(loads[0].p99_ms, loads[0].p50_ms) if loads else math.nan
