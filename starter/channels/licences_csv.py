"""Codes to sell, from CSV: sku, code, a row for each."""

from __future__ import annotations

from collections.abc import Iterator

from domain.stock.licences import Licence
from starter.channels.csv_dialect import columns_of
from starter.channels.csv_table import Entry, read_rows
from starter.channels.read_results import Problem
from starter.channels.text import Lines, lines_of


def read_licences(source: bytes | Lines) -> Iterator[Entry[Licence] | Problem]:
    """Each row as a code, or its problem."""
    lines = lines_of(source)
    yield from read_rows(columns_of(lines).named(Licence.model_fields), lines, Licence)
