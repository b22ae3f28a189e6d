"""The whole stack in one process tree: PostgreSQL, Temporal and the workers.

Started in that order and stopped in reverse. A program that dies meanwhile is started again, with
growing pauses, at the address it had; the others wait for it and go on.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, Protocol

from domain.errors import OrderloomError
from runtime.discovery import StackInfo, remove_stack, stack_lock, write_stack
from runtime.settings import load_settings
from starter.service.staff import NewStaff
from starter.stack.codec_server import CodecServer, serving
from starter.stack.first_admin import let_in
from starter.stack.first_seller import name_seller
from starter.stack.http_door import HttpDoor, can_serve
from starter.stack.orphans import stop_orphans
from starter.stack.postgres import PostgresServer, embedded_postgres
from starter.stack.program import Program
from starter.stack.temporal import NAMESPACE, TemporalServer, embedded_temporal
from starter.stack.workers import WORKER_COMMAND, Worker, environment, running_workers
from store.migrate import migrate
from store.schema_version import NewerVersion, OtherVersion

Report = Callable[[str], None]
"""Takes one line for the person at the terminal."""

Ready = Callable[[StackInfo, NewStaff | None], None]

_PAUSE_SECONDS: Final = 0.5
_PAUSE_SECONDS_MAX: Final = 30.0
_HEALTHY_AFTER_SECONDS: Final = 60.0


class _Member(Protocol):
    """A program that the supervisor keeps running."""

    @property
    def program(self) -> Program: ...

    async def start(self) -> None: ...


class Stack:
    """A running stack. `info` tells where it is."""

    def __init__(
        self,
        home: Path,
        postgres: PostgresServer,
        temporal: TemporalServer,
        codec: CodecServer | None,
        workers: Sequence[Worker],
        http: HttpDoor | None,
        report: Report,
    ) -> None:
        self._home = home
        self._postgres = postgres
        self._temporal = temporal
        self._codec = codec
        self._http = http
        listening = [one for one in (codec, http) if one is not None]
        self._members: tuple[_Member, ...] = (postgres, temporal, *workers, *listening)
        self._report = report

    @property
    def info(self) -> StackInfo:
        """The addresses and process ids of this moment."""
        programs = [member.program for member in self._members]
        return StackInfo(
            temporal_address=self._temporal.address,
            temporal_namespace=NAMESPACE,
            temporal_ui_url=self._temporal.ui_url,
            database_url=self._postgres.url(),
            http_url=None if self._http is None else self._http.url,
            codec_keys=None if self._codec is None else self._codec.keys,
            logs=self._home / "logs",
            supervisor_pid=os.getpid(),
            pids={one.name: one.pid for one in programs if one.pid is not None},
        )

    def publish(self) -> None:
        """Write `stack.json` for the programs of other shells."""
        try:
            write_stack(self._home, self.info)
        except OSError as error:
            # A full disk is no reason to stop the programs that still run.
            self._report(f"{error}: commands in other shells may not find this stack")

    async def keep_running(self) -> None:
        """Restart every program that ends. Runs until it is cancelled."""
        async with asyncio.TaskGroup() as group:
            for member in self._members:
                group.create_task(self._keep(member))

    async def _keep(self, member: _Member) -> None:
        # Not by a library's retries: the pauses grow from one death to the next, and a member that
        # lived for a while begins again with the shortest.
        pause = _PAUSE_SECONDS
        while True:
            started_at = time.monotonic()
            code = await member.program.wait()
            lived = time.monotonic() - started_at
            if lived > _HEALTHY_AFTER_SECONDS:
                pause = _PAUSE_SECONDS
            self._report(_obituary(member.program, code, lived))
            self.publish()
            while True:
                await asyncio.sleep(pause)
                pause = min(pause * 2, _PAUSE_SECONDS_MAX)
                try:
                    await member.start()
                except OrderloomError as error:
                    self._report(f"{error}\nNext try in {pause:g} s.")
                else:
                    break
            self.publish()
            self._report(f"{member.program.name} was started again")


@asynccontextmanager
async def embedded_stack(
    home: Path,
    *,
    report: Report,
    workers: int = 1,
    worker_command: Sequence[str] = WORKER_COMMAND,
    postgres_settings: Mapping[str, str] | None = None,
    temporal_options: Sequence[str] = (),
    settings: Mapping[str, str] | None = None,
    http: bool = False,
) -> AsyncIterator[Stack]:
    """A running stack with its state under `home`: migrated, published in `stack.json`, watched.

    `settings` are environment variables of the workers and of the door. `http`: with a door for
    programs, where what that needs is installed. Raises `Refused` when another stack
    runs in this folder, and `Unreachable` when a server does not start.
    """
    home = home.resolve()
    keys = load_settings().codec_keys
    codec = None if keys is None else CodecServer(home, keys)
    options = (*temporal_options, *(() if codec is None else codec.ui_options))
    with stack_lock(home):
        remove_stack(home)
        for orphan in await asyncio.to_thread(stop_orphans, home):
            report(f"stopped {orphan}, left by a stack that was killed")
        async with embedded_postgres(home, settings=postgres_settings) as postgres:
            await _migrate(home, await postgres.create_database())
            async with (
                embedded_temporal(home, usual_ports=True, options=options) as temporal,
                serving(codec, temporal.ui_url),
            ):
                told = {**environment(home, postgres, temporal), **(settings or {})}
                async with (
                    running_workers(home, workers, worker_command, told) as crew,
                    _open(HttpDoor(home, told) if http and can_serve() else None) as door,
                ):
                    stack = Stack(home, postgres, temporal, codec, crew, door, report)
                    watch = asyncio.create_task(stack.keep_running())
                    try:
                        stack.publish()
                        yield stack
                    finally:
                        watch.cancel()
                        await asyncio.wait({watch})
                        remove_stack(home)


async def run_stack(
    home: Path,
    *,
    ready: Ready,
    report: Report,
    workers: int = 1,
    worker_command: Sequence[str] = WORKER_COMMAND,
    http: bool = True,
) -> None:
    """Run a stack in the foreground until Ctrl-C, SIGTERM or the terminal's end; then stop it all.

    `ready` is called once everything runs, with the first admin where one was made just now. Raises
    as `embedded_stack` does.
    """
    loop = asyncio.get_running_loop()
    body = asyncio.create_task(
        _run(home, ready, report=report, workers=workers, worker_command=worker_command, http=http)
    )
    stopping = asyncio.Event()

    def stop() -> None:
        if not stopping.is_set():  # A second signal must not interrupt the orderly stop.
            stopping.set()
            report("stopping")
            body.cancel()

    signals = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # It is ignored under nohup.
        signals.append(signal.SIGHUP)
    for number in signals:
        loop.add_signal_handler(number, stop)
    try:
        await body
    except asyncio.CancelledError:
        if not stopping.is_set():
            raise
    finally:
        for number in signals:
            loop.remove_signal_handler(number)


async def _run(home: Path, ready: Ready, **options: Any) -> None:
    async with embedded_stack(home, **options) as stack:
        info = stack.info
        admin = None if info.http_url is None else await let_in(info.database_url)
        ready(info, admin)
        await asyncio.Event().wait()  # Until the signal.


@asynccontextmanager
async def _open(door: HttpDoor | None) -> AsyncIterator[HttpDoor | None]:
    if door is None:
        yield None
    else:
        async with door.answering():
            yield door


async def _migrate(home: Path, database_url: str) -> None:
    try:
        await migrate(database_url, sandbox=True)
        await name_seller(database_url, load_settings().seller)
    except NewerVersion:
        raise
    except OtherVersion as error:
        raise OtherVersion(
            f"{error}: name another folder with ORDERLOOM_HOME, or remove {home} if its orders are"
            " not needed"
        ) from error


def _obituary(program: Program, code: int, lived_seconds: float) -> str:
    how = f"signal {-code}" if code < 0 else f"exit code {code}"
    text = f"{program.name} ended ({how}) and will be started again"
    if code > 0 and lived_seconds < _HEALTHY_AFTER_SECONDS and (tail := program.log_tail()):
        text += f". The end of {program.log}:\n{tail}"
    return text
