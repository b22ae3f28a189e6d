"""Load: orders in a closed loop (so many at a time), and in an open loop (so many a second)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from temporalio.service import RPCError

from benchmarks.contestants.protocol import Player
from benchmarks.meters import Groups, Reading, read
from domain.errors import OrderloomError, Unreachable
from store.database import DatabaseFault, Pool

GENERATION_S_MAX = 90.0
"""As many orders as are in flight are closed within this, in seconds, or something is wrong."""

LATE_S = 0.1
"""An order that the generator started so long after its time is counted as late."""


@dataclass(frozen=True)
class Window:
    """What happened while it was measured."""

    closed: int
    seconds: float
    before: Reading
    after: Reading


async def closed_loop(
    player: Player,
    numbers: Iterator[int],
    *,
    in_flight: int,
    seconds: float,
    groups: Groups,
    pool: Pool | None,
) -> Window:
    """Keep `in_flight` orders under way; measured is what closes in `seconds`, in full swing.

    The first orders walk in step, so the measuring begins when as many as are in flight are closed,
    and does not end before as many again. Raises Unreachable when that takes too long.
    """
    closed = 0
    stop = asyncio.Event()
    clock = asyncio.get_running_loop()

    async def lane() -> None:
        nonlocal closed
        while not stop.is_set():
            await player.finish(await player.place(next(numbers)))
            closed += 1

    async def generation(since: int) -> None:
        deadline = clock.time() + GENERATION_S_MAX
        while closed < since + in_flight:
            if clock.time() > deadline:
                raise Unreachable(
                    f"of {in_flight} orders {closed - since} were closed within "
                    f"{GENERATION_S_MAX:.0f} s: try with fewer in flight"
                )
            await asyncio.sleep(0.05)

    async with _ending() as limit, asyncio.TaskGroup() as group:
        for _ in range(in_flight):
            group.create_task(lane())
        try:
            await generation(0)
            before, closed_before, began = await read(groups, pool), closed, clock.time()
            await asyncio.gather(asyncio.sleep(seconds), generation(closed_before))
            window = Window(
                closed=closed - closed_before,
                seconds=clock.time() - began,
                before=before,
                after=await read(groups, pool),
            )
        finally:
            stop.set()
        limit.reschedule(clock.time() + GENERATION_S_MAX)
    return window


@asynccontextmanager
async def _ending() -> AsyncIterator[asyncio.Timeout]:
    """A limit that is set when there is nothing left to do but wait. Raises Unreachable."""
    try:
        async with asyncio.timeout(None) as limit:
            yield limit
    except TimeoutError:
        raise Unreachable(
            f"the last orders did not come to their end within {GENERATION_S_MAX:.0f} s: "
            "is the machine busy with something else?"
        ) from None


@dataclass
class Arrivals:
    """What became of the orders of an open loop. Latencies in seconds, from the scheduled time."""

    latencies_s: list[float] = field(default_factory=list)
    late: int = 0
    dropped: int = 0


def schedule(rate: float, seconds: float) -> list[float]:
    """When each order is due, in seconds from the beginning: evenly, `rate` a second."""
    return [number / rate for number in range(max(1, round(rate * seconds)))]


async def open_loop(
    player: Player,
    numbers: Iterator[int],
    due: list[float],
    *,
    under_way_max: int,
    say: Callable[[str], Any],
) -> Arrivals:
    """Place each order when it is due, whatever became of those before it.

    An order that is due while `under_way_max` are under way is dropped, and so is one that fails.
    """
    arrivals = Arrivals()
    clock = asyncio.get_running_loop()
    began = clock.time()
    under_way = 0

    async def live(scheduled: float) -> None:
        nonlocal under_way
        if clock.time() - scheduled > LATE_S:
            arrivals.late += 1
        try:
            placed = await player.place(next(numbers))
            arrivals.latencies_s.append(clock.time() - scheduled)
            await player.finish(placed)
        except (OrderloomError, RPCError, *DatabaseFault) as error:
            arrivals.dropped += 1
            say(f"dropped: {error}")
        finally:
            under_way -= 1

    async with _ending() as limit, asyncio.TaskGroup() as group:
        for offset in due:
            await asyncio.sleep(max(0.0, began + offset - clock.time()))
            if under_way >= under_way_max:
                arrivals.dropped += 1
                continue
            under_way += 1
            group.create_task(live(began + offset))
        limit.reschedule(clock.time() + GENERATION_S_MAX)
    return arrivals
