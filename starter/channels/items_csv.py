"""A shop's settings for SKUs, from CSV: the fields of an item, or a Northwind products.csv."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import BeforeValidator

from domain.fields import Document, Name
from domain.stock.items import Item
from starter.channels.csv_dialect import columns_of
from starter.channels.csv_table import Entry, read_rows
from starter.channels.northwind import sku_of
from starter.channels.read_results import Problem
from starter.channels.text import Lines, lines_of


class _Product(Document):
    """The columns of a Northwind product that belong to an item."""

    product_id: Annotated[str, BeforeValidator(sku_of)]
    product_name: Name
    discontinued: bool

    def item(self) -> Item:
        return Item(
            sku=self.product_id,
            name=self.product_name,
            backorder=not self.discontinued,
            discontinued=self.discontinued,
        )


def read_items(source: bytes | Lines) -> Iterator[Entry[Item] | Problem]:
    """Each row as an item, or its problem.

    Northwind has no backorders; products that are not discontinued are assumed to allow them.
    """
    lines = lines_of(source)
    columns = columns_of(lines).named(_Product.model_fields)
    if "product_id" not in columns:
        yield from read_rows(columns, lines, Item)
        return
    for row in read_rows(columns, lines, _Product, foreign=True):
        yield row if isinstance(row, Problem) else Entry(row.line, row.content.item())
