"""The real servers that tests run on: one PostgreSQL and one Temporal per test process.

They start when the first test asks for them and keep their state in a temporary folder.
"""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Final

from asyncpg import Connection

from starter.stack.postgres import PostgresServer, embedded_postgres
from starter.stack.temporal import TemporalServer, embedded_temporal
from store.migrate import migrate

# A test's data need not survive a power failure.
FAST_POSTGRES: Final = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    # Its folder may be in memory.
    "min_wal_size": "32MB",
    "max_wal_size": "128MB",
}

_FAILURES_TO_MARK: Final = "system.numConsecutiveWorkflowTaskProblemsToTriggerSearchAttribute"
FAST_TEMPORAL: Final = (
    *("--sqlite-pragma", "synchronous=OFF"),
    # Lets a test skip time, where nothing but a workflow's timer is waited for.
    *("--dynamic-config-value", "frontend.WorkflowTimeSkippingEnabled=true"),
    # Every test has a task queue of its own, and not enough to do for four parts of it.
    *("--dynamic-config-value", "matching.numTaskqueueReadPartitions=1"),
    *("--dynamic-config-value", "matching.numTaskqueueWritePartitions=1"),
    # A workflow whose task fails is marked at the second failure: five take most of a minute.
    *("--dynamic-config-value", f"{_FAILURES_TO_MARK}=2"),
)

PROMPT_TIMERS: Final = ("--dynamic-config-value", 'history.timerProcessorMaxTimeShift="10ms"')
"""A timer, and another try of a step, begins when it is due. As it ships, a server takes a second
more, so that its machines' clocks may differ by as much: an order's life had two such seconds."""

_TEMPLATE: Final = "orderloom_template"


def learn_types_once() -> None:
    """Each new connection asks the server what an array of numbers is, which takes it 10 ms.

    The answer is the same in every database of a server, and each test has new connections to one.
    """
    ask = Connection._introspect_types  # type: ignore[attr-defined]  # there is no other door
    learned: dict[tuple[Any, ...], Any] = {}

    async def remembered(connection: Connection, oids: set[int], within: float | None) -> Any:
        asked = (connection._addr, *sorted(oids))  # type: ignore[attr-defined]  # nor here
        if asked not in learned:
            learned[asked] = await ask(connection, oids, within)
        return learned[asked]

    Connection._introspect_types = remembered  # type: ignore[attr-defined]  # as above


_IN_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - only for folders that mkdtemp makes
_ROOM: Final = 2**30
"""A run's folders take some 100 MB for each test process."""


class Databases:
    """Fresh, migrated databases on one server, cloned from a template."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self._numbers = itertools.count(1)

    async def prepare(self) -> None:
        """Make the template that the others are cloned from."""
        await migrate(await self._server.create_database(_TEMPLATE), sandbox=True)

    async def copy(self, name: str, *, of: str | None = _TEMPLATE) -> str:
        """The URL of a new database: a clone of that one, or empty."""
        return await self._server.create_database(name, template=of)

    @asynccontextmanager
    async def fresh(self, of: str = _TEMPLATE, *, empty: bool = False) -> AsyncIterator[str]:
        """The URL of a new database; it is dropped at the end, whoever is still connected.

        `of`: of which it is a clone. `empty`: without our tables.
        """
        name = f"test_{next(self._numbers)}"
        try:
            yield await self.copy(name, of=None if empty else of)
        finally:
            await self._server.drop_database(name)


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder with a short path: a server's socket lives in it. In memory where there is room.

    On a disk, the hundreds of small files of each new database cost a test more than all it does.
    """
    roomy = _IN_MEMORY.is_dir() and shutil.disk_usage(_IN_MEMORY).free >= _ROOM
    folder = Path(tempfile.mkdtemp(prefix="orderloom-test-", dir=_IN_MEMORY if roomy else None))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@asynccontextmanager
async def running_postgres() -> AsyncIterator[PostgresServer]:
    """A fast PostgreSQL in a temporary folder."""
    with temporary_folder() as folder:
        async with embedded_postgres(folder, settings=FAST_POSTGRES) as server:
            yield server


@asynccontextmanager
async def running_temporal(
    *options: str, timers: Sequence[str] = PROMPT_TIMERS
) -> AsyncIterator[TemporalServer]:
    """A Temporal in a temporary folder, able to skip time; `options` of its command line.

    `timers`: empty, they are as late as on a server that nobody has told otherwise.
    """
    with temporary_folder() as folder:
        told = (*FAST_TEMPORAL, *timers, *options)
        async with embedded_temporal(folder, options=told) as server:
            yield server
