"""The servers and workers that run on after their supervisor was killed.

The next stack in the same folder stops them before it starts its own. They carry a mark in their
environment that no other program has, so no other process is ever touched.
"""

from __future__ import annotations

import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

import psutil

from starter.stack.program import HOME_MARK, ROLE_MARK

# In the order of an orderly stop, with the signal for each.
_STOP_SIGNALS: Final = {
    "worker": signal.SIGTERM,
    "codec-server": signal.SIGTERM,
    "serve": signal.SIGTERM,
    "temporal": signal.SIGTERM,
    "postgres": signal.SIGINT,
}
_ORDERLY_SECONDS_MAX: Final = 20.0
_FORCED_SECONDS_MAX: Final = 10.0
_POLL_SECONDS: Final = 0.05


def stop_orphans(home: Path) -> list[str]:
    """Stop the rest of an earlier stack of this folder; returns "role (pid n)" for each.

    Call it while holding the folder's lock: then every process with the mark has no supervisor.
    """
    stopped: list[str] = []
    left = _marked(home)
    for role, number in _STOP_SIGNALS.items():
        processes = left.get(role, [])
        # SIGQUIT is PostgreSQL's emergency stop, which also ends its own children.
        forced = signal.SIGQUIT if role == "postgres" else signal.SIGKILL
        stubborn = _stop(processes, number, _ORDERLY_SECONDS_MAX)
        stubborn = _stop(stubborn, forced, _FORCED_SECONDS_MAX)
        _stop(stubborn, signal.SIGKILL, _FORCED_SECONDS_MAX)
        stopped.extend(f"{role} (pid {process.pid})" for process in processes)
    return stopped


def _marked(home: Path) -> dict[str, list[psutil.Process]]:
    found: dict[str, list[psutil.Process]] = {}
    for process in psutil.process_iter():
        try:
            environment = process.environ()
        except (psutil.Error, OSError):
            continue  # Another account's process, or one that is gone already.
        if environment.get(HOME_MARK) == str(home):
            found.setdefault(environment.get(ROLE_MARK, ""), []).append(process)
    return found


def _stop(
    processes: list[psutil.Process], number: signal.Signals, seconds_max: float
) -> list[psutil.Process]:
    """Signal all and wait; returns those that live on."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)  # This makes sure that the pid is still the same process.
    deadline = time.monotonic() + seconds_max
    while (alive := [one for one in processes if _lives(one)]) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
    return alive


def _lives(process: psutil.Process) -> bool:
    # In a container the first process often never collects dead ones: a zombie counts as gone.
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
