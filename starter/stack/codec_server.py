"""The codec server beside the embedded Temporal UI: with a token of this run, on a port of its own.

Whoever can open the UI can read the token there, and everything that the UI shows. The token keeps
out pages of other origins, and programs that cannot open the UI.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from domain.errors import InvalidInput
from runtime.key_ring import KEYS_VARIABLE, load_ring
from starter.stack.program import Program

_ROOT: Final = Path(__file__).parents[2]
_HOST: Final = "127.0.0.1"
_START_SECONDS_MAX: Final = 30.0
_POLL_SECONDS: Final = 0.05


class CodecServer:
    """`orderloom codec-server` for one UI."""

    def __init__(self, home: Path, keys: Path) -> None:
        """`keys`: the file of keys. Raises InvalidInput where it cannot be used."""
        load_ring(keys)
        if find_spec("uvicorn") is None:
            raise InvalidInput(
                f"{KEYS_VARIABLE} is set, and the Temporal UI cannot decrypt without a server for "
                "it: pip install 'orderloom[server]'"
            )
        self.keys = keys.absolute()
        self._home = home
        self._token = secrets.token_urlsafe(32)
        with socket.socket() as probe:
            probe.bind((_HOST, 0))
            self._port: int = probe.getsockname()[1]
        self._program: Program | None = None

    @property
    def ui_options(self) -> tuple[str, str]:
        """What tells the UI its address, with the token in it; of the server that has the UI."""
        return ("--ui-codec-endpoint", f"http://{_HOST}:{self._port}/{self._token}")

    @property
    def program(self) -> Program:
        """The server's process. Raises RuntimeError before `serve`."""
        if self._program is None:
            raise RuntimeError("the codec server was not started")
        return self._program

    async def serve(self, ui_url: str) -> None:
        """Start it for the UI at this address, which people also call localhost.

        Raises Unreachable where it does not answer in time.
        """
        origins = (ui_url, ui_url.replace(_HOST, "localhost"))
        self._program = Program(
            name="codec-server",
            role="codec-server",
            home=self._home,
            command=(
                *(sys.executable, "-m", "starter.cli", "codec-server"),
                *("--listen", f"{_HOST}:{self._port}"),
                *(part for origin in origins for part in ("--origin", origin)),
            ),
            environment={
                **os.environ,
                "PYTHONPATH": os.pathsep.join((str(_ROOT), *_python_path())),
                KEYS_VARIABLE: str(self.keys),
                "ORDERLOOM_CODEC_TOKEN": self._token,
            },
        )
        await self.start()

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
        if self._program is not None:
            await self._program.stop()

    async def _answers(self) -> bool:
        try:
            _, writer = await asyncio.open_connection(_HOST, self._port)
        except OSError:
            return False
        writer.close()
        return True


@asynccontextmanager
async def serving(server: CodecServer | None, ui_url: str) -> AsyncIterator[None]:
    """Inside, the server runs, if there is one."""
    try:
        if server is not None:
            await server.serve(ui_url)
        yield
    finally:
        if server is not None:
            await server.stop()


def _python_path() -> list[str]:
    path = os.environ.get("PYTHONPATH")
    return [path] if path else []
