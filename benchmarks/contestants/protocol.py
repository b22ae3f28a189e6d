"""What every contestant offers: a worker for its own process, and a player for the generator.

The generator plays the shop's customers, its warehouse and its carrier. It takes the same pauses
with each contestant, and starts each order's next step when the contestant says that it may.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

from temporalio.client import Client

from benchmarks.contestants.outside import Ends
from benchmarks.heralds import Herald


@dataclass(frozen=True)
class WorkerSide:
    """What a worker process has at hand. `options` are of `temporalio.worker.Worker`."""

    client: Client
    database_url: str | None
    connections: int | None
    """To the database, at most. None: as the contestant has it."""
    task_queue: str
    options: dict[str, Any]
    herald: Path
    """The socket of the generator's herald."""


@dataclass(frozen=True)
class Pace:
    """How long people take. `think_s`: from one step of an order to the next, in seconds."""

    think_s: float = 0.1
    return_window: timedelta = timedelta(seconds=1)


@dataclass(frozen=True)
class ClientSide:
    """What the generator has at hand.

    `watch_url` is for connections of the benchmark's own, with which it sees how far an order is;
    what they cost the database is not counted as the contestant's.
    """

    client: Client
    database_url: str | None
    watch_url: str | None
    task_queue: str
    pace: Pace
    herald: Herald
    ends: Ends


class Player(Protocol):
    """Plays the outside of one contestant. Safe to share between tasks."""

    async def place(self, number: int) -> str:
        """Place the order with this number, until it is decided. Returns its workflow's id."""
        ...

    async def finish(self, workflow_id: str) -> None:
        """Play warehouse and carrier until the order is delivered and closed."""
        ...


class Contestant(Protocol):
    """One way to run orders."""

    @property
    def name(self) -> str: ...

    @property
    def has_effects(self) -> bool:
        """Whether it writes to a database, which is then audited."""
        ...

    @property
    def queries_per_order(self) -> int:
        """Queries of the workflow that one order takes, which no history shows."""
        ...

    async def furnish(self, database_url: str) -> None:
        """Make its tables and fill its shelves. Nothing happens where that was done before."""
        ...

    async def audit(self, database_url: str, client: Client, task_queue: str) -> list[str]:
        """What is wrong in its books, a line each; nothing when clean."""
        ...

    def working(self, side: WorkerSide) -> AbstractAsyncContextManager[object]:
        """A running worker, until the block ends."""
        ...

    def playing(self, side: ClientSide) -> AbstractAsyncContextManager[Player]:
        """A player, until the block ends."""
        ...
