"""The demo's progress, while it runs."""

from __future__ import annotations

import time
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars


class Progress:
    """Two bars at a terminal; elsewhere a line for every quarter."""

    def __init__(self, console: Console, total: int) -> None:
        self._console = console
        self._total = total
        self._bars = Bars(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        self._began = time.monotonic()
        self._done = {"placed": 0, "ended": 0}
        self._tasks = {name: self._bars.add_task(name, total=total) for name in self._done}

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def placed(self) -> None:
        """Count one more order with an answer."""
        self._show("placed", self._done["placed"] + 1)

    def ended(self, count: int) -> None:
        """Set the number of ended orders."""
        self._show("ended", count)

    def _show(self, name: str, count: int) -> None:
        before, self._done[name] = self._done[name], count
        self._bars.update(self._tasks[name], completed=count)
        if not self._console.is_terminal and before * 4 // self._total < count * 4 // self._total:
            seconds = time.monotonic() - self._began
            self._console.print(f"{name}: {count} of {self._total} after {seconds:.0f} s")
