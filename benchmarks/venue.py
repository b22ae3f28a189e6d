"""Where the contest takes place: a stack of its own, and a stage for one contestant at a time."""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from benchmarks.contestants.protocol import ClientSide, Contestant, Pace, Player
from benchmarks.crew import Post
from benchmarks.goods import fill_shelf
from benchmarks.heralds import Herald, hearing
from benchmarks.meters import Groups
from benchmarks.options import WorkerOptions
from domain.errors import Unreachable
from starter.audit import audit
from starter.stack.postgres import PostgresServer, embedded_postgres
from starter.stack.temporal import TemporalServer, embedded_temporal
from store.database import Pool, open_pool
from store.migrate import migrate

AS_SHIPPED: Final = WorkerOptions()
ROOT: Final = Path(__file__).parents[1]

_READY_WITHIN_S: Final = 60.0
_STOPS_WITHIN_S: Final = 60.0
_CONNECTIONS: Final = 20
_WATCHING: Final = 4


@dataclass(frozen=True)
class Stage:
    """A contestant that is ready to be played."""

    player: Player
    numbers: Iterator[int]
    groups: Groups
    client: Client
    watch: Pool | None
    """Connections of the benchmark's own to the contestant's database, if it has one."""


class Venue:
    """A running stack, with a database for each contestant that writes to one."""

    def __init__(
        self,
        home: Path,
        postgres: PostgresServer,
        temporal: TemporalServer,
        herald: Herald,
        herald_socket: Path,
    ) -> None:
        self.postgres_log = home / "logs" / "postgres.log"
        self._home = home
        self._postgres = postgres
        self._temporal = temporal
        self._herald = herald
        self._herald_socket = herald_socket
        self._numbers = itertools.count(1)
        self._databases: dict[str, str] = {}

    async def client(self) -> Client:
        """A client of the stack's Temporal."""
        return await Client.connect(self._temporal.address, data_converter=pydantic_data_converter)

    async def prepare(self, contestants: Sequence[Contestant]) -> None:
        """Give each contestant with effects a migrated database with full shelves."""
        for contestant in contestants:
            if not contestant.has_effects or contestant.name in self._databases:
                continue
            url = await self._postgres.create_database(f"bench_{contestant.name}")
            await migrate(url)
            pool = await open_pool(url)
            await fill_shelf(pool)
            await pool.close()
            self._databases[contestant.name] = url

    @asynccontextmanager
    async def stage(
        self,
        contestant: Contestant,
        options: WorkerOptions = AS_SHIPPED,
        pace: Pace | None = None,
        *,
        log_statements: bool = False,
    ) -> AsyncIterator[Stage]:
        """The contestant with its worker processes, until the block ends.

        `log_statements` has PostgreSQL write every statement of the contestant to its log.
        """
        url = self._databases.get(contestant.name)
        pool = watch = None
        async with AsyncExitStack() as stack:
            client = await self.client()
            if url is not None:
                watch = await open_pool(url, size_max=_WATCHING)
                stack.push_async_callback(watch.close)
                if log_statements:
                    url += "&log_statement=all"
                pool = await open_pool(url, size_max=_CONNECTIONS)
                stack.push_async_callback(pool.close)
            post = Post(
                contestant=contestant.name,
                temporal_address=self._temporal.address,
                database_url=url,
                task_queue=contestant.name,
                herald=self._herald_socket,
                options=options,
            )
            workers = await stack.enter_async_context(self._crew(post))
            side = ClientSide(
                client=client,
                pool=pool,
                watch=watch,
                task_queue=contestant.name,
                pace=pace or Pace(),
                herald=self._herald,
            )
            yield Stage(
                player=contestant.player(side),
                numbers=self._numbers,
                groups={
                    "worker": workers,
                    "temporal": _pids(self._temporal.program.pid),
                    "postgres": _pids(self._postgres.program.pid),
                },
                client=client,
                watch=watch,
            )

    @asynccontextmanager
    async def watching(self, contestant: Contestant) -> AsyncIterator[Pool]:
        """Connections of the benchmark's own to a contestant's database."""
        pool = await open_pool(self._databases[contestant.name], size_max=_WATCHING)
        try:
            yield pool
        finally:
            await pool.close()

    async def audit(self) -> list[str]:
        """What the audit of every contestant's database finds, a line each; nothing when clean."""
        client = await self.client()
        found = []
        for name, url in self._databases.items():
            pool = await open_pool(url)
            try:
                report = await audit(pool, client, task_queue=name)
            finally:
                await pool.close()
            found += [
                f"{name}: {item.rule}: {item.subject}: {item.message}" for item in report.violations
            ]
        return found

    @asynccontextmanager
    async def _crew(self, post: Post) -> AsyncIterator[list[int]]:
        log = self._home / "logs" / f"worker-{post.contestant}.log"
        processes = []
        try:
            for _ in range(post.options.processes):
                with log.open("ab") as stderr:
                    process = await asyncio.create_subprocess_exec(
                        *(sys.executable, "-m", "benchmarks.crew", post.model_dump_json()),
                        stdin=subprocess.PIPE,
                        stdout=subprocess.PIPE,
                        stderr=stderr,
                        env=_environment(post.options),
                    )
                processes.append(process)
            for process in processes:
                await _ready(process, log)
            yield [process.pid for process in processes]
        finally:
            await asyncio.gather(*map(_stop, processes))


@asynccontextmanager
async def venue() -> AsyncIterator[Venue]:
    """A stack with the settings that Orderloom ships, in a temporary folder of its own."""
    async with AsyncExitStack() as stack:
        home = stack.enter_context(_temporary_folder())
        postgres = await stack.enter_async_context(embedded_postgres(home))
        temporal = await stack.enter_async_context(embedded_temporal(home))
        socket = home / "herald"
        herald = await stack.enter_async_context(hearing(socket))
        yield Venue(home, postgres, temporal, herald, socket)


async def _ready(process: asyncio.subprocess.Process, log: Path) -> None:
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), _READY_WITHIN_S)
    except TimeoutError:
        line = b""
    if line.strip() != b"ready":
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
        raise Unreachable(f"a worker did not get ready. The end of its log:\n{tail}")


async def _stop(process: asyncio.subprocess.Process) -> None:
    assert process.stdin is not None
    process.stdin.close()
    try:
        await asyncio.wait_for(process.wait(), _STOPS_WITHIN_S)
    except TimeoutError:
        process.kill()
        await process.wait()


def _environment(options: WorkerOptions) -> dict[str, str]:
    # What is set for other workers of this shell is not to be measured.
    ours = ("ORDERLOOM_", "TEMPORAL_", "DATABASE_URL")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    quiet = {"PYTHONPATH": str(ROOT), "ORDERLOOM_LOG_LEVEL": "warning"}
    return {**kept, **quiet, **options.environment}


def _pids(pid: int | None) -> list[int]:
    return [] if pid is None else [pid]


@contextmanager
def _temporary_folder() -> Iterator[Path]:
    # Not ignoring errors: what is left behind is to be noticed.
    folder = Path(tempfile.mkdtemp(prefix="orderloom-bench-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)
