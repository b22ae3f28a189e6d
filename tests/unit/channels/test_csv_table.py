"""Tables that people write: sound rows are taken, each fault is told with its line and column."""

from __future__ import annotations

from datetime import date

import pytest

from domain.stock.items import Item
from domain.stock.kits import Kit
from starter.channels.csv_table import Entry
from starter.channels.items_csv import read_items
from starter.channels.kits_csv import read_kits
from starter.channels.read_results import Problem
from starter.channels.stock_csv import StockRow, read_stock


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


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("header", ["sku,name,backorder", "SKU, Name ,BackOrder"])
def test_what_a_spreadsheet_makes_of_a_table_is_understood(
    header: str, separator: str, encoding: str
) -> None:
    text = header + '\r\nTEA,"Чай ""名"" ਊ",yes\r\nPOT,,no'
    found = list(read_items(text.replace(",", separator).encode(encoding)))
    assert found == [
        Entry(2, Item(sku="TEA", name='Чай "名" ਊ', backorder=True)),
        Entry(3, Item(sku="POT", backorder=False)),
    ]


def test_a_comma_in_a_cell_of_a_table_with_semicolons_is_a_comma() -> None:
    (entry,) = read_items(b"sku;name\nTEA;black, loose\n")
    assert entry == Entry(2, Item(sku="TEA", name="black, loose"))


def test_every_table_is_understood_in_the_same_way() -> None:
    rows = read_stock(b"SKU;Location;Quantity;Unit Cost;Currency\nTEA;main;3;1.20;EUR\n")
    assert [(r.sku, r.quantity, str(r.unit_cost)) for r in rows if isinstance(r, StockRow)] == [
        ("TEA", 3, "1.20")
    ]
    kits = list(read_kits(b"Kit\tPart\tUnits\nSET\tTEA\t2\n"))
    assert kits == [Entry(2, Kit(sku="SET", parts={"TEA": 2}))]


def test_a_name_that_is_written_twice_in_two_ways_is_twice() -> None:
    (problem,) = read_items(b"sku,SKU\nTEA,POT\n")
    assert isinstance(problem, Problem)
    assert "twice" in problem.reason
