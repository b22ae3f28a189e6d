"""One table in the ways that programs of all countries write it: it reads as the same rows."""

from __future__ import annotations

import codecs
import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.errors import InvalidInput
from domain.money import Price
from domain.purchasing.purchase_orders import SupplierItem
from domain.stock.locations import Location, Locations
from domain.stock.stock_levels import StockLevels
from starter.channels.csv_table import Entry, read_table
from starter.channels.documents import read_orders
from starter.channels.items_csv import read_items
from starter.channels.kits_csv import read_kits
from starter.channels.northwind import ORDER_COLUMNS
from starter.channels.northwind_customers import read_customers
from starter.channels.read_results import Problem
from starter.channels.stock_csv import StockRow, read_stock
from starter.cli.terminal.options import read_json_file

FIVE = [("PROBE", "main", 5, None)]


def stock(data: bytes) -> list[tuple[str, str, int, Price | None]]:
    rows = list(read_stock(data))
    assert all(isinstance(row, StockRow) for row in rows), rows
    return [(r.sku, r.location, r.quantity, r.cost) for r in rows if isinstance(r, StockRow)]


def fault(data: bytes) -> str:
    (problem,) = read_stock(data)
    assert isinstance(problem, Problem)
    return str(problem)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"sku;location;quantity\r\nPROBE;main;5\r\n", id="semicolons"),
        pytest.param(b"sku|location|quantity\nPROBE|main|5\n", id="bars"),
        pytest.param(b"sep=,\r\nsku,location,quantity\r\nPROBE,main,5\r\n", id="separator-line"),
        pytest.param(b"sep=;\nsku;location;quantity\nPROBE;main;5\n", id="separator-semicolon"),
        pytest.param(b"SKU,Location,Quantity\r\nPROBE,main,5\r\n", id="header-case"),
        pytest.param(b"quantity,SKU ,\xc2\xa0LOCATION\n5,PROBE,main\n", id="header-order"),
        pytest.param(b"sku,location,quantity,\r\nPROBE,main,5,\r\n", id="trailing-comma"),
        pytest.param(b"sku;location;quantity;;\r\nPROBE;main;5;;\r\n", id="trailing-semicolons"),
        pytest.param(b"sku,location,quantity\nPROBE,main,5,,\n", id="empty-cells-behind"),
        pytest.param(b"sku,,location,quantity\nPROBE,,main,5\n", id="empty-column"),
        pytest.param(
            b"sku,location,quantity\r\nPROBE,main,5\r\n" + b",,\r\n" * 200, id="comma-rows"
        ),
        pytest.param(b"\n,,\nsku,location,quantity\n\nPROBE,main,5\n\n", id="empty-rows-above"),
        pytest.param(b"sku,location,quantity\rPROBE,main,5\r", id="cr-only"),
        pytest.param(b"sku,location,quantity\nPROBE\xc2\xa0,main,5\n", id="nbsp"),
        pytest.param(b"sku,location,quantity\nPROBE,main,5.0\n", id="point-zero"),
        pytest.param(b"sku;location;quantity\nPROBE;main;5,00\n", id="comma-zero"),
        pytest.param(b'"sku,location,quantity"\n"PROBE,main,5"\n', id="rows-in-quotes"),
        pytest.param(b'"sku;location;quantity"\n"PROBE;""main"";5"\n', id="rows-in-quotes-2"),
        pytest.param(b'sku,location,quantity\n"PROBE,main,5",,\n', id="a-row-in-quotes"),
        pytest.param(b'sku,location,quantity\n="PROBE",main,"=""5"""\n', id="formulas"),
        pytest.param(b"sku,location,quantity\nPROBE,main,5\n\x1a", id="end-of-file-sign"),
        pytest.param("sku\tlocation\tquantity\r\nPROBE\tmain\t5\r\n".encode("utf-16"), id="utf-16"),
        pytest.param(
            "sku\tlocation\tquantity\r\nPROBE\tmain\t5\r\n".encode("utf-16-be"), id="no-mark"
        ),
    ],
)
def test_a_spreadsheets_table_gives_its_five_units(data: bytes) -> None:
    assert stock(data) == FIVE


