"""A process that has loaded the whole program, and runs each command in a copy of itself.

A request comes by the socket that is its standard input: JSON, with four file descriptors: the
command's standard input, output and error, and a pipe for its exit code. It is taken by one byte.
Once nobody holds the socket's other end the process is gone, with all commands that still run.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
import sys
import time
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

from runtime.settings import load_settings
from starter.cli import commands, program
from store.database import load_queries

REQUEST_BYTES_MAX = 65_536
ROOT = Path(__file__).parents[2]


def main() -> NoReturn:
    for entry in commands.COMMANDS.values():
        import_module(f"starter.cli.{entry.module}")
    program.run(["place", "--help"])  # loads what only a help text needs
    read_once()
    gc.freeze()  # so that no copy writes to, and thereby copies, what they share
    channel = socket.socket(fileno=os.dup(0))
    while True:
        text, descriptors, _, _ = socket.recv_fds(channel, REQUEST_BYTES_MAX, 4)
        collect()
        if not text:
            os.killpg(0, signal.SIGKILL)
        if os.fork() == 0:
            channel.close()
            answer(json.loads(text), descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        channel.sendall(b".")


def read_once() -> None:
    """Read what each command reads anew: the files of SQL, and how settings are read."""
    for file in (ROOT / "store").rglob("*.sql"):
        if file.with_suffix(".py").exists():
            # Asked for any query, it reads its file, and has none of that name.
            hasattr(load_queries(str(file.with_suffix(".py"))), "none")
    load_settings()


def collect() -> None:
    """Take note of those who have answered and ended."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def answer(request: dict[str, Any], descriptors: list[int]) -> NoReturn:
    """Run a command and tell its exit code (negative: the signal that ended it)."""
    *streams, told = descriptors
    command = os.fork()
    if command == 0:
        os.close(told)
        run(request, streams)
    _, status = os.waitpid(command, 0)
    os.write(told, str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def run(request: dict[str, Any], streams: list[int]) -> NoReturn:
    """What a process of the command's own does, but for loading the program."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    for number in request["closed"]:
        os.close(number)
        setattr(sys, ("stdin", "stdout", "stderr")[number], None)  # as Python does when it starts
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    time.tzset()
    sys.argv = ["orderloom", *request["arguments"]]
    program.main()


if __name__ == "__main__":
    main()
