"""An HTTP client that uses little CPU, so that the server is what is measured."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any, NamedTuple


class Told(NamedTuple):
    """An answer: its status and its body."""

    status: int
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Wire:
    """One connection to one server, kept open; a request at a time."""

    def __init__(self, host: str, port: int, headers: Mapping[str, str]) -> None:
        self._host, self._port = host, port
        self._head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Told:
        """Send a request and read its answer, which must have a length."""
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._host, self._port)
        reader, writer = self._streams
        more = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
        writer.write(
            f"{method} {path} HTTP/1.1\r\nHost: {self._host}\r\n{self._head}{more}"
            f"Content-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        head = await reader.readuntil(b"\r\n\r\n")
        status = int(head.split(b" ", 2)[1])
        length = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        return Told(status, await reader.readexactly(length))

    async def close(self) -> None:
        """Let the server go."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None
