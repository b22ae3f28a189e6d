"""A server of HTTP, which listens until it is told to stop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from domain.errors import InvalidInput
from starter.listening.protocol import GuardedProtocol

_OPEN: Final = "fd://"


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the program, which ends with an exit code of its own."""
        yield


def bound(address: str, where: str = "--listen") -> socket.socket:
    """A socket that listens on `host:port`, or the open one that `fd://3` names.

    `where`: what named the address. Raises InvalidInput where that cannot be.
    """
    if address.startswith(_OPEN):
        return _inherited(address, where)
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
            where=where,
        ) from error


def _inherited(address: str, where: str) -> socket.socket:
    """What the program got when it was started, as gunicorn writes it, too."""
    try:
        return socket.socket(fileno=int(address.removeprefix(_OPEN)))
    except (OSError, ValueError, OverflowError) as error:
        raise InvalidInput(f"{address} is no open socket", where=where) from error


async def serve(
    app: ASGIApp,
    listening: socket.socket,
    stop: asyncio.Event,
    *,
    at_once: int,
    trusted_proxies: Collection[str] = (),
    stop_within_s: int = 5,
) -> None:
    """Answer requests until `stop` is set, and finish those that have begun, within a limit.

    `at_once`: so many connections; further ones are answered 503. `trusted_proxies`: the addresses,
    or networks such as `10.0.0.0/8`, whose `X-Forwarded-…` headers are believed. `stop_within_s`:
    requests that take longer are broken off.
    """
    server = _Server(
        uvicorn.Config(
            app,
            http=GuardedProtocol,
            # Its own log would tell what stands in a path: a token, a customer's mail address.
            access_log=False,
            log_config=None,
            lifespan="off",
            ws="none",
            server_header=False,
            limit_concurrency=at_once,
            proxy_headers=bool(trusted_proxies),
            forwarded_allow_ips=list(trusted_proxies),
            timeout_graceful_shutdown=stop_within_s,
        )
    )
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    server.should_exit = True
    await serving
