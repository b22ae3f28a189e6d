"""The command line as a process of its own, for tests."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.shop import Shop

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


# Starting Python and its imports takes most of a command's time. Where that is not what is tested,
# one process runs many commands, all but the very last step of `main`, which it does at its end.
_MANY = """
import contextlib, io, json, os, sys
from starter.cli.program import run
for arguments in json.load(sys.stdin):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run(arguments)
    print(json.dumps([code, out.getvalue(), err.getvalue()]), flush=True)
os._exit(0)
"""


class Cli:
    """Runs commands against the servers of a test."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environment}

    async def start(self, *arguments: str, **streams: Any) -> asyncio.subprocess.Process:
        pipes = {"stdin": asyncio.subprocess.DEVNULL, **streams}
        return await asyncio.create_subprocess_exec(
            *PROGRAM,
            *arguments,
            env=self.environment,
            stdout=pipes.pop("stdout", asyncio.subprocess.PIPE),
            stderr=asyncio.subprocess.PIPE,
            **pipes,
        )

    async def __call__(self, *arguments: str, stdin: str | bytes | None = None) -> Ended:
        data = stdin.encode() if isinstance(stdin, str) else stdin
        pipe = asyncio.subprocess.DEVNULL if data is None else asyncio.subprocess.PIPE
        process = await self.start(*arguments, stdin=pipe)
        return await self.end(process, data)

    async def many(self, *commands: tuple[str, ...]) -> list[Ended]:
        """Several commands, one after the other."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", _MANY),
            env=self.environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        whole = await self.end(process, json.dumps(commands).encode())
        assert (whole.code, whole.err) == (0, ""), whole
        return [Ended(*line) for line in whole.lines]

    async def end(self, process: asyncio.subprocess.Process, data: bytes | None = None) -> Ended:
        out, err = await asyncio.wait_for(process.communicate(data), SECONDS_MAX)
        assert process.returncode is not None
        ended = Ended(process.returncode, (out or b"").decode(), err.decode())
        assert "Traceback" not in ended.err, ended.err
        return ended

    async def done(self, *arguments: str, stdin: str | None = None) -> Ended:
        """A command that must succeed, and has nothing to complain of."""
        ended = await self(*arguments, stdin=stdin)
        assert (ended.code, ended.err) == (0, ""), ended
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
