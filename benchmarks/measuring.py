"""One slot of the contest: a contestant on the stage, measured."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from benchmarks.contestants.protocol import Contestant, Pace
from benchmarks.figures import median
from benchmarks.loops import closed_loop
from benchmarks.meters import watching_memory
from benchmarks.options import WorkerOptions
from benchmarks.venue import AS_SHIPPED, Stage, Venue


class Cost(BaseModel):
    """What an order took in a closed loop. CPU in milliseconds, memory and WAL in bytes."""

    model_config = ConfigDict(frozen=True)

    orders_per_s: float
    worker_cpu_ms: float
    temporal_cpu_ms: float
    postgres_cpu_ms: float
    generator_cpu_ms: float
    worker_memory: int
    temporal_memory: int
    postgres_memory: int
    wal_bytes: float
    cores_busy: float
    """CPU seconds of all of them together, per second."""


async def measure(
    venue: Venue,
    contestant: Contestant,
    *,
    in_flight: int,
    seconds: float,
    options: WorkerOptions = AS_SHIPPED,
    pace: Pace | None = None,
) -> Cost:
    """A closed loop in full swing. Raises Unreachable when orders do not get closed."""
    async with venue.stage(contestant, options, pace) as stage:
        return await measure_on(stage, in_flight=in_flight, seconds=seconds)


async def measure_on(stage: Stage, *, in_flight: int, seconds: float) -> Cost:
    """The same on a stage that is there."""
    async with watching_memory(stage.groups) as peak:
        window = await closed_loop(
            stage.player,
            stage.numbers,
            in_flight=in_flight,
            seconds=seconds,
            groups=stage.groups,
            pool=stage.watch,
        )
    used_s = {
        name: window.after.cpu_s[name] - window.before.cpu_s[name] for name in window.after.cpu_s
    }
    per_order = {name: 1000 * used / window.closed for name, used in used_s.items()}
    return Cost(
        orders_per_s=window.closed / window.seconds,
        worker_cpu_ms=per_order["worker"],
        temporal_cpu_ms=per_order["temporal"],
        postgres_cpu_ms=per_order["postgres"] if stage.watch is not None else 0.0,
        generator_cpu_ms=per_order["generator"],
        worker_memory=peak.memory["worker"],
        temporal_memory=peak.memory["temporal"],
        postgres_memory=peak.memory["postgres"],
        wal_bytes=(window.after.wal_bytes - window.before.wal_bytes) / window.closed,
        cores_busy=sum(used_s.values()) / window.seconds,
    )


def median_cost(costs: Sequence[Cost]) -> Cost:
    """The median of each figure."""
    return Cost.model_validate(
        {name: median(getattr(cost, name) for cost in costs) for name in Cost.model_fields}
    )
