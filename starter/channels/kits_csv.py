"""The parts of kits, from CSV: kit,part,units, a row for each part."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from domain.fields import Document, Sku
from domain.stock.kits import UNITS_MAX, Kit
from starter.channels.csv_dialect import Columns, columns_of
from starter.channels.csv_rows import Row, rows_below
from starter.channels.csv_table import Entry, read_table
from starter.channels.read_results import Problem
from starter.channels.text import lines_of


class _PartRow(Document):
    """The units of one part in one kit."""

    kit: Sku
    part: Sku
    units: Annotated[int, Field(ge=1, le=UNITS_MAX)]


def read_kits(data: bytes) -> Iterator[Entry[Kit] | Problem]:
    """Each kit, with the line of its first row, or the problems of its rows.

    The rows of a kit need not stand together. A wrong row costs the whole kit, which would lack a
    part without it. If the row does not even name its kit, it costs the kit above it.
    """
    kit_at = _kits_by_line(data)
    kits: dict[str, list[Entry[_PartRow]]] = {}
    spoilt: dict[str, int] = {}
    for row in read_table(data, _PartRow):
        problem = row if isinstance(row, Problem) else _fault(row, kits)
        if problem is not None:
            yield problem
            spoilt.setdefault(kit_at.get(problem.line, ""), problem.line)
        elif isinstance(row, Entry):
            kits.setdefault(row.content.kit, []).append(row)
    for sku, rows in kits.items():
        if sku in spoilt:
            reason = f"{sku} was left as it is, because of line {spoilt[sku]}"
            yield Problem(rows[0].line, "kit", reason)
        else:
            parts = {row.content.part: row.content.units for row in rows}
            yield Entry(rows[0].line, Kit(sku=sku, parts=parts))


def _fault(row: Entry[_PartRow], kits: dict[str, list[Entry[_PartRow]]]) -> Problem | None:
    one = row.content
    if one.part == one.kit:
        return Problem(row.line, "part", "a kit cannot contain itself")
    for earlier in kits.get(one.kit, []):
        if earlier.content.part == one.part:
            reason = f"{one.part} is in {one.kit} by line {earlier.line} already; add them up"
            return Problem(row.line, "part", reason)
    return None


def _kits_by_line(data: bytes) -> dict[int, str]:
    """The kit of each row, as far as a wrong row shows it."""
    lines = lines_of(data)
    columns = columns_of(lines).named(_PartRow.model_fields)
    found: dict[int, str] = {}
    above = ""
    for row in rows_below(lines, columns):
        above = _kit_of(row, columns) or above
        found[row.line] = above
    return found


def _kit_of(row: Row, columns: Columns) -> str:
    if row.cells:
        return row.cells.get("kit", "")
    cells = row.raw.split(columns.separator)
    place = columns.index("kit") if "kit" in columns else len(cells)
    return cells[place].strip(' "') if place < len(cells) else ""
