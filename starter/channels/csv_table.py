"""A CSV file as documents, one for each row; a fault in a row costs only that row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any, Generic, TypeVar, get_args

from pydantic import ValidationError

from domain.faults import faults
from domain.fields import Document
from starter.channels.csv_dialect import BadRow, Columns, columns_of, plain_number
from starter.channels.csv_rows import Row, header_fault, rows_below
from starter.channels.read_results import Problem
from starter.channels.text import Lines, lines_of

T = TypeVar("T", bound=Document)


@dataclass(frozen=True)
class Entry(Generic[T]):
    """A sound row, and its line in the file."""

    line: int
    content: T


def read_table(
    source: bytes | Lines, model: type[T], *, foreign: bool = False
) -> Iterator[Entry[T] | Problem]:
    """Each row as a document of this model, whose fields name the columns, or its problems.

    Columns may stand in any order. Columns of fields with a default may be left out, and so may
    their cells. A `foreign` file was not made for Orderloom: its other columns are ignored. A file
    that cannot be used is one problem.
    """
    lines = lines_of(source)
    yield from read_rows(columns_of(lines), lines, model, foreign=foreign)


def read_rows(
    columns: Columns, lines: Iterable[str], model: type[T], *, foreign: bool = False
) -> Iterator[Entry[T] | Problem]:
    """Like `read_table`, for a file whose header has been read: `lines` are those below it."""
    fields = model.model_fields
    columns = columns.named(fields)
    must = [name for name, field in fields.items() if field.is_required()]
    may = [name for name, field in fields.items() if not field.is_required()]
    if fault := header_fault(columns, must, None if foreign else may):
        yield Problem(columns.line, "", fault)
        return
    numbers = numbers_of(model)
    for row in rows_below(lines, columns):
        if row.fault:
            yield Problem(row.line, "", row.fault)
            continue
        problems: list[Problem] = []
        cells = spelled(row, columns, numbers, problems)
        yield from problems
        if problems:
            continue
        try:
            content = model.model_validate_strings(
                {name: cell for name, cell in cells.items() if cell and name in fields}
            )
        except ValidationError as error:
            for _, field, reason in faults(error):
                yield Problem(row.line, field, reason)
        else:
            yield Entry(row.line, content)


def spelled(
    row: Row, columns: Columns, numbers: Mapping[str, bool], problems: list[Problem]
) -> dict[str, str]:
    """The cells of a row, its numbers as programs spell them; wrong ones are added to `problems`.

    `numbers`: column → whether its numbers are whole.
    """
    cells = dict(row.cells)
    for name in numbers.keys() & cells.keys():
        try:
            cells[name] = plain_number(cells[name], columns, whole=numbers[name])
        except BadRow as error:
            problems.append(Problem(row.line, name, str(error)))
    problems.sort(key=lambda problem: (problem.line, problem.field))
    return cells


@cache
def numbers_of(model: type[Document]) -> dict[str, bool]:
    """The fields that hold numbers, and whether these are whole."""
    held = {name: set(_types(field.annotation)) for name, field in model.model_fields.items()}
    return {name: int in types for name, types in held.items() if types & {int, float, Decimal}}


def _types(annotation: Any) -> Iterator[Any]:
    yield annotation
    for inner in get_args(annotation):
        yield from _types(inner)
