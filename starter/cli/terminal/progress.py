"""A bar for commands that take long: on a terminal only, and on standard error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from starter.cli.terminal import output


class Bar:
    """A command's progress: one step after the other, each with a bar of its own."""

    def __init__(self, shown: Progress) -> None:
        self._shown = shown
        self._step: TaskID | None = None

    def begin(self, step: str, total: int | None) -> None:
        """A step begins. Without a `total` the bar only says that it goes on."""
        self._step = self._shown.add_task(step, total=total)

    def reached(self, completed: int) -> None:
        """Set the finished part of the step's total."""
        if self._step is not None:
            self._shown.update(self._step, completed=completed)


@contextmanager
def progress() -> Iterator[Bar]:
    """A bar until the end of the block. Nothing on a pipe or in a file."""
    show = output.console(stderr=True)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=show,
        disable=not show.is_terminal,
        # Lines that go to a file or a pipe are none of the bar's business.
        redirect_stdout=output.console().is_terminal,
        transient=True,
    ) as shown:
        yield Bar(shown)
