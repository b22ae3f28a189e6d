"""Tables that people write: sound rows are taken, each fault is told with its line and column."""

from __future__ import annotations

from datetime import date

import pytest

from domain.stock.items import Item
from starter.channels.csv_table import Entry
from starter.channels.items_csv import read_items
from starter.channels.read_results import Problem


def test_rows_are_items_wherever_the_columns_stand() -> None:
    data = b"backorder,sku,available_from\nyes,TEA,\n,POT,2026-12-24\n"
    assert list(read_items(data)) == [
        Entry(2, Item(sku="TEA", backorder=True)),
        Entry(3, Item(sku="POT", available_from=date(2026, 12, 24))),
    ]


def test_a_wrong_row_costs_only_itself() -> None:
    data = (
        b"sku,backorder,discontinued\n"
        b'TEA,perhaps,\n,yes,\nPOT,yes,yes\n"MUG,yes,\nCUP,yes\nTIN,,yes\n'
    )
    found = list(read_items(data))
    assert [(p.line, p.field) for p in found if isinstance(p, Problem)] == [
        *((2, "backorder"), (3, "sku"), (4, "backorder"), (5, ""), (6, "")),
    ]
    assert found[-1] == Entry(7, Item(sku="TIN", discontinued=True))


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", "there is no header"),
        (b"name\nTea\n", "lacks sku"),
        (b"sku,price\nTEA,1\n", "has price"),
        (b"sku,sku\nTEA,TEA\n", "twice"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_problem(data: bytes, fault: str) -> None:
    (problem,) = read_items(data)
    assert isinstance(problem, Problem)
    assert problem.line == 1
    assert fault in problem.reason


def test_northwinds_products_are_items() -> None:
    data = b"product_id,product_name,supplier_id,discontinued\n1,Chai,8,1\n3,Aniseed Syrup,1,0\n"
    assert list(read_items(data)) == [
        Entry(2, Item(sku="NW-1", name="Chai", discontinued=True)),
        Entry(3, Item(sku="NW-3", name="Aniseed Syrup", backorder=True)),
    ]