def test_a_decimal_comma_is_read_where_it_can_be_nothing_else() -> None:
    data = b"sku;location;quantity;unit_cost;currency\r\nPROBE;main;5;3,20;EUR\r\n"
    assert stock(data) == [("PROBE", "main", 5, Price(each=Decimal("3.20"), currency="EUR"))]
    data = b'sku,location,quantity,unit_cost,currency\nPROBE,main,5,"0,125",KWD\n'
    assert stock(data) == [("PROBE", "main", 5, Price(each=Decimal("0.125"), currency="KWD"))]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("units", ["1,000", "1.000", "12,000", "-1,000"])
def test_units_that_may_be_a_thousand_are_refused_and_never_one(separator: str, units: str) -> None:
    data = separator.join(("sku", "location", "quantity")) + "\n"
    data += separator.join(("PROBE", "main", f'"{units}"'))
    bare = units.replace(",", "").replace(".", "")
    assert fault(data.encode()) == (
        f"quantity: {units} may be {bare} or {units.replace(',', '.')}; write {bare}"
    )


def test_an_amount_that_may_be_a_thousand_is_refused_with_both_ways_to_write_it() -> None:
    header = "sku;location;quantity;unit_cost;currency\n"
    for cell in ("3,125", "3.125"):
        assert fault(f"{header}PROBE;main;5;{cell};KWD".encode()) == (
            f"unit_cost: {cell} may be 3125 or 3.125; write 3125 or 3.1250"
        )
    plain = b"sku,location,quantity,unit_cost,currency\nPROBE,main,5,3.125,KWD\n"
    assert stock(plain) == [("PROBE", "main", 5, Price(each=Decimal("3.125"), currency="KWD"))]


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (b"sku:location:quantity\nA:b:1\n", "its columns are parted by :"),
        (b"sku  location  quantity\nA  b  1\n", "its columns are parted by spaces"),
        (b"PK\x03\x04\x14\x00\x06\x00", "is a workbook or an archive; save the table as CSV"),
        ("sku,location,größe\nA,b,1\n".encode("cp1252"), "the header is not valid UTF-8"),
        ("sku,location,quantity\nTÜTE,b,1\n".encode("cp1252"), "is not valid UTF-8"),
        ("sku,location,quantity\n녹차,b,1\n".encode("cp949"), "is not valid UTF-8"),
        ("sku,location,quantity\nTEA,b,1\n".encode("utf-16")[:-1], "is not valid UTF-8"),
        (b"sku,location,quantity\nPROBE;main;5\n", "parted by ;, and the header by ,"),
        (b"", "there is no header"),
    ],
)
def test_what_is_not_understood_is_named_by_its_cause_and_once(data: bytes, cause: str) -> None:
    try:
        found = [fault(data)]
    except InvalidInput as error:
        found = [str(error)]
    assert cause in found[0]


def test_a_cell_beside_the_named_columns_is_a_fault_and_not_left_out() -> None:
    assert fault(b"sku,location,quantity,\nPROBE,main,5,7\n").startswith("has 4 cells")
    assert fault(b"sku,,location,quantity\nPROBE,7,main,5\n") == (
        "has a cell in a column without a name"
    )


@pytest.mark.parametrize("between", [b"", b"\xef\xbb\xbf", b"sep=;\n", b"\n\n;;\n"])
def test_files_put_together_are_one(between: bytes) -> None:
    one = b"sku;location;quantity\nPROBE;main;5\n"
    again = one.replace(b"sku", b"SKU") if between else one
    assert stock(between + one + between + again) == 2 * FIVE


def test_every_import_reads_the_same_ways_of_writing() -> None:
    items = list(read_items(b"SKU;Backorder;Available From\nTEA;yes;2026-12-24\n;;\n"))
    assert [row.content.sku for row in items if isinstance(row, Entry)] == ["TEA"]
    (kit,) = read_kits(b"Kit;Part;Units;\rBOX;TEA;2,0;\r")
    assert isinstance(kit, Entry)
    assert kit.content.parts == {"TEA": 2}
    terms = (
        "Supplier\tName\tSKU\tLead time days\tUnit price\tCurrency\nacme\t1,50\tTEA\t3\t1,50\tEUR"
    )
    (term,) = read_table(terms.encode("utf-16"), SupplierItem)
    assert isinstance(term, Entry)
    assert (term.content.name, term.content.unit_price) == ("1,50", Decimal("1.50"))
    (level,) = read_table(
        b"sku;location;reorder_point;order_up_to;service_level\nTEA;main;5,0;20;0,95", StockLevels
    )
    assert isinstance(level, Entry)
    assert level.content.service_level == 0.95
    names, problems = read_customers("Customer ID;Company Name\nPROBE;Łódź\n")
    assert (names, problems) == ({"PROBE": "Łódź"}, ())


