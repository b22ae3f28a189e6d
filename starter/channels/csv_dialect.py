"""How a CSV file is written: what parts its columns, how it spells their names and its numbers.

Programs and countries differ in this. What can be read in one way only is read; where a text has
two readings, as `1,000` has, it is refused and never guessed.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from starter.channels.text import NOT_UTF8, first_undecoded

SEPARATORS: Final = (",", ";", "\t", "|")
_CALLED: Final = {"\t": "tabs"}

_QUOTED: Final = re.compile(r'"(?:[^"]|"")*"')
# Excel writes this above the header, and reads it.
_SEPARATOR_LINE: Final = re.compile(r'\s*"?sep=(.?)"?[,;\t|\s]*', re.IGNORECASE)

# Spreadsheets keep the zeros at the start of a number so.
_FORMULA: Final = re.compile(r'="([^"]*)"')
_WHOLE: Final = re.compile(r"([+-]?[0-9]+)[.,](0{1,2}|0{4,})")
_DECIMAL_COMMA: Final = re.compile(r"[+-]?[0-9]+,[0-9]+")
# One to three digits, then three: thousands to some, and a decimal fraction to others.
_GROUPED: Final = re.compile(r"[+-]?[1-9][0-9]{0,2}(?P<sign>[.,])[0-9]{3}")


class BadRow(Exception):
    """The reason why a row cannot be read."""

    def __init__(self, reason: str, *, swallows_next: bool = False) -> None:
        super().__init__(reason)
        self.swallows_next = swallows_next


class Columns(tuple[str, ...]):
    """The names in a header, and how the file is written. `""` is a column without a name."""

    separator: str = ","
    line: int = 1
    """The header's line in the file."""
    as_written: tuple[str, ...] = ()
    fault: str = ""
    """Why the header cannot be read."""
    quotes: bool = True
    """A quote at the beginning of a cell opens it. False: it is a sign like any other."""

    def named(self, known: Iterable[str]) -> Columns:
        """The same, in our spelling for names that are ours: `SKU` means sku."""
        ours = {_plain(name): name for name in known}
        columns = Columns(ours.get(_plain(name), name) for name in self)
        columns.separator, columns.line = self.separator, self.line
        columns.as_written, columns.fault = self.as_written, self.fault
        columns.quotes = self.quotes
        return columns

    def cells(self, text: str) -> list[str]:
        """The cells of a row, as many as there are columns; none if all are empty.

        Raises BadRow.
        """
        cells = split(text, self.separator, quotes=self.quotes)
        if not any(cells):
            return []
        if len(cells) != len(self):
            cells = self._trimmed(cells)
        if len(self) > 1 and not any(cells[1:]):
            cells = self._unwrapped(cells)
        if len(cells) != len(self):
            raise BadRow(
                f"has {len(cells)} cells where the header has {len(self)} columns"
                f"{self._other_separator(text)}",
                swallows_next=len(cells) > 2 * len(self) - 2,
            )
        if any(cell and not name for name, cell in zip(self, cells, strict=True)):
            raise BadRow("has a cell in a column without a name")
        return cells

    def repeated_in(self, cells: Sequence[str]) -> bool:
        """Whether these cells are the header again, as in files that were put together."""
        return tuple(map(_plain, cells)) == self.as_written

    @staticmethod
    def is_separator_line(text: str) -> bool:
        """Whether it is the line that Excel reads and no row, as in files put together."""
        return _SEPARATOR_LINE.fullmatch(text) is not None

    def _trimmed(self, cells: list[str]) -> list[str]:
        """Without the empty cells behind the last column."""
        end = len(cells)
        while end > max(len(self), 1) and not cells[end - 1]:
            end -= 1
        return cells[:end]

    def _unwrapped(self, cells: list[str]) -> list[str]:
        """The cells of a row that was quoted as a whole: it came as one cell."""
        try:
            inner = self._trimmed(split(cells[0], self.separator))
        except BadRow:
            return cells
        return inner if len(inner) == len(self) else cells

    def _other_separator(self, text: str) -> str:
        other = separator_of(text)
        if other == self.separator or len(split(text, other)) != len(self):
            return ""
        return f": they are parted by {called(other)}, and the header by {called(self.separator)}"


