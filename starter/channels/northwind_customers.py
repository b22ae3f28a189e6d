"""The names of Northwind's customers, from its customers.csv."""

from __future__ import annotations

from typing import Final

from starter.channels.csv_dialect import columns_of
from starter.channels.csv_rows import header_fault, lines_in, rows_below
from starter.channels.read_results import Problem, limited

_CUSTOMER_COLUMNS: Final = ("customer_id", "company_name")


def read_customers(text: str) -> tuple[dict[str, str], tuple[Problem, ...]]:
    """Customer id → company name, from the export's customers.csv, and the unreadable rows."""
    lines = lines_in(text)
    columns = columns_of(lines).named(_CUSTOMER_COLUMNS)
    fault = header_fault(columns, _CUSTOMER_COLUMNS, None)
    if fault:
        return {}, (Problem(columns.line, "", fault),)
    names: dict[str, str] = {}
    problems: list[Problem] = []
    for row in rows_below(lines, columns):
        if row.fault:
            problems.append(Problem(row.line, "", row.fault))
        else:
            names[row.cells["customer_id"]] = row.cells["company_name"]
    return names, limited(problems)
