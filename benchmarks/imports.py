"""Web orders beside an import: how much longer does placing one take?"""

from __future__ import annotations

import argparse
import asyncio
import os
import shlex
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

from benchmarks.contestants.orderloom import Orderloom
from benchmarks.figures import median, percentile, ratio
from benchmarks.goods import an_order
from benchmarks.loops import Arrivals, open_loop, schedule
from benchmarks.venue import ROOT, Stage, temporary_folder, venue
from domain.errors import Unreachable
from store.database import Pool
from store.views import lists, reads

_BEGINS_WITHIN_S: Final = 120.0
_STOPS_WITHIN_S: Final = 60.0
_UNDER_WAY_MAX: Final = 256
_DECIDED_WITHIN_S: Final = 120.0


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument("--orders", type=int, default=100_000, help="in each imported file")
    parser.add_argument("--options", default="", help="of `orderloom place`")
    parser.add_argument("--rate", type=float, default=1.5, help="web orders a second")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument(
        "--settle-seconds", type=float, default=10, help="from the first imported order"
    )


async def disturb(
    console: Console,
    *,
    orders: int,
    options: str,
    rate: float,
    rounds: int,
    seconds: float,
    settle_seconds: float,
) -> list[str]:
    """Place web orders at a rate, alone and beside `orderloom place` with a file of many, in turn.

    `options` are further ones of that command. The import runs for `settle_seconds` before the
    first of these web orders.
    Returns what the audit found.
    """
    contestant = Orderloom()
    alone: list[Arrivals] = []
    beside: list[Arrivals] = []
    imported: list[float] = []
    with temporary_folder() as home:
        async with venue() as here:
            await here.prepare([contestant])
            async with here.stage(contestant) as stage:

                async def web_orders() -> Arrivals:
                    return await open_loop(
                        stage.player,
                        stage.numbers,
                        schedule(rate, seconds),
                        under_way_max=_UNDER_WAY_MAX,
                        say=console.print,
                    )

                for number in range(1, rounds + 1):
                    alone.append(await web_orders())
                    file = _write(home / f"import-{number}.jsonl", orders)
                    async with _importing(stage, file, options) as so_far:
                        await asyncio.sleep(settle_seconds)
                        before, began = so_far(), time.monotonic()
                        beside.append(await web_orders())
                        imported.append((so_far() - before) / (time.monotonic() - began))
                    console.print(f"round {number}: {imported[-1]:.1f} orders/s imported")
                async with here.watching(contestant) as pool:
                    await _all_decided(pool)
            found = await here.audit()
    console.print(_table(alone, beside))
    console.print(f"imported beside them: {median(imported):.1f} orders/s")
    return found


async def _all_decided(pool: Pool) -> None:
    """Until every order is decided: of a stopped import, the workers start the last ones."""
    try:
        async with asyncio.timeout(_DECIDED_WITHIN_S):
            while await _undecided(pool):
                await asyncio.sleep(0.2)
    except TimeoutError as error:
        raise Unreachable(f"orders are undecided after {_DECIDED_WITHIN_S:.0f} s") from error


async def _undecided(pool: Pool) -> list[reads.OrderSummary]:
    async with pool.acquire() as conn:
        return list(await lists.summaries(conn, state="received", at_most=1))


def _write(file: Path, orders: int) -> Path:
    """A file of so many orders, named after it."""
    order = an_order(Orderloom.name, 1)
    with file.open("w", encoding="utf-8") as lines:
        for number in range(orders):
            update = {"channel": "marketplace", "channel_order_id": f"{file.stem}-{number}"}
            lines.write(order.model_copy(update=update).model_dump_json() + "\n")
    return file


@asynccontextmanager
async def _importing(stage: Stage, file: Path, options: str) -> AsyncIterator[Callable[[], int]]:
    """Inside, `orderloom place` places the orders of the file; then it is stopped.

    Yields how to ask for the number of orders that are confirmed so far.
    """
    answers = file.with_suffix(".log")
    with answers.open("wb") as log:
        placing = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "starter.cli", "place", str(file), "--no-progress"),
            *shlex.split(options),
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
            env={
                **os.environ,
                "TEMPORAL_ADDRESS": stage.post.temporal_address,
                "DATABASE_URL": str(stage.post.database_url),
                "ORDERLOOM_TASK_QUEUE": stage.post.task_queue,
            },
        )

    def so_far() -> int:
        return answers.read_text(errors="replace", encoding="utf-8").count("confirmed")

    try:
        async with asyncio.timeout(_BEGINS_WITHIN_S):
            while not so_far():
                if placing.returncode is not None:
                    raise Unreachable(f"the import ended with exit code {placing.returncode}")
                await asyncio.sleep(0.5)
        yield so_far
    finally:
        if placing.returncode is None:
            placing.terminate()
        await asyncio.wait_for(placing.wait(), _STOPS_WITHIN_S)


def _table(alone: list[Arrivals], beside: list[Arrivals]) -> Table:
    table = Table("web orders", "placed", "p50, ms", "p99, ms", "late", "dropped")
    for name, rounds in (("alone", alone), ("beside an import", beside)):
        table.add_row(
            name,
            str(sum(len(one.latencies_s) for one in rounds)),
            *(f"{_middle(rounds, share):.0f}" for share in (0.5, 0.99)),
            str(sum(one.late for one in rounds)),
            str(sum(one.dropped for one in rounds)),
        )
    times = (ratio(_middle(beside, share), _middle(alone, share)) for share in (0.5, 0.99))
    table.add_row("times as long", "", *(f"{one:.2f} ×" for one in times), "", "")
    return table


def _middle(rounds: list[Arrivals], share: float) -> float:
    """The rounds' median of a percentile, in milliseconds."""
    return 1000 * median(percentile(one.latencies_s, share) for one in rounds)
