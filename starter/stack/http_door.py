"""The HTTP door of the stack: `orderloom serve`, for programs on this machine."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from starter.stack.listener import HOST, Listener, port_of, taken_port

USUAL_PORT: Final = 8080


class HttpDoor:
    """`orderloom serve` for the servers of one stack."""

    def __init__(self, home: Path, environment: Mapping[str, str]) -> None:
        """`environment`: how it finds the servers."""
        self._listening = taken_port(USUAL_PORT)
        self._listener = Listener(home, "serve", self._listening, environment=environment)
        self._port = port_of(self._listening)
        self.program = self._listener.program

    @property
    def url(self) -> str:
        """Where programs ask. It stays the same after a restart."""
        return f"http://{HOST}:{self._port}"

    async def start(self) -> None:
        """Start it, also anew. Raises Unreachable where it does not answer in time."""
        await self._listener.start()

    @asynccontextmanager
    async def answering(self) -> AsyncIterator[None]:
        """Inside, it answers."""
        try:
            await self.start()
            yield
        finally:
            await self._listener.stop()


def can_serve() -> bool:
    """Whether what it needs is installed: a worker goes without."""
    return find_spec("fastapi") is not None and find_spec("uvicorn") is not None
