"""The ports of a stack's Temporal server.

It takes no socket that is open already. So a locked file says whose a port is, also while the
server is away: another stack that took it meanwhile would be spoken to by the workers of this one.
"""

from __future__ import annotations

import fcntl
import os
import socket
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from domain.errors import Refused

HOST: Final = "127.0.0.1"
_GRPC_PORT: Final = 7233
_UI_PORT: Final = 8233
_USUAL_PORTS_TRIED: Final = 100


@dataclass(frozen=True)
class Ports:
    """The TCP ports of one server: gRPC for clients, and the web UI. `locks`: open files."""

    grpc: int
    ui: int
    locks: tuple[int, ...] = ()

    def release(self) -> None:
        """Let others have them."""
        for lock in self.locks:
            with suppress(OSError):
                os.close(lock)


def usual_ports() -> Ports:
    """7233 and 8233, or the next ones that no other stack has. Raises Refused."""
    grpc, ui = _first_free(_GRPC_PORT), _first_free(_UI_PORT)
    return Ports(grpc[0], ui[0], (grpc[1], ui[1]))


def any_ports() -> Ports:
    """Any that are free."""
    with socket.socket() as one, socket.socket() as other:
        one.bind((HOST, 0))
        other.bind((HOST, 0))
        return Ports(grpc=one.getsockname()[1], ui=other.getsockname()[1])


def _first_free(usual: int) -> tuple[int, int]:
    for port in range(usual, usual + _USUAL_PORTS_TRIED):
        lock = _lock(port)
        if lock is None:
            continue
        if _is_free(port):
            return port, lock
        os.close(lock)
    raise Refused(f"no port is free from {usual} to {usual + _USUAL_PORTS_TRIED - 1}")


def _lock(port: int) -> int | None:
    """An open file, locked for as long as it is open; None: another stack has the port."""
    path = Path(tempfile.gettempdir()) / f"orderloom-port-{port}.lock"
    try:
        # It may be another user's, whose files nobody else may open to make them.
        lock = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        lock = os.open(path, os.O_RDONLY | os.O_CREAT, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True
