"""Stock to receive, from CSV: sku,location,quantity, or a Northwind products.csv.

The columns unit_cost,currency may give the cost of a unit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Final

from pydantic import Field, TypeAdapter, ValidationError

from domain.accounting.costs import Priced
from domain.faults import faults
from domain.fields import Id, Sku
from starter.channels.csv_dialect import Columns, columns_of
from starter.channels.csv_rows import Row, header_fault, rows_below
from starter.channels.csv_table import spelled
from starter.channels.northwind import sku_of
from starter.channels.read_results import Problem
from starter.channels.text import Lines, lines_of

COLUMNS: Final = ("sku", "location", "quantity")
COST_COLUMNS: Final = ("unit_cost", "currency")
PRODUCT_COLUMNS: Final = ("product_id", "units_in_stock")
DEFAULT_LOCATION: Final = "main"
UNITS_MAX: Final = 1_000_000_000
"""The most units of one SKU in one row."""

_WHOLE: Final = re.compile(r"[0-9]{1,10}")
_NUMBERS: Final = {"quantity": True, "units_in_stock": True, "unit_cost": False}


class StockRow(Priced):
    """Units of one SKU that arrive at one location. `line` is its line in the file."""

    line: int
    sku: Sku
    location: Id
    quantity: Annotated[int, Field(strict=True, ge=0, le=UNITS_MAX)]


_as_row: Final = TypeAdapter(StockRow)


def read_stock(source: bytes | Lines) -> Iterator[StockRow | Problem]:
    """Each row as stock, or its problem. A file that cannot be used is one problem."""
    lines = lines_of(source)
    columns = columns_of(lines).named((*COLUMNS, *COST_COLUMNS, *PRODUCT_COLUMNS))
    products = all(name in columns for name in PRODUCT_COLUMNS) and "sku" not in columns
    priced = any(name in columns for name in COST_COLUMNS)
    must, may = ((*COLUMNS, *COST_COLUMNS), ()) if priced else (COLUMNS, COST_COLUMNS)
    if not products and (fault := header_fault(columns, must, may)):
        yield Problem(columns.line, "", fault)
        return
    for row in rows_below(lines, columns):
        yield from _read(row, columns, products)


def _read(row: Row, header: Columns, products: bool) -> Iterator[StockRow | Problem]:
    if row.fault:
        yield Problem(row.line, "", row.fault)
        return
    problems: list[Problem] = []
    cells = spelled(row, header, _NUMBERS, problems)
    if problems:
        yield from problems
        return
    units = cells["units_in_stock" if products else "quantity"]
    columns = {"sku": "product_id", "quantity": "units_in_stock"} if products else {}
    content = {
        "line": row.line,
        "sku": sku_of(cells["product_id"]) if products else cells["sku"],
        "location": DEFAULT_LOCATION if products else cells["location"],
        "quantity": int(units) if _WHOLE.fullmatch(units) else units,
        **{name: cells[name] for name in COST_COLUMNS if cells.get(name) and not products},
    }
    try:
        yield _as_row.validate_python(content)
    except ValidationError as error:
        for _, field, reason in faults(error):
            wrong = field == "quantity" and isinstance(content[field], str)
            told = "must be a whole number of units" if wrong else reason
            yield Problem(row.line, columns.get(field, field), told)
