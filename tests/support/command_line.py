"""The command line as a process of its own, for tests."""

from __future__ import annotations

import asyncio
import json
import os
import select
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tests.support.shop import Shop

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
PROGRAM = (sys.executable, "-m", "starter.cli")
SECONDS_MAX = 60.0


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def error(self) -> Any:
        """The complaint of a command with --json: one JSON document."""
        return json.loads(self.err)


class Copier:
    """Runs commands in copies of one process that has loaded the program; see `copier.py`.

    Starting Python and its imports takes nearly all of a command's time, and is the same each time.
    """

    def __init__(
        self, environment: dict[str, str] | None = None, *, encoding: str = "utf-8"
    ) -> None:
        """`environment`: what Python looks at as it starts; `encoding`: what it then writes."""
        self._environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            **(environment or {}),
        }
        self._encoding = encoding
        self._lock = threading.Lock()
        self._channel: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def run(
        self,
        environment: dict[str, str],
        arguments: tuple[str, ...],
        data: bytes,
        folder: Path = ROOT,
        closed: Collection[int] = (),
    ) -> Ended:
        """A command from its start to its end, in that folder. It reads `data`.

        `closed`: the streams that it does not have, such as 1 for its standard output.
        """
        request = json.dumps(
            {
                "environment": environment,
                "arguments": arguments,
                "folder": str(folder),
                "closed": [*closed],
            }
        ).encode()
        answer, answering = os.pipe()
        with (
            os.fdopen(answer, "rb") as answered,
            tempfile.TemporaryFile() as stdin,
            tempfile.TemporaryFile() as stdout,
            tempfile.TemporaryFile() as stderr,
        ):
            stdin.write(data)
            stdin.seek(0)
            try:
                streams = [stdin.fileno(), stdout.fileno(), stderr.fileno()]
                self._send(request, [*streams, answering])
            finally:
                os.close(answering)
            ready, _, _ = select.select([answered], [], [], SECONDS_MAX)
            assert ready, f"{arguments} has not ended"
            code = int(answered.read())
            stdout.seek(0)
            stderr.seek(0)
            said, complained = (one.read().decode(self._encoding) for one in (stdout, stderr))
            return Ended(code, said, complained)

    def _send(self, request: bytes, descriptors: list[int]) -> None:
        with self._lock:
            if self._channel is None:
                self._channel, other = socket.socketpair()
                with other:
                    self._process = subprocess.Popen(
                        (sys.executable, str(Path(__file__).with_name("copier.py"))),
                        env=self._environment,
                        stdin=other.fileno(),
                        stdout=subprocess.DEVNULL,
                        start_new_session=True,  # it ends with the commands that it still runs
                    )
            socket.send_fds(self._channel, [request], descriptors)
            assert self._channel.recv(1), "the program cannot be loaded"

    def end(self) -> None:
        """End the process, if there is one."""
        if self._channel is not None and self._process is not None:
            self._channel.close()
            self._process.wait(SECONDS_MAX)


COPIER = Copier()


class Cli:
    """Runs commands against the servers of a test."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environment}

    async def start(self, *arguments: str, **streams: Any) -> asyncio.subprocess.Process:
        """A command as a program of its own, from the start of Python on."""
        pipes = {"stdin": asyncio.subprocess.DEVNULL, **streams}
        return await asyncio.create_subprocess_exec(
            *PROGRAM,
            *arguments,
            env=self.environment,
            stdout=pipes.pop("stdout", asyncio.subprocess.PIPE),
            stderr=asyncio.subprocess.PIPE,
            **pipes,
        )

    async def __call__(
        self,
        *arguments: str,
        stdin: str | bytes = b"",
        closed: Collection[int] = (),
        copier: Copier = COPIER,
    ) -> Ended:
        """A command from its start to its end, as `Copier.run` has it."""
        data = stdin.encode() if isinstance(stdin, str) else stdin
        run = partial(copier.run, self.environment, arguments, data, closed=closed)
        return _sound(await asyncio.to_thread(run))

    async def many(self, *commands: tuple[str, ...]) -> list[Ended]:
        """Several commands, one after the other."""
        return [await self(*arguments) for arguments in commands]

    async def end(self, process: asyncio.subprocess.Process, data: bytes | None = None) -> Ended:
        out, err = await asyncio.wait_for(process.communicate(data), SECONDS_MAX)
        assert process.returncode is not None
        return _sound(Ended(process.returncode, (out or b"").decode(), err.decode()))

    async def done(self, *arguments: str, stdin: str | bytes = b"") -> Ended:
        """A command that must succeed, and has nothing to complain of."""
        ended = await self(*arguments, stdin=stdin)
        assert (ended.code, ended.err) == (0, ""), ended
        return ended


def _sound(ended: Ended) -> Ended:
    assert "Traceback" not in ended.err, ended.err
    return ended


def commands_for(shop: Shop, *, database_url: str, temporal_address: str, home: Path) -> Cli:
    """Commands that work with a shop's orders. No stack of `orderloom up` is to be found."""
    return Cli(
        {
            "HOME": str(home),
            "ORDERLOOM_HOME": str(home / "none"),
            "ORDERLOOM_TASK_QUEUE": shop.task_queue,
            "ORDERLOOM_POLICY__RETURN_WINDOW": "PT60S",
            "DATABASE_URL": database_url,
            "TEMPORAL_ADDRESS": temporal_address,
        }
    )
