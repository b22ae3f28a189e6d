"""Imports of tables: sound rows are imported, the others are reported with their line."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import asdict
from functools import partial
from itertools import islice
from typing import Any, Final, TypeVar

from domain.errors import InvalidInput, Refused
from domain.fields import Document
from domain.words import count_of
from starter.channels.csv_table import Entry
from starter.channels.documents import Source, label, opened
from starter.channels.read_results import Problem
from starter.channels.text import Lines
from starter.cli.terminal.output import Output, complain
from starter.cli.terminal.progress import Bar, progress
from starter.service.connection import records
from starter.service.service import Records

T = TypeVar("T", bound=Document)

ROWS_AT_ONCE: Final = 2_000
"""So many rows are saved in one transaction."""

_LINES_NAMED: Final = 20
"""So many lines with the same fault are named; more are counted."""

LISTED_MAX: Final = 10_000
"""So many problems are in a JSON document; more are counted."""


class Faults:
    """The faults of a file. People hear of a fault when it is found, and once.

    Lines with a fault that was told before are named at the end.
    """

    def __init__(self, file: str, out: Output) -> None:
        self._file = file
        self._out = out
        self._listed: list[Problem] = []
        self._lines: dict[tuple[str, str], list[int]] = {}
        self._again: Counter[tuple[str, str]] = Counter()
        self.count = 0

    def add(self, problem: Problem) -> None:
        """Add a fault."""
        self.count += 1
        if len(self._listed) < LISTED_MAX:
            self._listed.append(problem)
        if self._out.as_json:
            return
        fault = problem.field, problem.reason
        lines = self._lines.get(fault)
        if lines is None:
            complain(f"{self._file}:{problem.line}: {problem}")
            if len(self._lines) < LISTED_MAX:
                self._lines[fault] = []
            return
        self._again[fault] += 1
        if len(lines) < _LINES_NAMED:
            lines.append(problem.line)

    def _tell_again(self) -> None:
        for (field, reason), times in self._again.items():
            lines = self._lines[field, reason]
            more = f" and {times - len(lines):,} more" if times > len(lines) else ""
            named = ", ".join(map(str, lines))
            fault = Problem(0, field, reason)
            complain(f"{self._file}: {fault}: also in line{'s'[: times > 1]} {named}{more}")

    @property
    def told(self) -> dict[str, Any]:
        """The same fields in every JSON document."""
        self._listed.sort(key=lambda problem: problem.line)
        return {
            "problems": [asdict(problem) for problem in self._listed],
            "problems_count": self.count,
        }

    def end(
        self,
        what_to_do: str = "the other rows were taken: correct these and import them again",
    ) -> None:
        """Call it after the sound rows were imported. Raises InvalidInput if there was a fault."""
        if not self.count:
            return
        self._tell_again()
        if self._out.dry_run:
            what_to_do = "nothing was changed, as this was a dry run: correct these first"
        first = min(self._listed, key=lambda problem: problem.line)
        raise InvalidInput(
            f"is wrong in {count_of(self.count, 'place')}, first in line {first.line} ({first}); "
            f"{what_to_do}",
            where=self._file,
        )


def import_rows(
    file: str,
    read: Callable[[Lines], Iterable[Entry[T] | Problem]],
    save: Callable[[Records, Sequence[T]], Awaitable[object]],
    out: Output,
) -> tuple[int, Faults]:
    """Save the sound rows of a file, many in one transaction. Returns how many; and the others.

    The file is read as it is saved, so it may be of any size.
    """
    faults = Faults(label(file), out)

    async def work(source: Source, bar: Bar) -> int:
        saved = 0
        async with records(dry_run=out.dry_run) as here:
            bar.begin("importing", source.size)
            rest = iter(read(source))
            while some := list(islice(rest, ROWS_AT_ONCE)):
                sound: list[Entry[T]] = []
                for row in some:
                    if isinstance(row, Problem):
                        faults.add(row)
                    else:
                        sound.append(row)
                saved += await save_rows(sound, partial(save, here), faults)
                bar.reached(source.bytes_read)
        return saved

    with opened(file) as source, progress() as bar:
        return asyncio.run(work(source, bar)), faults


async def save_rows(
    rows: Sequence[Entry[T]], save: Callable[[Sequence[T]], Awaitable[object]], faults: Faults
) -> int:
    """Save rows together. Where some are refused, find them by halves, and save the others."""
    if not rows:
        return 0
    try:
        await save([row.content for row in rows])
    except Refused as refusal:
        if len(rows) == 1:
            faults.add(Problem(rows[0].line, "", str(refusal)))
            return 0
        middle = len(rows) // 2
        return await save_rows(rows[:middle], save, faults) + await save_rows(
            rows[middle:], save, faults
        )
    return len(rows)


def sort_out(rows: Iterable[Entry[T] | Problem]) -> tuple[list[Entry[T]], list[Problem]]:
    """The sound rows, and the problems of the others."""
    sound: list[Entry[T]] = []
    problems: list[Problem] = []
    for row in rows:
        if isinstance(row, Problem):
            problems.append(row)
        else:
            sound.append(row)
    return sound, problems


def as_rows(problems: Sequence[Problem]) -> list[dict[str, Any]]:
    """The problems, for a JSON document."""
    return [asdict(problem) for problem in problems]


def tell_of(problems: Sequence[Problem], file: str, out: Output) -> None:
    """After the sound rows were taken, report the others. Raises InvalidInput if there are any."""
    faults = Faults(file, out)
    for problem in problems:
        faults.add(problem)
    faults.end()
