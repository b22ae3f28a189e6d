"""The table of a contest, for the terminal and for a page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from rich.console import Console
from rich.table import Table

from benchmarks import reach
from benchmarks.bill import OPEN_DAYS, PRICES_FROM, RETAINED_DAYS
from benchmarks.results import Entry, OpenLoad, Results

Figure = Callable[[Entry], str]

_NONE = "–"


def _mb(size: float) -> str:
    return f"{size / 1e6:.0f}"


ROWS: dict[str, Figure] = {
    "orders/s, placed to closed": lambda e: f"{e.cost.orders_per_s:.1f}",
    "of each round": lambda e: " ".join(f"{rate:.1f}" for rate in e.rounds),
    "CPU ms per order, worker": lambda e: f"{e.cost.worker_cpu_ms:.1f}",
    "CPU ms per order, Temporal": lambda e: f"{e.cost.temporal_cpu_ms:.1f}",
    "CPU ms per order, PostgreSQL": lambda e: f"{e.cost.postgres_cpu_ms:.1f}",
    "CPU ms per order, load generator": lambda e: f"{e.cost.generator_cpu_ms:.1f}",
    "cores busy": lambda e: f"{e.cost.cores_busy:.2f}",
    "peak memory, worker, MB": lambda e: _mb(e.cost.worker_memory),
    "peak memory, Temporal, MB": lambda e: _mb(e.cost.temporal_memory),
    "peak memory, PostgreSQL, MB": lambda e: _mb(e.cost.postgres_memory),
    "history events per order": lambda e: f"{e.census.events_per_order}",
    "history bytes per order": lambda e: f"{e.census.history_bytes_per_order:,}",
    "billable actions per order": lambda e: f"{e.census.actions_per_order}",
    "actions of a million orders, USD": lambda e: f"{e.census.actions_usd_per_million_orders:,.0f}",
    "storage of a million orders, USD": lambda e: f"{e.census.storage_usd_per_million_orders:,.0f}",
    "database round trips per order": lambda e: (
        _NONE if e.census.round_trips_per_order is None else f"{e.census.round_trips_per_order:.0f}"
    ),
    "WAL bytes per order": lambda e: (
        _NONE if e.census.round_trips_per_order is None else f"{e.cost.wal_bytes:,.0f}"
    ),
}


def rows(results: Results) -> Iterator[list[str]]:
    """Each row of the big table: what it is, and the figure of each contestant."""
    for name, figure in ROWS.items():
        yield [name, *(figure(entry) for entry in results.entries.values())]
    ratios = {name: results.ratios.get(f"vs_{name}") for name in results.entries}
    yield [
        "Orderloom, times as many orders/s",
        *("" if times is None else f"{times:.2f} ×" for times in ratios.values()),
    ]


def load_rows(results: Results) -> Iterator[list[str]]:
    """Each row of the open loop's table."""
    for name, entry in results.entries.items():
        for load in entry.open_loop:
            yield [name, *_load_row(load)]


LOAD_HEADINGS = (
    *("open loop", "of saturation", "orders/s", "placed"),
    *("p50, ms", "p99, ms", "late", "dropped"),
)


def notes(results: Results) -> list[str]:
    """What has to be known to read the tables."""
    plan = results.plan
    return [
        f"{results.at:%Y-%m-%d}, {results.machine.sentence()}.",
        f"Medians of {plan.rounds} rounds, contestants in turn, {plan.in_flight} orders in flight.",
        f"Prices: {PRICES_FROM}; an order open for {OPEN_DAYS} days and kept for {RETAINED_DAYS}.",
    ]


def show(results: Results, console: Console) -> None:
    """All tables at a terminal."""
    for headings, body in _tables(results):
        table = Table(*headings)
        for column in table.columns[1:]:
            column.justify = "right"
        for row in body:
            table.add_row(*row)
        console.print(table)
    for note in notes(results):
        console.print(note)


def markdown(results: Results) -> str:
    """All tables for a page."""
    parts = []
    for headings, body in _tables(results):
        lines = [_line(headings), _line(["---", *("--:" for _ in headings[1:])])]
        parts.append("\n".join([*lines, *map(_line, body)]))
    return "\n\n".join([*parts, "\n".join(notes(results))])


def _tables(results: Results) -> Iterator[tuple[Sequence[str], Iterator[list[str]]]]:
    yield ["closed loop", *results.entries], rows(results)
    yield LOAD_HEADINGS, load_rows(results)
    yield reach.HEADINGS, iter(reach.rows(reach.goals(results)))


def _load_row(load: OpenLoad) -> list[str]:
    return [
        f"{load.share:.0%}",
        f"{load.orders_per_s:.1f}",
        f"{load.placed}",
        f"{load.p50_ms:.0f}",
        f"{load.p99_ms:.0f}",
        f"{load.late}",
        f"{load.dropped}",
    ]


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
