"""Places of goods and codes on goods, from CSV, a row for each."""

from __future__ import annotations

from collections.abc import Iterator

from domain.warehouse.places import ItemCode, PlacedItem
from starter.channels.csv_dialect import columns_of
from starter.channels.csv_table import Entry, read_rows
from starter.channels.read_results import Problem
from starter.channels.text import Lines, lines_of


def read_places(source: bytes | Lines) -> Iterator[Entry[PlacedItem] | Problem]:
    """Each row as a place of a SKU, or its problem."""
    lines = lines_of(source)
    yield from read_rows(columns_of(lines).named(PlacedItem.model_fields), lines, PlacedItem)


def read_item_codes(source: bytes | Lines) -> Iterator[Entry[ItemCode] | Problem]:
    """Each row as a code, or its problem."""
    lines = lines_of(source)
    yield from read_rows(columns_of(lines).named(ItemCode.model_fields), lines, ItemCode)
