"""What came of the ways to claim stock: medians, ratios, and the table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from benchmarks import reach
from benchmarks.claims import Alone, Claims, ForUpdate, Together
from benchmarks.figures import median, ratio
from benchmarks.hot_stock import HOT, UNIFORM, Load, Plan, Run

AIM_TIMES: Final = 8.0
"""On the hot SKU, as many orders a second as the textbook's times this."""

AIM_OF_UNIFORM: Final = 0.9
"""On the hot SKU, as many orders a second as on a uniform demand times this."""

_CLOSED: Final = (
    *("closed loop", "way", "orders/s", "of each round", "×", "p50, ms", "p99, ms"),
    *("CPU ms, PostgreSQL", "client", "oversold"),
)
_OPEN: Final = (
    *("open loop", "way", "orders/s", "p50, ms", "p99, ms", "in a rush, orders/s"),
    *("p50, ms", "p99, ms"),
)


def summarized(runs: Sequence[Run]) -> list[Run]:
    """One run for each way and demand: medians of the rounds, and all that was oversold."""
    found = dict.fromkeys((run.demand, run.way) for run in runs)
    return [_middle([run for run in runs if (run.demand, run.way) == key]) for key in found]


def _middle(rounds: Sequence[Run]) -> Run:
    def load(loads: Sequence[Load]) -> Load:
        return Load.model_validate(
            {name: median(getattr(one, name) for one in loads) for name in Load.model_fields}
        )

    figures = ("orders_per_s", "p50_ms", "p99_ms", "postgres_cpu_ms", "client_cpu_ms")
    return rounds[0].model_copy(
        update={
            **{name: median(getattr(run, name) for run in rounds) for name in figures},
            "low": load([run.low for run in rounds]),
            "rush": load([run.rush for run in rounds]),
            "oversold": sum(run.oversold for run in rounds),
        }
    )


def ratios(runs: Sequence[Run]) -> dict[str, float]:
    """What the aims are about: medians of the ratios of each round, whose runs are neighbours.

    Those of which nothing was measured are left out.
    """

    def of(way: type[Claims], demand: str) -> list[Run]:
        return [run for run in runs if (run.way, run.demand) == (way.name, demand)]

    def pairs(figure: Callable[[Run], float], others: list[Run]) -> list[tuple[float, float]]:
        return [(figure(one), figure(other)) for one, other in zip(ours, others, strict=False)]

    ours = of(Together, HOT)
    found = {
        "hot_vs_select_for_update": pairs(lambda run: run.orders_per_s, of(ForUpdate, HOT)),
        "hot_vs_uniform": pairs(lambda run: run.orders_per_s, of(Together, UNIFORM)),
        "low_load_p50_vs_alone": pairs(lambda run: run.low.p50_ms, of(Alone, HOT)),
        "low_load_p99_vs_alone": pairs(lambda run: run.low.p99_ms, of(Alone, HOT)),
    }
    return {name: median(ratio(*pair) for pair in some) for name, some in found.items() if some}


def goals(runs: Sequence[Run]) -> list[reach.Goal]:
    """The aims that this run has measured, and the figures that it reached."""
    found = ratios(runs)
    aims = {
        "hot_vs_select_for_update": ("hot SKU ÷ FOR UPDATE, orders/s", AIM_TIMES),
        "hot_vs_uniform": ("hot SKU ÷ uniform, orders/s", AIM_OF_UNIFORM),
    }
    return [
        reach.Goal(what, aim, found[name]) for name, (what, aim) in aims.items() if name in found
    ]


def document(runs: Sequence[Run], plan: Plan) -> dict[str, Any]:
    """What `--json` prints: the medians, every round, the ratios and what was oversold."""
    return {
        "plan": plan.model_dump(),
        "ratios": ratios(runs),
        "oversold": sum(run.oversold for run in runs),
        "medians": [run.model_dump() for run in summarized(runs)],
        "rounds": [run.model_dump() for run in runs],
    }


def closed_rows(runs: Sequence[Run]) -> list[list[str]]:
    """By demand and way: what was claimed, and what it cost."""
    middles = summarized(runs)
    first = {run.demand: run.orders_per_s for run in middles if run.way == ForUpdate.name}
    return [
        [
            run.demand,
            run.way,
            f"{run.orders_per_s:.0f}",
            " ".join(
                f"{one.orders_per_s:.0f}"
                for one in runs
                if (one.demand, one.way) == (run.demand, run.way)
            ),
            f"{ratio(run.orders_per_s, first.get(run.demand, 0)):.2f}",
            f"{run.p50_ms:.0f}",
            f"{run.p99_ms:.0f}",
            f"{run.postgres_cpu_ms:.2f}",
            f"{run.client_cpu_ms:.2f}",
            f"{run.oversold}",
        ]
        for run in middles
    ]


def open_rows(runs: Sequence[Run]) -> list[list[str]]:
    """By demand and way: how long an order waited, counted from when it was due."""
    return [
        [
            run.demand,
            run.way,
            f"{run.low.orders_per_s:.0f}",
            f"{run.low.p50_ms:.1f}",
            f"{run.low.p99_ms:.1f}",
            f"{run.rush.orders_per_s:.0f}",
            f"{run.rush.p50_ms:.0f}",
            f"{run.rush.p99_ms:.0f}",
        ]
        for run in summarized(runs)
    ]


def notes(runs: Sequence[Run], plan: Plan) -> list[str]:
    """The cost of batching where nobody waits, and how to read the tables."""
    lines = [
        f"{name.replace('_', ' ')}: {value:.2f}{_AT_LOW_LOAD[name]}"
        for name, value in ratios(runs).items()
        if name in _AT_LOW_LOAD
    ]
    lines.append(
        f"Medians of {plan.rounds} rounds of {plan.seconds:g} s, ways in turn; closed loop: "
        f"{plan.in_flight} orders in flight, {plan.connections} connections. In a rush, "
        f"{plan.rush:g} times as many orders arrive as {ForUpdate.name} reaches."
    )
    return lines


_AT_LOW_LOAD: Final = {
    "low_load_p50_vs_alone": " (aim: about 1 or less)",
    "low_load_p99_vs_alone": "",
}


def show(runs: Sequence[Run], plan: Plan, console: Console) -> None:
    """The tables and what is said of them, at a terminal."""
    for headings, body in _tables(runs):
        table = Table(*headings)
        for column in table.columns[2:]:
            column.justify = "right"
        before = body[0][0]
        for row in body:
            if row[0] != before:
                table.add_section()
            before = row[0]
            table.add_row(*row)
        console.print(table)
    for note in notes(runs, plan):
        console.print(note)


def markdown(runs: Sequence[Run], plan: Plan) -> str:
    """The same for a page."""
    parts = []
    for headings, body in _tables(runs):
        rows = [headings, ["---", "---", *("--:" for _ in headings[2:])], *body]
        parts.append("\n".join(f"| {' | '.join(cells)} |" for cells in rows))
    return "\n\n".join([*parts, "\n".join(notes(runs, plan))])


def _tables(runs: Sequence[Run]) -> list[tuple[Sequence[str], list[list[str]]]]:
    reached = reach.rows(goals(runs))
    return [
        (_CLOSED, closed_rows(runs)),
        (_OPEN, open_rows(runs)),
        *([(reach.HEADINGS, reached)] if reached else []),
    ]
