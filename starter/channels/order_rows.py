"""Orders in tables with a row for each of their lines: whose row is whose, and what is wrong.

The rows of one order need not stand together. A row that cannot be read is reported, and its order
is not placed, because it would lack a line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError

from domain.faults import faults, path
from domain.orders.order import Order
from starter.channels.csv_dialect import Columns
from starter.channels.csv_rows import Row, rows_below
from starter.channels.csv_table import spelled
from starter.channels.read_results import Problem, Record, limited


@dataclass(frozen=True)
class Key:
    """The column with the order's number, and what that looks like. `words`: the same in words."""

    column: str
    shape: re.Pattern[str]
    words: str


@dataclass
class OrderRows:
    """The rows of one order, and their problems. `number`: the order's, as its table has it."""

    number: str
    rows: list[Row] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def line(self) -> int:
        """Where it begins."""
        lines = [row.line for row in self.rows] + [problem.line for problem in self.problems]
        return min(lines)

    def must_agree(self, columns: Iterable[str]) -> None:
        """Note where a row says something else of the whole order than the first one."""
        first = self.rows[0]
        for row in self.rows[1:]:
            self.problems += [
                Problem(row.line, name, f"differs from line {first.line} of the same order")
                for name in columns
                if row.cells.get(name) != first.cells.get(name)
            ]


def gather(
    lines: Iterable[str], columns: Columns, key: Key, numbers: Mapping[str, bool]
) -> tuple[list[OrderRows], list[Problem]]:
    """The rows of each order, in the sequence of their first ones, and rows of no known order.

    `numbers`: column → whether its numbers are whole.
    """
    by_number: dict[str, OrderRows] = {}
    strays: list[Problem] = []
    before: OrderRows | None = None
    unclaimed: Problem | None = None
    for found in rows_below(lines, columns):
        wrong: list[Problem] = []
        row = replace(found, cells=spelled(found, columns, numbers, wrong))
        told = row.cells.get(key.column, "")
        number = told if key.shape.fullmatch(told) else _guess_number(row, columns, key)
        if not number:
            reason = f"must be {key.words}" if told else "is missing"
            stray = Problem(row.line, key.column, row.fault or reason)
            strays.append(stray)
            unclaimed = stray
            if before is not None:
                before.problems.append(_lost_row(stray))
            continue
        one = by_number.setdefault(number, OrderRows(number))
        if unclaimed is not None and one is not before:
            one.problems.append(_lost_row(unclaimed))
        unclaimed = None
        before = one
        if row.fault:
            fault = Problem(row.line, "", row.fault)
            one.problems.append(fault)
            unclaimed = fault if row.swallows_next else None
        else:
            one.rows.append(row)
            one.problems += wrong
    return list(by_number.values()), strays


def _guess_number(row: Row, columns: Columns, key: Key) -> str:
    """The order of a row that cannot be split into cells: its first cell is always whole."""
    if not row.fault or columns[0] != key.column:
        return ""
    first = row.raw.split(columns.separator, 1)[0].strip(' "')
    return first if key.shape.fullmatch(first) else ""


def _lost_row(stray: Problem) -> Problem:
    return Problem(
        stray.line,
        stray.field,
        "this row may be a line of this order, which is not placed without it; correct the row",
    )


@dataclass(frozen=True)
class Places:
    """In which column a fault of the canonical order must be corrected.

    `of_order`: place in the document → column; `of_line`: field of a line → column.
    """

    of_order: Mapping[str, str]
    of_line: Mapping[str, str]


def to_records(
    gathered: Iterable[OrderRows],
    strays: Iterable[Problem],
    document: Callable[[OrderRows], dict[str, Any]],
    places: Places,
) -> Iterator[Record]:
    """Each order, or all that is wrong with it.

    `document`: makes the canonical one of an order's rows, of which there is at least one, and adds
    what is wrong with them to their problems.
    """
    yield from (Record(line=stray.line, problems=(stray,)) for stray in strays)
    for one in gathered:
        yield _to_record(one, document, places)


def _to_record(
    one: OrderRows, document: Callable[[OrderRows], dict[str, Any]], places: Places
) -> Record:
    problems = list(one.problems)
    if one.rows:
        content = document(one)
        problems = list(one.problems)
        try:
            order = Order.model_validate(content)
        except ValidationError as error:
            problems += _faults(one, error, places)
        else:
            if not problems:
                return Record(line=one.line, order=order, name=one.number)
    told: dict[tuple[int, str], Problem] = {}
    for problem in problems:  # The first one names the cause.
        told.setdefault((problem.line, problem.field), problem)
    problems = sorted(told.values(), key=lambda problem: problem.line)
    return Record(line=one.line, problems=limited(problems), name=one.number)


def _faults(one: OrderRows, error: ValidationError, places: Places) -> Iterator[Problem]:
    """The canonical order's faults, with line and column of the table."""
    for place, where, reason in faults(error):
        line, column = one.rows[0].line, places.of_order.get(where, where)
        match place:
            case ("lines", int(index), str(name), *_):
                line = one.rows[index].line
                column = places.of_line.get(name, path(place[2:]))
        yield Problem(line, column, reason)
