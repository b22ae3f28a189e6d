"""What can be counted of an order without a clock: events, bytes, actions, statements.

Orders are taken through their life without hurry, so that every wait is a real one.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from benchmarks.bill import actions_usd, billable_actions, history_bytes, storage_usd
from benchmarks.contestants.protocol import Contestant, Pace
from benchmarks.figures import median
from benchmarks.server_log import statements
from benchmarks.venue import AS_SHIPPED, Stage, Venue

UNHURRIED = Pace(think_s=0.5)

_IDLE_S = 3.0
_MILLION = 1e6


class Census(BaseModel):
    """Counts for one order: medians of a sample. Costs are for a million orders in a month."""

    model_config = ConfigDict(frozen=True)

    events_per_order: int
    history_bytes_per_order: int
    actions_per_order: int
    round_trips_per_order: float | None
    """To PostgreSQL, without the looks that the benchmark takes. None: it has no database."""
    actions_usd_per_million_orders: float
    storage_usd_per_million_orders: float


async def count(venue: Venue, contestant: Contestant, *, orders: int) -> Census:
    """Take some orders through their life, and count."""
    async with venue.stage(contestant, AS_SHIPPED, UNHURRIED, log_statements=True) as stage:
        idle_per_s = await _idle(venue.postgres_log) if contestant.has_effects else 0.0
        trips = _Trips(venue.postgres_log)
        clock = asyncio.get_running_loop()
        began = clock.time()
        ids = await live(stage, orders)
        seconds = clock.time() - began
        histories = [
            list((await stage.client.get_workflow_handle(one).fetch_history()).events)
            for one in ids
        ]
    events = round(median(map(len, histories)))
    size = round(median(map(history_bytes, histories)))
    queries = contestant.queries_per_order
    actions = round(median(billable_actions(history, queries=queries) for history in histories))
    per_order = (trips.so_far() - idle_per_s * seconds) / orders
    return Census(
        events_per_order=events,
        history_bytes_per_order=size,
        actions_per_order=actions,
        round_trips_per_order=round(per_order, 1) if contestant.has_effects else None,
        actions_usd_per_million_orders=round(actions_usd(actions * _MILLION), 2),
        storage_usd_per_million_orders=round(storage_usd(size, _MILLION), 2),
    )


async def live(stage: Stage, orders: int) -> list[str]:
    """Take so many orders through their life, all at once. Returns their workflows' ids."""

    async def one() -> str:
        workflow_id = await stage.player.place(next(stage.numbers))
        await stage.player.finish(workflow_id)
        return workflow_id

    return await asyncio.gather(*(one() for _ in range(orders)))


class _Trips:
    """Round trips since this was made."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._from = log.stat().st_size

    def so_far(self) -> int:
        with self._log.open("rb") as file:
            file.seek(self._from)
            return statements(file.read()).total()


async def _idle(log: Path) -> float:
    """Round trips a second of a worker that has nothing to do."""
    trips = _Trips(log)
    await asyncio.sleep(_IDLE_S)
    return trips.so_far() / _IDLE_S
