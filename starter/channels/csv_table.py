"""A CSV file as documents, one for each row; a fault in a row costs only that row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import ValidationError

from domain.faults import faults
from domain.fields import Document
from starter.channels.csv_rows import Columns, columns_of, rows_below
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
    yield from read_rows(columns_of(next(lines, "")), lines, model, foreign=foreign)


def read_rows(
    columns: Columns, lines: Iterable[str], model: type[T], *, foreign: bool = False
) -> Iterator[Entry[T] | Problem]:
    """Like `read_table`, for a file whose header has been read: `lines` are those below it."""
    columns = columns.named(model.model_fields)
    if fault := _header_fault(columns, model, foreign=foreign):
        yield Problem(1, "", fault)
        return
    for row in rows_below(lines, columns):
        if row.fault:
            yield Problem(row.line, "", row.fault)
            continue
        cells = {name: cell for name, cell in row.cells.items() if cell}
        if foreign:
            cells = {name: cell for name, cell in cells.items() if name in model.model_fields}
        try:
            content = model.model_validate_strings(cells)
        except ValidationError as error:
            for _, field, reason in faults(error):
                yield Problem(row.line, field, reason)
        else:
            yield Entry(row.line, content)


def _header_fault(columns: Sequence[str], model: type[Document], *, foreign: bool) -> str:
    fields = model.model_fields
    must = [name for name, field in fields.items() if field.is_required()]
    may = [name for name, field in fields.items() if not field.is_required()]
    known = f"it must name {','.join(must)}" + (f", and may name {','.join(may)}" if may else "")
    if not any(columns):
        return f"there is no header; {known}"
    if len(set(columns)) < len(columns):
        return "the header names a column twice"
    if missing := [name for name in must if name not in columns]:
        return f"the header lacks {', '.join(missing)}; {known}"
    extra = [name or "a column without a name" for name in columns if name not in fields]
    if extra and not foreign:
        return f"the header has {', '.join(extra)}, which is not known; {known}"
    return ""