# Orders -------------------------------------------------------------------------------------------

_ORDER = (
    '{"channel": "web", "channel_order_id": "%s", "placed_at": "2026-11-27T10:00:00Z", '
    '"customer": {"id": "C-1", "name": "Ada Pröbe"}, "currency": "EUR", "lines": [{"line_id": "1", '
    '"sku": "PROBE", "quantity": 1, "unit_price": "10.00"}], "shipping": {"address": {"name": '
    '"Ada Probe", "line1": "Probeweg 1", "city": "Berlin", "postal_code": "10115", '
    '"country": "DE"}}, "payment": {"token": "tok_ok"}}'
)
_EXPORT = {
    **dict(zip(ORDER_COLUMNS, [""] * len(ORDER_COLUMNS), strict=True)),
    "order_id": "90012",
    "customer_id": "PROBE",
    "order_date": "2026-11-27",
    "shipper_id": "1",
    "required_date": "2026-12-25",
    "freight": "1.00",
    "ship_name": "Ada Pröbe",
    "ship_address": "Probeweg 1",
    "ship_city": "Berlin",
    "ship_postal_code": "10115",
    "ship_country": "Germany",
    "product_id": "1",
    "unit_price": "18.00",
    "quantity": "1",
    "discount": "0.00",
}


def export(order_id: str, *, separator: str = ",", comma: bool = False) -> str:
    cells = {**_EXPORT, "order_id": order_id}
    if comma:
        for name in ("freight", "unit_price", "discount"):
            cells[name] = cells[name].replace(".", ",")
    return f"{separator.join(cells)}\r\n{separator.join(cells.values())}\r\n"


def placed(data: bytes) -> list[str]:
    records = list(read_orders(data))
    assert all(record.order is not None for record in records), records
    return [record.order.order_id for record in records if record.order is not None]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", ""])
@pytest.mark.parametrize("mark", ["\ufeff", "\n\ufeff"])
def test_order_files_put_together_are_all_read(end: str, mark: str) -> None:
    files = mark + _ORDER % "B1" + end + mark + _ORDER % "B2" + end
    assert placed(files.encode()) == ["web-B1", "web-B2"]


def test_arrays_and_orders_over_several_lines_may_be_put_together() -> None:
    one, two = (json.dumps(json.loads(_ORDER % name), indent=2) for name in ("B1", "B2"))
    three = f"[\n{_ORDER % 'B3'},\n{_ORDER % 'B4'}\n]"
    data = "".join(f"\ufeff{part}\r\n" for part in (one, three, two)).encode()
    assert placed(data) == ["web-B1", "web-B3", "web-B4", "web-B2"]
    lines = [record.line for record in read_orders(data)]
    assert lines == [1, one.count("\n") + 3, one.count("\n") + 4, one.count("\n") + 6]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig", "utf-32"])
def test_orders_in_any_encoding_of_unicode_are_read(encoding: str) -> None:
    (record,) = read_orders((_ORDER % "B3").encode(encoding))
    assert record.order is not None
    assert record.order.customer.name == "Ada Pröbe"
    assert placed(f"{_ORDER % 'B1'}\n{_ORDER % 'B2'}\n".encode(encoding)) == ["web-B1", "web-B2"]
    assert placed(f"[{_ORDER % 'B1'},\n{_ORDER % 'B2'}]".encode(encoding)) == ["web-B1", "web-B2"]
    assert placed(export("90012").encode(encoding)) == ["b2b-90012"]


def test_exports_put_together_skip_the_second_header() -> None:
    data = f"\ufeff{export('90012')}\ufeff{export('90013')}"
    assert placed(data.encode()) == ["b2b-90012", "b2b-90013"]


def test_an_export_with_semicolons_and_decimal_commas_is_the_same_order() -> None:
    (plain,) = read_orders(export("90012").encode())
    (other,) = read_orders(export("90012", separator=";", comma=True).encode())
    assert plain.order is not None
    assert plain.order == other.order


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_settings_in_json_may_begin_with_a_mark(encoding: str, tmp_path: Path) -> None:
    file = tmp_path / "locations.json"
    file.write_bytes('{"locations": [{"location": "main"}]}\r\n'.encode(encoding))
    assert read_json_file(Locations, file).locations == (Location(location="main"),)
    file.write_bytes('{"locations": [], "größe": 1}'.encode("cp1252"))
    with pytest.raises(InvalidInput, match="is not valid UTF-8"):
        read_json_file(Locations, file)


