"""Northwind's own figures, as far as buying needs them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from domain.errors import InvalidInput
from starter.channels.northwind_supply import read_supply

NORTHWIND = Path(__file__).parents[3] / "examples" / "northwind"
TODAY = date(2026, 11, 22)


def test_terms_levels_and_what_is_on_order_are_northwinds() -> None:
    supply = read_supply(
        (NORTHWIND / "products.csv").read_bytes(),
        (NORTHWIND / "suppliers.csv").read_bytes(),
        today=TODAY,
    )
    assert len(supply.terms) == 77
    assert len(supply.levels) == 77 - 10  # the others are discontinued
    on_order = {row.sku: (row.quantity, row.due_on) for row in supply.on_order}
    assert len(on_order) == 17
    assert on_order["NW-3"] == (70, date(2026, 12, 2))
    syrup = next(item for item in supply.terms if item.sku == "NW-3")
    assert (syrup.supplier, syrup.name, syrup.unit_price) == ("SUP-1", "Exotic Liquids", Decimal(6))
    level = next(row for row in supply.levels if row.sku == "NW-3")
    assert (level.reorder_point, level.order_up_to) == (25, 145)


def test_a_file_that_is_not_northwinds_is_refused_with_its_line() -> None:
    suppliers = b"supplier_id,company_name,country\n1,Exotic Liquids,UK\n"
    products = (
        b"product_id,supplier_id,unit_price,units_on_order,reorder_level,discontinued\n"
        b"1,1,ten,0,0,0\n"
    )
    with pytest.raises(InvalidInput, match=r"products.csv:2: unit_price"):
        read_supply(products, suppliers, today=TODAY)
