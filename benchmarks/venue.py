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
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from benchmarks.contestants.outside import Ends
from benchmarks.contestants.protocol import ClientSide, Contestant, Pace, Player
from benchmarks.crew import Post
from benchmarks.heralds import Herald, hearing
from benchmarks.meters import Groups
from benchmarks.options import WorkerOptions
from domain.errors import Refused, Unreachable
from starter.stack.postgres import PostgresServer, embedded_postgres
from starter.stack.temporal import TemporalServer, embedded_temporal
from store.database import Pool, open_pool

AS_SHIPPED: Final = WorkerOptions()
ROOT: Final = Path(__file__).parents[1]

_READY_WITHIN_S: Final = 60.0
_STOPS_WITHIN_S: Final = 60.0
_NO_SYNC: Final = ("--sqlite-pragma", "synchronous=OFF")
_WATCHING: Final = 4


@dataclass(frozen=True)
class Stage:
    """A contestant that is ready to be played."""

    post: Post
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
        first_number: int,
        shared: AsyncExitStack | None = None,
    ) -> None:
        self.postgres_log = home / "logs" / "postgres.log"
        self._home = home
        self._postgres = postgres
        self._temporal = temporal
        self._herald = herald
        self._herald_socket = herald_socket
        self._numbers = itertools.count(first_number)
        self._databases: dict[str, str] = {}
        self._audited: list[Contestant] = []
        self._shared = shared
        self._stages: dict[str, Stage] = {}

    async def client(self) -> Client:
        """A client of the stack's Temporal."""
        return await Client.connect(self._temporal.address, data_converter=pydantic_data_converter)

    async def prepare(self, contestants: Sequence[Contestant]) -> None:
        """Give each contestant with effects a database with its tables and full shelves."""
        for contestant in contestants:
            if not contestant.has_effects or contestant.name in self._databases:
                continue
            url = await self._postgres.create_database(f"bench_{contestant.name}")
            await contestant.furnish(url)
            self._databases[contestant.name] = url
            self._audited.append(contestant)

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
        Where stages are shared, this is the contestant's first one, as that was asked for.
        """
        stage = self._new_stage(contestant, options, pace, log_statements=log_statements)
        if self._shared is None:
            async with stage as new:
                yield new
            return
        if contestant.name not in self._stages:
            self._stages[contestant.name] = await self._shared.enter_async_context(stage)
        yield self._stages[contestant.name]

    @asynccontextmanager
    async def _new_stage(
        self,
        contestant: Contestant,
        options: WorkerOptions,
        pace: Pace | None,
        *,
        log_statements: bool,
    ) -> AsyncIterator[Stage]:
        watch_url = url = self._databases.get(contestant.name)
        watch = None
        async with AsyncExitStack() as stack:
            client = await self.client()
            if url is not None:
                watch = await open_pool(url, size_max=_WATCHING)
                stack.push_async_callback(watch.close)
                if log_statements:
                    url += "&log_statement=all"
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
                database_url=url,
                watch_url=watch_url,
                task_queue=contestant.name,
                pace=pace or Pace(),
                herald=self._herald,
                ends=Ends(client),
            )
            yield Stage(
                post=post,
                player=await stack.enter_async_context(contestant.playing(side)),
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
        return [
            f"{one.name}: {line}"
            for one in self._audited
            for line in await one.audit(self._databases[one.name], client, one.name)
        ]

    @asynccontextmanager
    async def _crew(self, post: Post) -> AsyncIterator[list[int]]:
        log = self._home / "logs" / f"worker-{post.contestant}.log"
        processes = []
        try:
            for _ in range(post.options.processes):
                with log.open("ab") as stderr:
                    process = await asyncio.create_subprocess_exec(
                        *_profiler(post.options),
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
async def venue(
    home: Path | None = None,
    *,
    hurried: bool = False,
    shared_stages: bool = False,
    first_number: int = 1,
) -> AsyncIterator[Venue]:
    """A stack with the settings that Orderloom ships, in a temporary folder unless in `home`.

    `hurried` waits for no disk: to get a full database sooner, never to measure. With
    `shared_stages` the workers of each contestant start once, and all of them run to the end: to
    see sooner whether everything works, never to compare. Orders are numbered from `first_number`.
    """
    async with AsyncExitStack() as stack:
        if home is None:
            home = stack.enter_context(temporary_folder())
        postgres = await stack.enter_async_context(
            embedded_postgres(home, settings={"fsync": "off"} if hurried else None)
        )
        temporal = await stack.enter_async_context(
            embedded_temporal(home, options=_NO_SYNC if hurried else ())
        )
        socket = home / "herald"
        socket.unlink(missing_ok=True)
        herald = await stack.enter_async_context(hearing(socket))
        shared = await stack.enter_async_context(AsyncExitStack()) if shared_stages else None
        yield Venue(home, postgres, temporal, herald, socket, first_number, shared)


async def _ready(process: asyncio.subprocess.Process, log: Path) -> None:
    assert process.stdout is not None
    line = b"?"
    with suppress(TimeoutError):
        async with asyncio.timeout(_READY_WITHIN_S):
            while line and line.strip() != b"ready":  # a profiler has its say before
                line = await process.stdout.readline()
    if line.strip() != b"ready":
        tail = "\n".join(log.read_text(errors="replace", encoding="utf-8").splitlines()[-15:])
        raise Unreachable(f"a worker did not get ready. The end of its log:\n{tail}")


async def _stop(process: asyncio.subprocess.Process) -> None:
    assert process.stdin is not None
    process.stdin.close()
    try:
        await asyncio.wait_for(process.wait(), _STOPS_WITHIN_S)
    except TimeoutError:
        process.kill()
        await process.wait()


def _profiler(options: WorkerOptions) -> list[str]:
    if options.profile is None:
        return []
    recorder = Path(sys.executable).with_name("py-spy")
    if not recorder.exists():
        raise Refused("there is no py-spy: install orderloom[bench]")
    record = ["record", "--format", "raw", "--function", "--output", str(options.profile)]
    return [str(recorder), *record, "--"]


def _environment(options: WorkerOptions) -> dict[str, str]:
    # What is set for other workers of this shell is not to be measured.
    ours = ("ORDERLOOM_", "TEMPORAL_", "DATABASE_URL")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    quiet = {"PYTHONPATH": str(ROOT), "ORDERLOOM_LOG_LEVEL": "warning"}
    return {**kept, **quiet, **options.environment}


def _pids(pid: int | None) -> list[int]:
    return [] if pid is None else [pid]


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder that is removed at the end, with all that is in it."""
    # Not ignoring errors: what is left behind is to be noticed.
    folder = Path(tempfile.mkdtemp(prefix="orderloom-bench-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)