# Any table in any of these ways -------------------------------------------------------------------

NAMES = st.text("ABCß녹Đ0123456789-,;|\t\" '.=", min_size=1, max_size=12).map(
    lambda text: " ".join(f"N{text}E".split())
)
ROWS = st.lists(
    st.tuples(NAMES, st.sampled_from(["S-1", "7"]), st.integers(0, 300), st.integers(1, 9999)),
    min_size=1,
    max_size=8,
)


@dataclass(frozen=True)
class Written:
    """The way in which a table is written."""

    separator: str
    encoding: str
    end: str
    last_end: bool
    separator_line: bool
    trailing: int
    quoted: bool
    quote_rows: bool
    point_zero: bool
    empty_rows: int
    title: bool
    order: Sequence[int]
    again: bool

    def table(self, rows: Sequence[tuple[str, str, int, int]]) -> bytes:
        comma = self.separator != ","
        names = ["name", "sku", "lead_time_days", "unit_price", "currency", "supplier"]
        lines = [f"sep={self.separator}"] if self.separator_line else []
        header = self._row([name.title() if self.title else name for name in names])
        lines.append(header)
        for number, (name, sku, days, cents) in enumerate(rows):
            price = f"{cents // 100}.{cents % 100:02}"
            shown = f"{days}.0" if self.point_zero else str(days)
            cells = [name, sku, shown, price, "EUR", "acme"]
            if comma:
                cells[2:4] = [cell.replace(".", ",") for cell in cells[2:4]]
            lines.append(self._row(cells))
            lines += [self.separator * (len(names) + self.trailing - 1), ""] * self.empty_rows
            if self.again and number == 0:
                lines.append(f"\ufeff{header}")
        text = self.end.join(lines) + (self.end if self.last_end else "")
        return text.encode(self.encoding)

    def _row(self, cells: Sequence[str]) -> str:
        placed = [cells[place] for place in self.order] + [""] * self.trailing
        row = self._joined(placed, quoted=self.quoted)
        return self._joined([row], quoted=True) if self.quote_rows else row

    def _joined(self, cells: Sequence[str], *, quoted: bool) -> str:
        out = io.StringIO()
        csv.writer(
            out,
            delimiter=self.separator,
            lineterminator="",
            quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL,
        ).writerow(cells)
        return out.getvalue()


WAYS = st.builds(
    Written,
    separator=st.sampled_from([",", ";", "\t", "|"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    last_end=st.booleans(),
    separator_line=st.booleans(),
    trailing=st.integers(0, 2),
    quoted=st.booleans(),
    quote_rows=st.booleans(),
    point_zero=st.booleans(),
    empty_rows=st.integers(0, 2),
    title=st.booleans(),
    order=st.permutations(range(6)),
    again=st.booleans(),
)


@given(ROWS, WAYS)
@example(
    [("A,1", "S-1", 5, 320)],
    Written(";", "utf-16", "\r", False, True, 1, True, True, True, 2, True, range(6), True),
)
def test_a_table_reads_as_the_same_rows_in_whatever_way_it_is_written(
    rows: Sequence[tuple[str, str, int, int]], way: Written
) -> None:
    found = list(read_table(way.table(rows), SupplierItem))
    assert [row.content for row in found if isinstance(row, Entry)] == [
        SupplierItem(
            supplier="acme",
            name=name,
            sku=sku,
            lead_time_days=days,
            unit_price=Decimal(cents) / 100,
            currency="EUR",
        )
        for name, sku, days, cents in rows
    ]
    assert len(found) == len(rows)


@given(st.binary(max_size=300), st.sampled_from([b"", codecs.BOM_UTF16_LE, codecs.BOM_UTF8]))
def test_no_bytes_make_the_table_reader_raise_anything_but_a_fault(
    data: bytes, mark: bytes
) -> None:
    for head in (b"", b"sku,location,quantity\n"):
        try:
            rows = list(read_stock(mark + head + data))
        except InvalidInput:
            continue
        assert all(row.line >= 1 for row in rows)
