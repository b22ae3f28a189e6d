"""The codec server beside the embedded Temporal UI: with a token of this run, on a port of its own.

Whoever can open the UI can read the token there, and everything that the UI shows. The token keeps
out pages of other origins, and programs that cannot open the UI.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path

from domain.errors import InvalidInput
from runtime.key_ring import KEYS_VARIABLE, load_ring
from starter.stack.listener import HOST, Listener, port_of, taken_port
from starter.stack.program import Program


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
        self._listening = taken_port()
        self._port = port_of(self._listening)
        self._listener: Listener | None = None

    @property
    def ui_options(self) -> tuple[str, str]:
        """What tells the UI its address, with the token in it; of the server that has the UI."""
        return ("--ui-codec-endpoint", f"http://{HOST}:{self._port}/{self._token}")

    @property
    def program(self) -> Program:
        """The server's process. Raises RuntimeError before `serve`."""
        return self._served.program

    @property
    def _served(self) -> Listener:
        if self._listener is None:
            raise RuntimeError("the codec server was not started")
        return self._listener

    async def serve(self, ui_url: str) -> None:
        """Start it for the UI at this address, which people also call localhost.

        Raises Unreachable where it does not answer in time.
        """
        origins = (ui_url, ui_url.replace(HOST, "localhost"))
        self._listener = Listener(
            *(self._home, "codec-server", self._listening),
            *(part for origin in origins for part in ("--origin", origin)),
            environment={
                **os.environ,
                KEYS_VARIABLE: str(self.keys),
                "ORDERLOOM_CODEC_TOKEN": self._token,
            },
        )
        await self.start()

    async def start(self) -> None:
        """Start it, also anew, and wait until it answers. Raises Unreachable."""
        await self._served.start()

    async def stop(self) -> None:
        """Stop it in an orderly way, if it runs."""
        if self._listener is not None:
            await self._listener.stop()


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
