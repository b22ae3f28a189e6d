"""Two settings of one contestant against each other: interleaved pairs, medians, ratios."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.console import Console
from rich.table import Table

from benchmarks.contestants.protocol import Contestant
from benchmarks.figures import median, ratio
from benchmarks.measuring import Cost, measure, median_cost
from benchmarks.options import WorkerOptions
from benchmarks.venue import venue

_ROWS: dict[str, Callable[[Cost], float]] = {
    "orders/s": lambda cost: cost.orders_per_s,
    "worker CPU, ms per order": lambda cost: cost.worker_cpu_ms,
    "Temporal CPU, ms per order": lambda cost: cost.temporal_cpu_ms,
    "PostgreSQL CPU, ms per order": lambda cost: cost.postgres_cpu_ms,
    "worker memory, MB": lambda cost: cost.worker_memory / 1e6,
    "cores busy": lambda cost: cost.cores_busy,
}


async def tune(
    console: Console,
    contestant: Contestant,
    settings: tuple[WorkerOptions, WorkerOptions],
    *,
    rounds: int,
    in_flight: int,
    seconds: float,
) -> list[str]:
    """Compare two settings, A then B and then B then A in turn. Returns what the audit found."""
    costs: tuple[list[Cost], list[Cost]] = ([], [])
    async with venue() as here:
        await here.prepare([contestant])
        for number in range(1, rounds + 1):
            # Whoever comes second finds a larger database: each is second as often.
            for which in (0, 1) if number % 2 else (1, 0):
                cost = await measure(
                    here,
                    contestant,
                    in_flight=in_flight,
                    seconds=seconds,
                    options=settings[which],
                )
                costs[which].append(cost)
                console.print(f"pair {number}, {'AB'[which]}: {cost.orders_per_s:.1f} orders/s")
        found = await here.audit()
    console.print(_table(costs))
    return found


def _table(costs: tuple[Sequence[Cost], Sequence[Cost]]) -> Table:
    table = Table("median", "A", "B", "B / A", "B / A of each pair")
    medians = tuple(map(median_cost, costs))
    for name, figure in _ROWS.items():
        one, other = map(figure, medians)
        pairs = [ratio(figure(b), figure(a)) for a, b in zip(*costs, strict=True)]
        table.add_row(
            name,
            f"{one:.1f}",
            f"{other:.1f}",
            f"{median(pairs):.2f}",
            " ".join(f"{pair:.2f}" for pair in pairs),
        )
    return table
