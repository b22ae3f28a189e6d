"""Imports of tables: what is sound is taken, what is not is reported with its line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any, TypeVar

from domain.errors import InvalidInput
from domain.fields import Document
from starter.channels.csv_table import Entry
from starter.channels.records import Problem
from starter.cli.output import Output, complain, count_of

T = TypeVar("T", bound=Document)


def sort_out(rows: Iterable[Entry[T] | Problem]) -> tuple[list[Entry[T]], list[Problem]]:
    """The sound rows, and what is wrong with the others."""
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
    if not problems:
        return
    if not out.as_json:
        for problem in problems:
            complain(f"{file}:{problem.line}: {problem}")
    raise InvalidInput(
        f"is wrong in {count_of(len(problems), 'place')}, first in line {problems[0].line} "
        f"({problems[0]}); the other rows were taken: correct these and import them again",
        where=file,
    )
