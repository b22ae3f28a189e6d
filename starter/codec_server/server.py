"""The codec server as a program: it listens until it is told to stop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import uvicorn

from domain.errors import InvalidInput
from starter.codec_server.app import CodecApp

_STOP_SECONDS_MAX: Final = 5
_REQUESTS_AT_ONCE: Final = 64


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the program, which ends with an exit code of its own."""
        yield


def bound(address: str) -> socket.socket:
    """A socket that listens on `host:port`. Raises InvalidInput where that cannot be."""
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, int(port)), family=family)
    except (OSError, ValueError, OverflowError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise InvalidInput(
            f"{address} cannot be listened on ({reason or 'no such port'}): "
            "name a free host:port, such as 127.0.0.1:8081",
            where="--listen",
        ) from error


async def serve(app: CodecApp, listening: socket.socket, stop: asyncio.Event) -> None:
    """Answer until `stop` is set; what is being answered then is answered first."""
    server = _Server(
        uvicorn.Config(
            app,
            # Its own log would tell the token that stands in a path.
            access_log=False,
            log_config=None,
            lifespan="off",
            ws="none",
            server_header=False,
            limit_concurrency=_REQUESTS_AT_ONCE,
            timeout_graceful_shutdown=_STOP_SECONDS_MAX,
        )
    )
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    server.should_exit = True
    await serving
