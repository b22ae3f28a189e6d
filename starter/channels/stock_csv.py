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
from starter.channels.csv_rows import Row, columns_of, header_fault, rows_below
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
    header = next(lines, "")
    if not header.strip():
        yield Problem(1, "", "is empty; its first line must be sku,location,quantity")
        return
    columns = columns_of(header).named((*COLUMNS, *COST_COLUMNS, *PRODUCT_COLUMNS))
    products = all(name in columns for name in PRODUCT_COLUMNS) and "sku" not in columns
    if not products:
        priced = any(name in columns for name in COST_COLUMNS)
        fault = header_fault(columns, (*COLUMNS, *COST_COLUMNS) if priced else COLUMNS)
        if fault:
            yield Problem(1, "", fault)
            return
    for row in rows_below(lines, columns):
        yield from _read(row, products)


def _read(row: Row, products: bool) -> Iterator[StockRow | Problem]:
    if row.fault:
        yield Problem(row.line, "", row.fault)
        return
    units = row.cells["units_in_stock" if products else "quantity"]
    columns = {"sku": "product_id", "quantity": "units_in_stock"} if products else {}
    content = {
        "line": row.line,
        "sku": sku_of(row.cells["product_id"]) if products else row.cells["sku"],
        "location": DEFAULT_LOCATION if products else row.cells["location"],
        "quantity": int(units) if _WHOLE.fullmatch(units) else units,
        **{name: row.cells[name] for name in COST_COLUMNS if row.cells.get(name) and not products},
    }
    try:
        yield _as_row.validate_python(content)
    except ValidationError as error:
        for _, field, reason in faults(error):
            wrong = field == "quantity" and isinstance(content[field], str)
            told = "must be a whole number of units" if wrong else reason
            yield Problem(row.line, columns.get(field, field), told)
