"""Queues and latency: what waits for workers, and how quickly the servers answer.

Each server may be away: what it would have told is None then, and the answer comes in time.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from temporalio.client import Client
from temporalio.service import RPCError

from domain.errors import Unreachable
from runtime.task_queues import Backlog, backlog_of
from store.database import Pool
from store.days import queues
from store.days.queues import SIZE_MAX, Connections, Sizes, Waits

__all__ = ["SIZE_MAX", "Backlog", "Connections", "Look", "Queues", "Sizes", "Waits"]

WITHIN: Final = timedelta(seconds=0.5)
"""Somebody waits for the page."""


@dataclass(frozen=True)
class Look:
    """How things are now. None: the server did not tell in time.

    `round_trip_us`: of a question to PostgreSQL, in microseconds. `connections`: of this program.
    """

    waits: Waits | None
    sizes: Sizes | None
    round_trip_us: int | None
    connections: Connections
    backlog: Backlog | None


class Queues:
    """Asks PostgreSQL and Temporal at the same time."""

    def __init__(self, pool: Pool, temporal: Client | None, task_queue: str) -> None:
        """`temporal`: None where nobody is connected to it."""
        self._pool = pool
        self._temporal = temporal
        self._task_queue = task_queue

    async def look(self, within: timedelta = WITHIN) -> Look:
        """Ask both, and wait for no answer longer than this."""
        told, backlog = await asyncio.gather(self._database(within), self._backlog(within))
        waits, sizes, round_trip_us = told or (None, None, None)
        return Look(waits, sizes, round_trip_us, queues.connections(self._pool), backlog)

    async def _database(self, within: timedelta) -> tuple[Waits, Sizes, int] | None:
        try:
            async with asyncio.timeout(within.total_seconds()), self._pool.acquire() as conn:
                took = await queues.round_trip_us(conn)
                return await queues.waits(conn), await queues.sizes(conn), took
        except (TimeoutError, Unreachable):
            return None

    async def _backlog(self, within: timedelta) -> Backlog | None:
        if self._temporal is None:
            return None
        try:
            async with asyncio.timeout(within.total_seconds()):
                return await backlog_of(self._temporal, self._task_queue, within)
        except (TimeoutError, RPCError, RuntimeError):
            return None
