"""Rows of a CSV text, each with its line; a broken row costs only itself.

A quote that is never closed would make the `csv` module swallow the rest of the file. Here a quoted
cell may span a few lines, as addresses do; if it is longer, the line that it begins on is reported.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from io import StringIO
from itertools import islice
from typing import Final

from starter.channels.csv_dialect import BadRow, Columns, is_blank, unread_header

_LINES_PER_ROW_MAX: Final = 10


@dataclass(frozen=True)
class Row:
    """One row. `cells`: column → text without the space around it; empty if there is a `fault`."""

    line: int
    cells: dict[str, str] = field(default_factory=dict)
    fault: str = ""
    raw: str = ""
    """The first line as it is in the file, to guess which record a faulty row belongs to."""
    swallows_next: bool = False
    """A faulty row with so many cells that it must hold the row below: its line end is lost."""


def lines_in(text: str) -> Iterator[str]:
    """The lines of a decoded text, without their ends."""
    return (line.removesuffix("\n") for line in StringIO(text))


def header_fault(found: Columns, must: Sequence[str], may: Sequence[str] | None = ()) -> str:
    """The fault of a header; empty if it names the columns that it must, in any order.

    `may`: what it may name besides; None: anything.
    """
    known = f"it must name {','.join(must)}" + (f", and may name {','.join(may)}" if may else "")
    named = [name for name in found if name]
    missing = [name for name in must if name not in named]
    extra = [] if may is None else [n for n in named if n not in must and n not in may]
    if found.fault or len(set(named)) < len(named):
        return found.fault or "the header names a column twice"
    if not named:
        return f"there is no header; {known}"
    if missing:
        why = unread_header(found, (*must, *(may or ())))
        return f"{why or 'the header lacks ' + ', '.join(missing)}; {known}"
    return f"the header has {', '.join(extra)}, which is not known; {known}" if extra else ""


def rows_below(lines: Iterable[str], columns: Columns) -> Iterator[Row]:
    """The rows in the lines below the header; only a few at a time are in memory.

    Rows without anything in them, and the same header again, are none.
    """
    rest = iter(lines)
    ahead: deque[str] = deque()
    number = columns.line + 1
    while True:
        ahead.extend(islice(rest, _LINES_PER_ROW_MAX - len(ahead)))
        if not ahead:
            return
        height = 1
        if not is_blank(ahead[0]):
            height = _height(ahead) if columns.quotes else 1
            row = _row("\n".join(islice(ahead, height)), number, columns)
            if row is not None and row.fault:
                # The lines below may well be good: the fault is the quote that joined them.
                height = 1
            if row is not None:
                yield row
        for _ in range(height):
            ahead.popleft()
        number += height


def _height(lines: Iterable[str]) -> int:
    """The number of lines over which the row's quotes are open; one if they never close."""
    quotes = 0
    for height, line in enumerate(lines, start=1):
        quotes += line.count('"')
        if quotes % 2 == 0:
            return height
    return 1


def _row(text: str, line: int, columns: Columns) -> Row | None:
    raw = text.split("\n", 1)[0]
    if columns.is_separator_line(text):
        return None
    try:
        cells = columns.cells(text)
    except BadRow as error:
        return Row(line=line, fault=str(error), raw=raw, swallows_next=error.swallows_next)
    if not cells or columns.repeated_in(cells):
        return None
    named = {name: cell for name, cell in zip(columns, cells, strict=True) if name}
    return Row(line=line, cells=named, raw=raw)
