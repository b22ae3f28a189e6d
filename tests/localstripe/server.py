"""localstripe as a process of its own, for as long as whoever started it is there.

It tells its port on standard output, and keeps nothing. Left alone it listens on all interfaces,
and writes all that it has into one file of the machine after every call, for the next one to read.
"""

from __future__ import annotations

import os
import socket
import sys
import threading

from aiohttp import web
from localstripe import resources, server  # type: ignore[import-untyped]  # it has no types


def main() -> None:
    """Serve until standard input ends."""
    resources.Store.dump_to_disk = lambda _store: None
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=_end_with_input, daemon=True).start()
    print(listener.getsockname()[1], flush=True)
    web.run_app(server.app, sock=listener, print=None, access_log=None)


def _end_with_input() -> None:
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main()
