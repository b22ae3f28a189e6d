"""A program of the stack that listens for HTTP on a port of this machine, and keeps that port."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from starter.stack.program import Program

HOST: Final = "127.0.0.1"
_ROOT: Final = Path(__file__).parents[2]
_START_SECONDS_MAX: Final = 30.0
_POLL_SECONDS: Final = 0.05


class Listener:
    """A command of `orderloom` that listens on a port. It listens there again after a restart."""

    def __init__(
        self, home: Path, name: str, port: int, *options: str, environment: Mapping[str, str]
    ) -> None:
        """`name`: of the command, and of its role in the stack."""
        self._port = port
        self.program = Program(
            name=name,
            role=name,
            home=home,
            command=(
                *(sys.executable, "-m", "starter.cli", name),
                *("--listen", f"{HOST}:{port}", *options),
            ),
            environment={
                **environment,
                "PYTHONPATH": os.pathsep.join((str(_ROOT), *_python_path())),
            },
        )

    async def start(self) -> None:
        """Start it, also anew, and wait until it answers. Raises Unreachable."""
        await self.program.launch()
        deadline = time.monotonic() + _START_SECONDS_MAX
        # Not by a library's retries: the wait ends when the program does.
        while not await self._answers():
            if self.program.pid is None:
                raise self.program.failure(f"ended at once (exit code {await self.program.wait()})")
            if time.monotonic() > deadline:
                raise self.program.failure(f"does not answer after {_START_SECONDS_MAX:.0f} s")
            await asyncio.sleep(_POLL_SECONDS)

    async def stop(self) -> None:
        """Stop it in an orderly way, if it runs."""
        await self.program.stop()

    async def _answers(self) -> bool:
        try:
            _, writer = await asyncio.open_connection(HOST, self._port)
        except OSError:
            return False
        writer.close()
        return True


def free_port(usual: int = 0) -> int:
    """A port that nobody listens on: the usual one, if it is free."""
    for port in (usual, 0):
        with socket.socket() as probe:
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            found: int = probe.getsockname()[1]
            return found
    raise OSError("this machine has no free port")


def _python_path() -> list[str]:
    path = os.environ.get("PYTHONPATH")
    return [path] if path else []
