"""A program of the stack that listens for HTTP on a port of this machine.

The stack holds the port for it. So nobody else gets it while the program is being restarted, and
who asks meanwhile is answered by the next one.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from starter.stack.program import Program

HOST: Final = "127.0.0.1"
_ROOT: Final = Path(__file__).parents[2]
_START_SECONDS_MAX: Final = 60.0
_POLL_SECONDS: Final = 0.05
_ANSWER_SECONDS: Final = 1.0


class Listener:
    """A command of `orderloom` that answers on a port, and there again after a restart."""

    def __init__(
        self,
        home: Path,
        name: str,
        listening: socket.socket,
        *options: str,
        environment: Mapping[str, str],
    ) -> None:
        """`name`: of the command, and of its role in the stack. `listening`: what it answers on."""
        self._listening = listening
        self.program = Program(
            name=name,
            role=name,
            home=home,
            command=(
                *(sys.executable, "-m", "starter.cli", name),
                *("--listen", f"fd://{listening.fileno()}", *options),
            ),
            inherited=(listening.fileno(),),
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
        """Stop it in an orderly way, if it runs, and give its port back."""
        await self.program.stop()
        self._listening.close()

    async def _answers(self) -> bool:
        """Whether it says anything. To be connected proves nothing: the stack listens itself."""
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                reader, writer = await asyncio.open_connection(HOST, port_of(self._listening))
                try:
                    writer.write(b"GET / HTTP/1.0\r\n\r\n")
                    return bool(await reader.read(1))
                finally:
                    writer.close()
        except (OSError, TimeoutError):
            return False


def taken_port(usual: int = 0) -> socket.socket:
    """A port of this machine that is ours from now on: the usual one, if it is free."""
    for port in (usual, 0):
        with suppress(OSError):
            return socket.create_server((HOST, port))
    raise OSError("this machine has no free port")


def port_of(listening: socket.socket) -> int:
    """Its number."""
    number: int = listening.getsockname()[1]
    return number


def _python_path() -> list[str]:
    path = os.environ.get("PYTHONPATH")
    return [path] if path else []