def columns_of(lines: Iterator[str]) -> Columns:
    """The names in the header; it is read, and what stands above it. Empty if there is none."""
    number, told = 0, ""
    for line in lines:
        number += 1
        separator_line = _SEPARATOR_LINE.fullmatch(line)
        if separator_line:
            told = separator_line[1]
        if separator_line or is_blank(line):
            continue
        separator = told if told in SEPARATORS and told in line else separator_of(line)
        try:
            cells = split(line, separator)
            while cells and not cells[-1]:
                cells.pop()
            if len(cells) == 1 and separator_of(cells[0]) in cells[0]:  # quoted as a whole
                separator = separator_of(cells[0])
                cells = split(cells[0], separator)
        except BadRow as error:
            columns = Columns()
            columns.line, columns.fault = number, f"the header {error}"
            return columns
        if not cells:
            continue
        columns = Columns(cells)
        columns.separator, columns.line = separator, number
        columns.as_written = tuple(map(_plain, cells))
        return columns
    return Columns()


def is_blank(line: str) -> bool:
    """Whether nothing is on the line. MS-DOS ends files with a control character."""
    return not line.strip().strip("\x1a")


def separator_of(line: str) -> str:
    """What parts the columns of a line: the one that stands there most often, outside of quotes."""
    bare = _QUOTED.sub("", line)
    return max(SEPARATORS, key=bare.count)


def called(separator: str) -> str:
    """A separator, as it is called in a message."""
    return _CALLED.get(separator, separator)


def split(text: str, separator: str, *, quotes: bool = True) -> list[str]:
    """The cells, without the space around each. Raises BadRow."""
    if first_undecoded(text) is not None:
        raise BadRow(NOT_UTF8)
    if not quotes:
        return [_unquoted(cell.strip()) for cell in text.split(separator)]
    try:
        rows = csv.reader([text], strict=True, delimiter=separator)
        return [_value(cell.strip()) for cell in next(rows, [])]
    except csv.Error as error:
        raise BadRow(f"is not CSV: {error}") from None


def _unquoted(cell: str) -> str:
    """The cell as it is; one that a spreadsheet has quoted as a whole, without that."""
    inner = _QUOTED.fullmatch(cell)
    return cell[1:-1].replace('""', '"').strip() if inner else _value(cell)


def _value(cell: str) -> str:
    formula = _FORMULA.fullmatch(cell)
    return formula[1].strip() if formula else cell


def plain_number(cell: str, columns: Columns, *, whole: bool) -> str:
    """A number in the spelling of programs: `3,20` is 3.20, and where it is `whole`, `5.0` is 5.

    What is no number stays as it is. Raises BadRow for one that has two readings.
    """
    if whole and (found := _WHOLE.fullmatch(cell)):
        return found[1]
    grouped = _GROUPED.fullmatch(cell)
    # A file with commas between its columns has points in its numbers.
    if grouped and (whole or grouped["sign"] == "," or columns.separator != ","):
        thousands, fraction = re.sub("[.,]", "", cell), cell.replace(",", ".")
        unlike = "" if whole else f" or {fraction}0"
        raise BadRow(f"{cell} may be {thousands} or {fraction}; write {thousands}{unlike}")
    return cell.replace(",", ".") if _DECIMAL_COMMA.fullmatch(cell) else cell


def unread_header(columns: Sequence[str], wanted: Iterable[str]) -> str:
    """What parts the names where it is nothing that is known; empty if that is not the fault."""
    if len(columns) != 1:
        return ""
    names = "|".join(re.escape(name) for name in wanted)
    found = re.search(rf"(?:{names})(\W+?)(?:{names})", columns[0], re.IGNORECASE)
    if found is None:
        return ""
    sign = found[1].strip() or "spaces"
    return f"its columns are parted by {sign}; save it with commas, semicolons or tabs"


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", "_", name.strip().lower())
