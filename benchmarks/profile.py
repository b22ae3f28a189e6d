"""Where the time of one order goes: who uses the processor, who waits, and what the worker does.

The worker's Python is sampled by py-spy; what its threads of the SDK's Rust core do is not Python,
and is the part of its CPU that the samples leave over.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from benchmarks.contestants.outside import PAUSES
from benchmarks.contestants.protocol import Contestant, Pace
from benchmarks.measuring import Cost, measure
from benchmarks.options import WorkerOptions
from benchmarks.venue import venue

FILE: Final = "worker-{name}.folded"

# Whose work a stack is: the first of these that a frame belongs to, from the innermost on. So what
# is written to a socket is the work of whoever writes.
PARTS: Final = {
    "asyncpg": "PostgreSQL client (asyncpg)",
    "aiosql": "named queries (aiosql)",
    "temporalio": "Temporal SDK, its Python part",
    "google": "Temporal SDK, its Python part",
    "pydantic": "validation and JSON (pydantic)",
    "json": "validation and JSON (pydantic)",
    "store": "Orderloom: store",
    "activities": "Orderloom: activities",
    "workflows": "Orderloom: workflows",
    "domain": "Orderloom: domain",
}

# Where a thread waits that the sampler takes for busy, and where a worker is only starting.
_WAITING: Final = ("EpollSelector.select ", "KqueueSelector.select ", "_worker (concurrent")
_STARTING: Final = "importlib"


async def profile(
    console: Console, contestant: Contestant, *, in_flight: int, seconds: float, output: Path
) -> list[str]:
    """Take the profile, print it and keep its samples. Returns what the audit found."""
    output.mkdir(parents=True, exist_ok=True)
    file = output / FILE.format(name=contestant.name)
    async with venue() as here:
        await here.prepare([contestant])
        one_by_one = await measure(here, contestant, in_flight=1, seconds=seconds)
        in_a_crowd = await measure(here, contestant, in_flight=in_flight, seconds=seconds)
        sampled = await measure(
            here,
            contestant,
            in_flight=in_flight,
            seconds=seconds,
            options=WorkerOptions(profile=file.absolute()),
        )
        found = await here.audit()
    console.print(_order_table(one_by_one, in_a_crowd, in_flight))
    console.print(_worker_table(shares(file.read_text(encoding="utf-8").splitlines()), in_a_crowd))
    console.print(f"sampled at {sampled.orders_per_s:.1f} orders/s")
    console.print(f"written, for any flame graph: {file}", soft_wrap=True)
    return found


def shares(folded: Iterable[str]) -> dict[str, float]:
    """Whose work the samples were, as shares of all work.

    Lines are `outermost;…;innermost count`, where a frame is `function (folder/file.py:line)`.
    """
    counts: Counter[str] = Counter()
    for line in folded:
        stack, _, count = line.rpartition(" ")
        *_, innermost = frames = stack.split(";")
        if innermost and not innermost.startswith(_WAITING) and _STARTING not in stack:
            counts[_whose(frames)] += int(count)
    total = counts.total()
    return {part: count / total for part, count in counts.most_common()}


def _whose(stack: list[str]) -> str:
    for frame in reversed(stack):
        package = frame.rpartition("(")[2].split("/")[0]
        if part := PARTS.get(package):
            return part
    return "event loop, and the rest"


def _order_table(alone: Cost, crowd: Cost, in_flight: int) -> Table:
    pace = Pace()
    played = 1000 * (PAUSES * pace.think_s + pace.return_window.total_seconds())
    table = Table("one order, ms", "one at a time", f"{in_flight} in flight")
    columns = [times(alone, 1, played), times(crowd, in_flight, played)]
    for name in columns[0]:
        table.add_row(name, *(f"{column[name]:.0f}" for column in columns))
    return table


def times(cost: Cost, in_flight: int, played: float) -> dict[str, float]:
    """What an order's way from placed to closed consists of, in milliseconds."""
    way = 1000 * in_flight / cost.orders_per_s
    cpu = {
        "CPU: worker": cost.worker_cpu_ms,
        "CPU: Temporal": cost.temporal_cpu_ms,
        "CPU: PostgreSQL": cost.postgres_cpu_ms,
        "CPU: generator": cost.generator_cpu_ms,
    }
    return {
        "placed to closed": way,
        "people, carrier and return window, as played": played,
        **cpu,
        "the rest: waiting, less what ran side by side": way - played - sum(cpu.values()),
    }


def _worker_table(parts: dict[str, float], cost: Cost) -> Table:
    table = Table("the worker's Python", "share of its work", "at most, ms per order")
    for part, share in parts.items():
        table.add_row(part, f"{share:.0%}", f"{share * cost.worker_cpu_ms:.0f}")
    return table
