"""One program of the stack: start it, see it die, stop it in an orderly way or by force."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sysconfig
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from domain.errors import Unreachable
from starter.stack.account import Account

# Every program of a stack carries its folder and role in its environment. Unlike a pid noted after
# the start, the mark cannot be missing when the supervisor is killed between the two.
HOME_MARK: Final = "ORDERLOOM_STACK_HOME"
ROLE_MARK: Final = "ORDERLOOM_STACK_ROLE"

_LOG_BYTES_MAX: Final = 20_000_000
_LOG_TAIL_BYTES: Final = 8192
_LOG_TAIL_LINES: Final = 8
_GO_PANIC: Final = "panic: "
_FORCED_STOP_SECONDS_MAX: Final = 10.0


@dataclass
class Program:
    """A child process of the supervisor, its output going to a log file.

    `name` is for people, `role` is postgres, temporal or worker. `stop_signal` asks for an orderly
    end; after `stop_seconds_max` the program is killed. `inherited`: open files that it gets, under
    the same numbers.
    """

    name: str
    role: str
    home: Path
    command: tuple[str, ...]
    environment: Mapping[str, str]
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds_max: float = 30.0
    account: Account | None = None
    inherited: tuple[int, ...] = ()
    _process: asyncio.subprocess.Process | None = field(default=None, init=False)

    @property
    def log(self) -> Path:
        """The file that holds what the program wrote."""
        return self.home / "logs" / f"{self.name}.log"

    @property
    def pid(self) -> int | None:
        """The process id, None when it does not run."""
        process = self._process
        return process.pid if process is not None and process.returncode is None else None

    async def launch(self) -> None:
        """Start the process. Raises `Unreachable` when the system refuses to."""
        environment = {**self.environment, HOME_MARK: str(self.home), ROLE_MARK: self.role}
        self.log.parent.mkdir(mode=0o700, exist_ok=True)
        with suppress(FileNotFoundError):
            if self.log.stat().st_size > _LOG_BYTES_MAX:
                self.log.replace(self.log.with_suffix(".log.1"))
        account = self.account
        try:
            with self.log.open("ab") as log:
                self._process = await asyncio.create_subprocess_exec(
                    *self.command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env=environment,
                    # Ctrl-C in the terminal goes to the supervisor alone, which stops all programs
                    # in order.
                    start_new_session=True,
                    user=None if account is None else account.uid,
                    group=None if account is None else account.gid,
                    extra_groups=None if account is None else [],
                    pass_fds=self.inherited,
                )
        except OSError as error:
            raise Unreachable(f"{self.name} cannot be started: {error}") from error

    async def wait(self) -> int:
        """Wait for the end of the process and return its exit code (negative: the signal)."""
        if self._process is None:
            raise RuntimeError(f"{self.name} was not launched")
        return await self._process.wait()

    async def stop(self) -> None:
        """Stop the process if it runs, and wait until it is gone."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        await self._signal_and_wait(process, self.stop_signal, self.stop_seconds_max)

    async def kill(self) -> None:
        """Stop the process at once, without giving it time to tidy up."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        # PostgreSQL's own emergency stop also takes its backends along; a kill would leave them.
        forced = signal.SIGQUIT if self.role == "postgres" else signal.SIGKILL
        await self._signal_and_wait(process, forced, _FORCED_STOP_SECONDS_MAX)

    async def _signal_and_wait(
        self, process: asyncio.subprocess.Process, number: signal.Signals, seconds_max: float
    ) -> None:
        _send(process.pid, number)
        try:
            await asyncio.wait_for(process.wait(), seconds_max)
        except TimeoutError:
            _send(process.pid, signal.SIGKILL)
            await process.wait()

    def log_tail(self) -> str:
        """The last lines of the log, for an error message.

        A program in Go that panics says why in one line, above a long trace: that line comes first.
        """
        try:
            with self.log.open("rb") as log:
                log.seek(max(0, self.log.stat().st_size - _LOG_TAIL_BYTES))
                lines = log.read().decode(errors="replace").splitlines()
        except FileNotFoundError:
            return ""
        panic = [line for line in lines[:-_LOG_TAIL_LINES] if line.startswith(_GO_PANIC)][-1:]
        return "\n".join(f"  {line}" for line in (*panic, *lines[-_LOG_TAIL_LINES:]))

    def failure(self, what: str) -> Unreachable:
        """The error for a program that failed to do `what`, with its last words."""
        return Unreachable(f"{self.name} {what}. The end of {self.log}:\n{self.log_tail()}")


def _send(pid: int, number: signal.Signals) -> None:
    # Not `process.send_signal`: it looks for the exit code on the way, and where it finds one it
    # takes it from the thread that waits for it.
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def find_program(name: str, *, path_first: bool) -> str | None:
    """The path of a program that runs: from PATH, or from beside this Python, in that order or not.

    A file of that name that cannot tell its version (a version manager's shim, another system's
    binary) is passed over.
    """
    scripts = shutil.which(name, path=sysconfig.get_path("scripts"))
    on_path = shutil.which(name)
    candidates = (on_path, scripts) if path_first else (scripts, on_path)
    for candidate in candidates:
        if candidate is not None and _runs(candidate):
            return os.path.abspath(candidate)  # noqa: PTH100 - Path.absolute keeps "..", resolve follows links
    return None


def _runs(program: str) -> bool:
    try:
        done = subprocess.run([program, "--version"], capture_output=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
