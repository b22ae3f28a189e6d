"""How a worker without a database tells the generator that a step has begun to wait.

Asking the server again and again would cost it work that the contestant does not need.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path


class Herald:
    """Hears of steps by name, and lets others wait for them."""

    def __init__(self) -> None:
        self._heard: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)

    async def hears(self, step: str) -> None:
        """Wait until this step was cried out. Each can be waited for once."""
        await self._heard[step].wait()
        del self._heard[step]

    async def listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one worker, until it hangs up."""
        while line := await reader.readline():
            self._heard[line.decode().rstrip("\n")].set()
        writer.close()


@asynccontextmanager
async def hearing(socket: Path) -> AsyncIterator[Herald]:
    """A herald at this socket."""
    herald = Herald()
    server = await asyncio.start_unix_server(herald.listen, path=socket)
    try:
        yield herald
    finally:
        server.close()


@asynccontextmanager
async def crying(socket: Path) -> AsyncIterator[asyncio.StreamWriter]:
    """Where a worker writes the names of steps, one a line."""
    _, writer = await asyncio.open_unix_connection(socket)
    try:
        yield writer
    finally:
        writer.close()
