"""What open orders cost: the same load beside few and beside many that wait to be picked."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from benchmarks.contestants.orderloom import Orderloom
from benchmarks.figures import median, ratio
from benchmarks.goods import an_order
from benchmarks.measuring import Cost, measure_on, median_cost
from benchmarks.meters import Peak
from benchmarks.venue import Stage, temporary_folder, venue
from domain import ids
from runtime.settings import load_settings

_PLACED_AT_ONCE: Final = 48
_ASKED_AT_ONCE: Final = 16
_FULLER: Final = 1.1


@dataclass(frozen=True)
class Level:
    """What was measured with so many orders open."""

    open_orders: int
    placed_per_s: float
    """In bursts of placing alone, with nobody picking."""
    cost: Cost
    worker_memory_full: int
    """Bytes, when the worker has as many orders in memory as its setting lets it."""
    temporal_bytes: int
    postgres_bytes: int
    """On disk."""


async def grow(
    console: Console,
    levels: Sequence[int],
    *,
    rounds: int,
    in_flight: int,
    seconds: float,
    output: Path,
) -> list[str]:
    """Measure at each level, from few to many. Returns what the audit found at the last."""
    found: list[str] = []
    done: list[Level] = []
    number = 1
    with temporary_folder() as home:
        for level in sorted(levels):
            missing = level - (done[-1].open_orders if done else 0)
            number = await _fill(home, missing, number, console)
            measured, number, found = await _measure(
                home, level, number, rounds=rounds, in_flight=in_flight, seconds=seconds
            )
            done.append(measured)
            console.print(f"{level} open: {measured.cost.orders_per_s:.1f} orders/s closed")
    output.mkdir(parents=True, exist_ok=True)
    rows = [{**asdict(one), "cost": one.cost.model_dump()} for one in done]
    (output / "growth.json").write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
    console.print(_table(done))
    return found


async def _fill(home: Path, orders: int, number: int, console: Console) -> int:
    """Place so many orders that nobody picks. Returns the next order's number."""
    async with venue(home, hurried=True, first_number=number) as here:
        await here.prepare([Orderloom()])
        async with here.stage(Orderloom()) as stage:
            left = orders
            while left > 0:
                some = min(left, 1000)
                began = time.monotonic()
                await _place(stage, some)
                left -= some
                console.print(
                    f"{some / (time.monotonic() - began):.0f} orders/s placed, {left} to go"
                )
    return number + orders


async def _place(stage: Stage, orders: int) -> None:
    few_at_once = asyncio.Semaphore(_PLACED_AT_ONCE)

    async def one() -> None:
        async with few_at_once:
            await stage.player.place(next(stage.numbers))

    async with asyncio.TaskGroup() as group:
        for _ in range(orders):
            group.create_task(one())


async def _measure(
    home: Path, level: int, number: int, *, rounds: int, in_flight: int, seconds: float
) -> tuple[Level, int, list[str]]:
    """Returns what was measured, the next order's number, and what the audit found."""
    costs: list[Cost] = []
    placed: list[float] = []
    async with venue(home, first_number=number) as here:
        await here.prepare([Orderloom()])
        async with here.stage(Orderloom()) as stage:
            await _fill_memory(stage, level)
            full = Peak()
            full.look(stage.groups)
            for _ in range(rounds):
                costs.append(await measure_on(stage, in_flight=in_flight, seconds=seconds))
                placed.append(await _burst(stage, in_flight))
            sizes = [_size(home / name) for name in ("temporal.db", "postgres")]
            number = next(stage.numbers)
        found = await here.audit()
    measured = Level(
        open_orders=level,
        placed_per_s=median(placed),
        cost=median_cost(costs),
        worker_memory_full=full.memory["worker"],
        temporal_bytes=sizes[0],
        postgres_bytes=sizes[1],
    )
    return measured, number, found


async def _fill_memory(stage: Stage, level: int) -> None:
    """Ask so many orders how they are that the worker's memory for them is full."""
    few_at_once = asyncio.Semaphore(_ASKED_AT_ONCE)

    async def ask(number: int) -> None:
        order = an_order(Orderloom.name, number)
        async with few_at_once:
            await stage.client.get_workflow_handle(ids.workflow_id(order.order_id)).query("view")

    wanted = min(level, int(load_settings().orders_in_memory * _FULLER))
    async with asyncio.TaskGroup() as group:
        for number in range(1, wanted + 1):
            group.create_task(ask(number))


async def _burst(stage: Stage, orders: int) -> float:
    """How many orders a second are placed, with nothing else to do; the orders stay open."""
    began = time.monotonic()
    await _place(stage, orders)
    return orders / (time.monotonic() - began)


def _size(path: Path) -> int:
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return sum(file.stat().st_size for file in files)


def _table(levels: Sequence[Level]) -> Table:
    table = Table("orders open", *(f"{one.open_orders:,}" for one in levels))
    first = levels[0]
    rows = {
        "closed, orders/s": [f"{one.cost.orders_per_s:.1f}" for one in levels],
        "closed, of the first": [
            f"{ratio(one.cost.orders_per_s, first.cost.orders_per_s):.2f} ×" for one in levels
        ],
        "placed alone, orders/s": [f"{one.placed_per_s:.1f}" for one in levels],
        "placed alone, of the first": [
            f"{ratio(one.placed_per_s, first.placed_per_s):.2f} ×" for one in levels
        ],
        "CPU ms per order, worker": [f"{one.cost.worker_cpu_ms:.0f}" for one in levels],
        "CPU ms per order, Temporal": [f"{one.cost.temporal_cpu_ms:.0f}" for one in levels],
        "CPU ms per order, PostgreSQL": [f"{one.cost.postgres_cpu_ms:.0f}" for one in levels],
        "worker memory when full, MB": [f"{one.worker_memory_full / 1e6:.0f}" for one in levels],
        "peak memory, worker, MB": [f"{one.cost.worker_memory / 1e6:.0f}" for one in levels],
        "peak memory, Temporal, MB": [f"{one.cost.temporal_memory / 1e6:.0f}" for one in levels],
        "peak memory, PostgreSQL, MB": [f"{one.cost.postgres_memory / 1e6:.0f}" for one in levels],
        "Temporal's file, MB": [f"{one.temporal_bytes / 1e6:.0f}" for one in levels],
        "PostgreSQL's folder, MB": [f"{one.postgres_bytes / 1e6:.0f}" for one in levels],
    }
    for name, figures in rows.items():
        table.add_row(name, *figures)
    return table
