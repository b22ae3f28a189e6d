"""Rows of marketplaces' order files: their letters, and which of an order's count."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from starter.channels.csv_dialect import Columns
from starter.channels.csv_rows import Row
from starter.channels.marketplace_tables import Table
from starter.channels.text import WESTERN, first_undecoded, in_letters

_NOTHING: Final = re.compile(r"-?0*([.,]0*)?")


def readable(
    lines: Iterable[str], columns: Columns, table: Table, western: set[int]
) -> Iterator[str]:
    """The lines; one that is not UTF-8 in the letters that its country and currency tell.

    `western`: takes the numbers of lines that were read as Windows-1252, for want of better.
    """
    for number, line in enumerate(lines, start=columns.line + 1):
        if first_undecoded(line) is None:
            yield line
        elif encoding := _encoding(line, columns, table):
            yield in_letters(line, encoding)
        else:
            western.add(number)
            yield in_letters(line, WESTERN)


def _encoding(line: str, columns: Columns, table: Table) -> str | None:
    cells = dict(zip(columns, line.split(columns.separator), strict=False))
    told = (cells.get(name, "").strip().upper() for name in (table.country, table.currency))
    return table.encodings.get(tuple(told))


def that_count(rows: Sequence[Row], table: Table) -> list[Row]:
    """The rows of an order's lines, in the sequence of their ids: another file may have another.

    Files that are put together may hold a row twice, with other news in columns that are not read.
    What was cancelled there is left out, unless all of the order was.
    """
    once: dict[tuple[str | None, ...] | int, Row] = {}
    for row in rows:
        named = bool(row.cells.get(table.line_id))
        once.setdefault(tuple(map(row.cells.get, table.columns)) if named else row.line, row)
    found = sorted(once.values(), key=lambda row: row.cells.get(table.line_id, ""))
    return [row for row in found if not _is_cancelled(row, table)] or found


def _is_cancelled(row: Row, table: Table) -> bool:
    numbers = (row.cells.get(name, "") for name in (table.quantity, *table.amounts))
    return bool(row.cells.get(table.quantity)) and all(map(_NOTHING.fullmatch, numbers))
