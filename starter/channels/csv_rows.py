"""Rows of a CSV text, each with its line; a broken row costs only itself.

A quote that is never closed would make the `csv` module swallow the rest of the file. Here a quoted
cell may span a few lines, as addresses do; if it is longer, the line that it begins on is reported.
"""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from starter.channels.text import NOT_UTF8, first_undecoded

_LINES_PER_ROW_MAX: Final = 10
_SEPARATORS: Final = ",;\t"


class _BadRow(Exception):
    """The reason why a row cannot be read."""

    def __init__(self, reason: str, *, swallows_next: bool = False) -> None:
        super().__init__(reason)
        self.swallows_next = swallows_next


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


class Columns(tuple[str, ...]):
    """The names in a header, and the character that separates them."""

    separator: str = ","

    def named(self, known: Iterable[str]) -> Columns:
        """The same, in our spelling for names that are ours: `SKU` means sku."""
        ours = {_plain(name): name for name in known}
        columns = Columns(ours.get(_plain(name), name) for name in self)
        columns.separator = self.separator
        return columns


def columns_of(text: str) -> Columns:
    """The names in the first line; empty if it is no CSV header.

    Spreadsheets of many countries write `;` or tabs for the comma. No name holds one of them, so
    there is only one reading.
    """
    header = text.split("\n", 1)[0].rstrip("\r")
    separator = next((sign for sign in _SEPARATORS if sign in header), ",")
    try:
        columns = Columns(cell.strip() for cell in _cells(header, separator))
    except _BadRow:
        return Columns()
    columns.separator = separator
    return columns


def _plain(name: str) -> str:
    return re.sub(r"[ _-]+", "_", name.strip().lower())


def header_fault(found: Sequence[str], wanted: Sequence[str]) -> str:
    """The fault of a header; empty if the wanted columns are there, in any order."""
    missing = [name for name in wanted if name not in found]
    if missing:
        return f"the header lacks {', '.join(missing)}; it must name {','.join(wanted)}"
    extra = [name or "a column without a name" for name in found if name not in wanted]
    if extra:
        return f"the header has {', '.join(extra)}, which is not known; it may name " + ",".join(
            wanted
        )
    if len(found) > len(wanted):
        return "the header names a column twice"
    return ""


def rows_of(text: str, columns: Columns) -> Iterator[Row]:
    """The rows under the header, without blank lines."""
    return rows_below((line.rstrip("\r") for line in text.split("\n")[1:]), columns)


def rows_below(lines: Iterable[str], columns: Columns) -> Iterator[Row]:
    """The rows in the lines below the header; only a few at a time are in memory."""
    rest = iter(lines)
    ahead: deque[str] = deque()
    number = 2
    while True:
        ahead.extend(islice(rest, _LINES_PER_ROW_MAX - len(ahead)))
        if not ahead:
            return
        height = 1
        if ahead[0].strip():
            height = _height(ahead)
            row = _row("\n".join(islice(ahead, height)), number, columns)
            if row.fault:
                # The lines below may well be good: the fault is the quote that joined them.
                height = 1
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


def _row(text: str, line: int, columns: Columns) -> Row:
    raw = text.split("\n", 1)[0]
    try:
        cells = _cells(text, columns.separator)
        if len(cells) != len(columns):
            raise _BadRow(
                f"has {len(cells)} cells where the header has {len(columns)} columns",
                swallows_next=len(cells) > 2 * len(columns) - 2,
            )
    except _BadRow as error:
        return Row(line=line, fault=str(error), raw=raw, swallows_next=error.swallows_next)
    return Row(
        line=line,
        cells={name: cell.strip() for name, cell in zip(columns, cells, strict=True)},
        raw=raw,
    )


def _cells(text: str, separator: str) -> list[str]:
    if first_undecoded(text) is not None:
        raise _BadRow(NOT_UTF8)
    try:
        return next(csv.reader([text], strict=True, delimiter=separator), [])
    except csv.Error as error:
        raise _BadRow(f"is not CSV: {error}") from None
