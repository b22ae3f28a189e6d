"""What channels send becomes orders, and whatever is wrong with it is found with its place."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidInput
from domain.money import Price
from starter.channels.documents import BYTES_MAX, load, read_orders
from starter.channels.northwind import ORDER_COLUMNS
from starter.channels.northwind_customers import read_customers
from starter.channels.read_results import PROBLEMS_MAX, Problem, Record
from starter.channels.stock_csv import StockRow, read_stock
from starter.channels.text import decode, no_text
from tests.support.builders import a_document, address_of

EXAMPLES = Path(__file__).parents[3] / "examples"
HEADER = ",".join(ORDER_COLUMNS)


def numbered(number: int, **fields: Any) -> dict[str, Any]:
    return a_document(("TEA", 2), channel_order_id=f"n{number}", **fields)


def read(content: str | bytes, customers: dict[str, str] | None = None) -> list[Record]:
    data = content.encode() if isinstance(content, str) else content
    return list(read_orders(data, customers))


def outcome(content: str | bytes) -> list[tuple[int, str]]:
    """Per record its line, and the order's number or what is wrong with it."""
    return [
        (
            record.line,
            record.order.channel_order_id if record.order else "; ".join(map(str, record.problems)),
        )
        for record in read(content)
    ]


def row(order_id: str = "1", **cells: str) -> str:
    """A row of a Northwind export."""
    whole = {
        "order_id": order_id,
        "customer_id": "VINET",
        "order_date": "1996-07-04",
        "required_date": "1996-08-01",
        "shipped_date": "",
        "shipper_id": "3",
        "freight": "32.38",
        "ship_name": "Vins et alcools Chevalier",
        "ship_address": "59 rue de l'Abbaye",
        "ship_city": "Reims",
        "ship_region": "",
        "ship_postal_code": "51100",
        "ship_country": "France",
        "product_id": "11",
        "unit_price": "14.00",
        "quantity": "12",
        "discount": "0.00",
    }
    assert set(cells) <= set(whole)
    return ",".join({**whole, **cells}.values())


# JSON ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("around", ["{}", "\ufeff{}", "\r\n {}\r\n\r\n", "[{}]", "\ufeff [ {} ] "])
def test_one_order_is_read_however_it_is_wrapped(around: str) -> None:
    for indent in (None, 2):
        text = around.replace("{}", json.dumps(numbered(1), indent=indent))
        assert [name for _, name in outcome(text)] == ["n1"]


def test_an_array_is_read_with_the_line_of_each_element() -> None:
    text = "[\n" + ",\n\n".join(json.dumps(numbered(n), indent=1) for n in (1, 2)) + "\n]\n"
    height = json.dumps(numbered(1), indent=1).count("\n") + 1
    assert outcome(text) == [(2, "n1"), (2 + height + 1, "n2")]


def test_json_lines_are_read_with_blank_lines_between_and_windows_line_ends() -> None:
    text = "\r\n".join(["", json.dumps(numbered(1)), "", json.dumps(numbered(2)), ""])
    assert outcome(text) == [(2, "n1"), (4, "n2")]


def test_an_array_of_no_orders_is_no_order() -> None:
    assert outcome("[ ]") == []


@pytest.mark.parametrize("data", [b"", b"\n \r\n", b"\xef\xbb\xbf"])
def test_an_empty_input_is_a_problem(data: bytes) -> None:
    assert outcome(data) == [(1, "is empty: there is no order in it")]


def test_all_errors_of_an_order_are_reported_with_their_field() -> None:
    document = numbered(1, colour="red")
    document["lines"][0].update(quantity=0, unit_price=12.5, sku="no\ntwo lines")
    del document["shipping"]["address"]["city"]
    (record,) = read(json.dumps(document))
    assert record.order is None
    assert {problem.field for problem in record.problems} == {
        "colour",
        "lines[0].quantity",
        "lines[0].unit_price",
        "lines[0].sku",
        "shipping.address.city",
    }
    assert {problem.line for problem in record.problems} == {1}
    assert record.name == "n1"


def test_a_rule_over_several_fields_names_the_one_at_fault() -> None:
    document = numbered(1, total="1.00")
    (record,) = read(json.dumps(document))
    assert [problem.field for problem in record.problems] == ["total"]
    document = numbered(1)
    document["lines"][0]["discount"] = "20.01"
    (record,) = read(json.dumps(document))
    assert [problem.field for problem in record.problems] == ["lines[0].discount"]


def test_the_list_of_problems_of_one_order_ends_somewhere() -> None:
    (record,) = read(json.dumps(numbered(1, **{f"field{n}": n for n in range(100)})))
    assert len(record.problems) == PROBLEMS_MAX + 1
    assert str(record.problems[-1]) == f"and {100 - PROBLEMS_MAX} more problems"


def test_a_key_that_appears_twice_is_refused() -> None:
    text = json.dumps(numbered(1)).replace('"channel": "web"', '"channel": "pos", "channel": "web"')
    ((line, reason),) = outcome(text)
    assert line == 1
    assert "'channel' appears twice" in reason


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_a_number_that_is_none_is_refused(constant: str) -> None:
    text = json.dumps(numbered(1)).replace('"quantity": 2', f'"quantity": {constant}')
    ((_, reason),) = outcome(text)
    assert reason == f"{constant} is not a JSON value"


def test_what_is_no_object_is_no_order() -> None:
    reasons = [reason for _, reason in outcome('[1, "x", null, []]')]
    assert reasons == ["is not an order: a JSON object is expected here"] * 4


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ('{"a" 1}', "is not JSON"),
        ('{"a": [1, 2}', "is not JSON"),
        ('{"a": "not closed}', "is not JSON"),
        ('{"a": NaN}', "NaN"),
        ('{"a": 1, "a": 2}', "twice"),
        ("", "is not JSON"),
        ("nonsense", "is not JSON"),
        ('{"a": "\x07"}', "is not JSON"),
        ('{"a": ' + "9" * 5000 + "}", "thousands of digits"),
        ('{"a": ' + "[" * 100_000 + "]" * 100_000 + "}", "nested too deeply"),
        ('{"a": "' + "x" * 1_000_001 + '"}', "characters long"),
    ],
)
def test_a_malformed_element_of_an_array_costs_only_itself(broken: str, reason: str) -> None:
    elements = [json.dumps(numbered(1)), broken, json.dumps(numbered(2))]
    first, second, *rest = outcome("[\n" + ",\n".join(elements) + "\n]")
    assert first == (2, "n1")
    assert second[0] == 3
    assert reason in second[1]
    assert rest == [(4, "n2")]


def test_where_brackets_do_not_match_within_a_line_the_rest_is_reported_as_lost() -> None:
    good = json.dumps(numbered(1))
    first, second = outcome(f'[{good}, {{"a": [1}}, {good}]')
    assert first == (1, "n1")
    assert "what follows it cannot be told apart" in second[1]


@pytest.mark.parametrize("first", [True, False])
def test_s34_a_malformed_json_line_costs_only_itself(first: bool) -> None:
    lines = [json.dumps(numbered(n)) for n in range(1, 4)]
    lines.insert(0 if first else 2, '{"channel": "web", ')
    found = outcome("\n".join(lines))
    bad = 1 if first else 3
    assert [line for line, _ in found] == [1, 2, 3, 4]
    assert "is not JSON" in dict(found)[bad]
    assert [name for line, name in found if line != bad] == ["n1", "n2", "n3"]


def test_two_orders_on_one_line_are_refused() -> None:
    one = json.dumps(numbered(1))
    found = outcome(f"{one} {one}\n{json.dumps(numbered(2))}")
    assert "something follows the order on its line" in found[0][1]
    assert found[1] == (2, "n2")


def test_what_follows_an_order_on_its_last_line_is_reported() -> None:
    one, two = (json.dumps(numbered(n), indent=1) for n in (1, 2))
    found = outcome(f"{one} {two}")
    assert found[0] == (1, "n1")
    assert found[1][0] == one.count("\n") + 1
    assert "several orders go into an array" in found[1][1]


def test_an_array_that_was_cut_off_keeps_the_orders_before_the_cut() -> None:
    text = "[\n" + ",\n".join(json.dumps(numbered(n)) for n in (1, 2, 3))
    assert outcome(text)[:3] == [(2, "n1"), (3, "n2"), (4, "n3")]
    assert outcome(text)[3] == (4, "the array is not closed: was the file cut off? ] is missing")
    assert outcome(text[:-20])[:2] == [(2, "n1"), (3, "n2")]


def test_a_comma_too_few_or_too_many_is_reported_and_loses_no_order() -> None:
    one, two = (json.dumps(numbered(n)) for n in (1, 2))
    assert [name for _, name in outcome(f"[{one} {two}]")] == [
        "n1",
        "a comma is missing before this element",
        "n2",
    ]
    names = [name for _, name in outcome(f"[{one}, {two},]")]
    assert names[:2] == ["n1", "n2"]
    assert len(names) == 3


@pytest.mark.parametrize("form", ["lines", "array", "single"])
def test_invalid_utf8_is_reported_with_its_line(form: str) -> None:
    good = json.dumps(numbered(1)).encode()
    bad = json.dumps(numbered(2)).encode().replace(b"Kim", b"K\xefm")
    if form == "lines":
        found = outcome(good + b"\n" + bad + b"\n" + good)
    elif form == "array":
        found = outcome(b"[" + good + b",\n" + bad + b",\n" + good + b"]")
    else:
        found = [(0, "n1"), *outcome(b"\n" + bad), (0, "n1")]
    assert [name for _, name in (found[0], found[2])] == ["n1", "n1"]
    assert found[1][0] == 2
    assert "is not valid UTF-8" in found[1][1]


@pytest.mark.parametrize(
    "data", [b"hello", b"a,b,c\n1,2,3", b"\xff\xfea\x00", b"\xff{}", b"<order/>", b"42", b'"text"']
)
def test_what_is_nothing_known_is_one_problem(data: bytes) -> None:
    ((line, reason),) = outcome(data)
    assert line == 1
    assert "neither" in reason or "UTF-8" in reason


# Northwind ----------------------------------------------------------------------------------------


def test_the_northwind_export_is_400_orders_with_1053_lines() -> None:
    records = read((EXAMPLES / "northwind" / "orders.csv").read_bytes())
    orders = [record.order for record in records if record.order]
    assert len(records) == len(orders) == 400
    assert sum(len(order.lines) for order in orders) == 1053
    countries = {address_of(order).country for order in orders}
    assert {"GB", "US", "VE", "DE"} <= countries


def test_a_northwind_order_is_mapped_field_by_field() -> None:
    text = "\n".join(
        [
            HEADER,
            row("10248"),
            row("10249"),
            row("10248", product_id="42", unit_price="9.80", quantity="10", discount="0.15"),
        ]
    )
    records = read(text, {"VINET": "Vins"})
    assert [record.line for record in records] == [2, 3]
    order = records[0].order
    assert order is not None
    assert order.order_id == "b2b-10248"
    assert order.placed_at == date(1996, 7, 4)
    assert order.requested_delivery_date == date(1996, 8, 1)
    assert (order.customer.id, order.customer.name) == ("VINET", "Vins")
    assert order.currency == "USD"
    assert [(line.line_id, line.sku, line.quantity) for line in order.lines] == [
        ("1", "NW-11", 12),
        ("2", "NW-42", 10),
    ]
    assert order.lines[1].discount == Decimal("14.70")
    assert (order.shipping.service, order.shipping.price) == ("federal-shipping", Decimal("32.38"))
    address = address_of(order)
    assert (address.name, address.city, address.country) == (
        "Vins et alcools Chevalier",
        "Reims",
        "FR",
    )
    assert address.region is None
    assert order.payment.token == "tok_ok"


@pytest.mark.parametrize(
    ("price", "quantity", "fraction", "discount"),
    [
        ("0.10", "1", "0.05", "0.01"),  # half a cent goes up
        ("0.09", "1", "0.05", "0.00"),
        ("14.00", "12", "0.05000000074505806", "8.40"),  # as a database of floats exports it
        ("14.00", "12", "1", "168.00"),
        ("14.00", "12", "0", "0.00"),
    ],
)
def test_a_discount_is_rounded_half_up_to_the_cent(
    price: str, quantity: str, fraction: str, discount: str
) -> None:
    cells = {"unit_price": price, "quantity": quantity, "discount": fraction}
    (record,) = read(f"{HEADER}\n{row(**cells)}")
    assert record.order is not None
    assert record.order.lines[0].discount == Decimal(discount)


@pytest.mark.parametrize(
    ("country", "code"),
    [
        *(("UK", "GB"), ("usa", "US"), ("Venezuela", "VE"), ("Brazil", "BR"), ("brazil ", "BR")),
        *(("Kosovo", "XK"), ("XK", "XK"), ("Canary Islands", "IC"), ("Northern Ireland", "XI")),
        *(("Russia", "RU"), ("The  Netherlands", "NL"), ("Turkey", "TR"), ("KOR", "KR")),
    ],
)
def test_country_names_become_codes(country: str, code: str) -> None:
    (record,) = read(f"{HEADER}\n{row(ship_country=country)}")
    assert record.order is not None
    assert address_of(record.order).country == code


@pytest.mark.parametrize(
    ("column", "cell", "reason"),
    [
        ("order_date", "4.7.1996", "must be a date"),
        ("order_date", "1996-13-01", ""),
        ("freight", "-1", "must be an amount"),
        ("freight", "NaN", "must be an amount"),
        ("freight", "1.234", ""),
        ("ship_country", "Atlantis", "no country is called 'Atlantis'"),
        ("ship_city", "", ""),
        ("product_id", "x", "must be a number"),
        ("unit_price", "1,400", "may be 1400 or 1.400"),
        ("quantity", "1.5", "must be a whole number"),
        ("quantity", "0", ""),
        ("discount", "1.01", "must be a fraction"),
        ("discount", "15%", "must be a fraction"),
    ],
)
def test_a_bad_cell_is_reported_by_line_and_column(column: str, cell: str, reason: str) -> None:
    bad = row("2").split(",")
    bad[ORDER_COLUMNS.index(column)] = f'"{cell}"'
    text = "\r\n".join([HEADER, row("1"), row("2"), ",".join(bad), row("3")])
    good, broken, after = read(text)
    assert good.order is not None
    assert after.order is not None
    assert broken.order is None
    assert broken.name == "2"
    assert (broken.line, broken.problems[0].line) == (3, 4)
    told = {problem.field for problem in broken.problems}
    if column in ("product_id", "unit_price", "quantity", "discount"):
        assert told == {column}
        assert reason in broken.problems[0].reason
    else:  # it differs from the order's first row, which is good
        assert told == {column}
    (alone,) = read("\n".join([HEADER, ",".join(bad)]))
    assert column in {problem.field for problem in alone.problems}
    assert any(reason in problem.reason for problem in alone.problems)


def test_what_is_optional_in_an_export_costs_no_order() -> None:
    text = "\n".join(
        [
            HEADER,
            row(
                required_date="soon",
                shipper_id="by bike",
                customer_id="",
                ship_region="\u202b\u202c",
                ship_name="\u202b\u062f\u0627\u0646\u0627\u202c",
                ship_address='"Probeweg 1\nHinterhaus 2"',
            ),
        ]
    )
    (record,) = read(text)
    order = record.order
    assert order is not None
    address = address_of(order)
    assert (address.name, address.line1, address.region) == (
        "\u062f\u0627\u0646\u0627",
        "Probeweg 1 Hinterhaus 2",
        None,
    )
    assert (order.customer.id, order.customer.name) == ("guest-b2b-1", "\u062f\u0627\u0646\u0627")
    assert order.shipping.service == "shipper-by bike"
    assert order.requested_delivery_date is None
    assert order.left_out == (
        "requested_delivery_date was left out: it must be a day, such as 2026-11-20",
    )


def test_rows_of_one_order_that_disagree_are_reported() -> None:
    text = "\n".join([HEADER, row("1"), row("1", freight="1.00", ship_city="Lyon")])
    (record,) = read(text)
    assert [(problem.line, problem.field) for problem in record.problems] == [
        (3, "freight"),
        (3, "ship_city"),
    ]


@pytest.mark.parametrize(
    "broken",
    [
        row("2").replace("Reims", '"Reims'),  # a quote that is never closed
        row("2") + ",more",
        row("2").rsplit(",", 1)[0],
    ],
)
def test_an_order_with_an_unreadable_row_is_not_placed_and_the_others_are(broken: str) -> None:
    text = "\n".join([HEADER, row("1"), row("2"), broken, row("3")])
    one, two, three = read(text)
    assert one.order is not None
    assert three.order is not None
    assert two.order is None
    assert [problem.line for problem in two.problems] == [4]


@pytest.mark.parametrize(
    ("order_id", "reason"),
    [("", "is missing"), ('2"', "must be a number"), ("x", "must be a number")],
)
def test_a_row_without_an_order_id_keeps_its_neighbours_from_being_placed_incomplete(
    order_id: str, reason: str
) -> None:
    text = "\n".join([HEADER, row("1"), row("2"), row(order_id), row("3"), row("4")])
    records = read(text)
    placed = [record.order.channel_order_id for record in records if record.order]
    assert placed == ["1", "4"]
    stray = records[0]
    assert (stray.line, str(stray.problems[0])) == (4, f"order_id: {reason}")
    assert all(problem.line == 4 for record in records for problem in record.problems)


def test_a_quoted_address_may_span_lines() -> None:
    address = '"City Center Plaza\r\n516 Main St."'
    text = "\r\n".join([HEADER, row("1", ship_address=address), row("2")])
    one, two = read(text)
    assert one.order is not None
    assert address_of(one.order).line1 == "City Center Plaza 516 Main St."
    assert two.line == 4


def test_invalid_utf8_in_one_row_costs_only_its_order() -> None:
    data = "\n".join([HEADER, row("1"), row("2"), row("3")]).encode()
    data = data.replace(b"2,VINET", b"2,VIN\xe9T")
    found = read(data)
    assert [record.order is not None for record in found] == [True, False, True]
    assert found[1].problems == (Problem(3, "", "is not valid UTF-8; save it in that encoding"),)


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (HEADER.replace(",freight", ""), "the header lacks freight"),
        (HEADER + ",colour", "the header has colour"),
        (HEADER + ",freight", "names a column twice"),
    ],
)
def test_a_wrong_header_is_one_problem(header: str, reason: str) -> None:
    ((line, told),) = outcome(f"{header}\n{row()}")
    assert line == 1
    assert reason in told


def test_columns_may_come_in_any_order() -> None:
    columns = [HEADER.split(","), row("1").split(",")]
    (record,) = read("\n".join(",".join(reversed(cells)) for cells in columns))
    assert record.order is not None


def test_customers_are_read_by_id() -> None:
    names, problems = read_customers(
        (EXAMPLES / "northwind" / "customers.csv").read_text(encoding="utf-8")
    )
    assert names["ALFKI"] == "Alfreds Futterkiste"
    assert problems == ()
    assert read_customers("id,name\n")[1] != ()


# Stock --------------------------------------------------------------------------------------------


def test_stock_rows_are_read_and_bad_ones_reported_by_line() -> None:
    data = b"sku,location,quantity\r\nTEA,main,5\r\nTEA,main,-1\r\n,main,1\r\nCUP,main,x\r\nA,b\r\n"
    found = list(read_stock(data))
    assert found[0] == StockRow(line=2, sku="TEA", location="main", quantity=5)
    problems = [item for item in found[1:] if isinstance(item, Problem)]
    assert [(problem.line, problem.field) for problem in problems] == [
        (3, "quantity"),
        (4, "sku"),
        (5, "quantity"),
        (6, ""),
    ]


def test_stock_may_say_what_a_unit_has_cost() -> None:
    data = (
        b"sku,location,quantity,unit_cost,currency\nTEA,main,5,6.20,EUR\nCUP,main,1,,\n"
        b"A,b,1,1,\nA,b,1,1.0000005,JPY\nA,b,1,x,EUR\n"
    )
    tea, cup, *problems = read_stock(data)
    assert isinstance(tea, StockRow)
    assert isinstance(cup, StockRow)
    assert (tea.cost, cup.cost) == (Price(each=Decimal("6.20"), currency="EUR"), None)
    assert [str(problem)[:40] for problem in problems] == [
        "unit_cost: goes with currency: give both",
        "unit_cost: must be a decimal string such",
        "unit_cost: must be a decimal string such",
    ]
    (problem,) = read_stock(b"sku,location,quantity,unit_cost\nA,b,1,1\n")
    assert "the header lacks currency" in str(problem)


def test_northwind_products_are_stock_of_the_main_location() -> None:
    rows = list(read_stock((EXAMPLES / "northwind" / "products.csv").read_bytes()))
    assert len(rows) == 77
    assert rows[0] == StockRow(line=2, sku="NW-1", location="main", quantity=39)


@pytest.mark.parametrize(
    "data", [b"", b"sku,quantity\nA,1\n", b"\xff\n", b"sku,location,quantity,x"]
)
def test_stock_without_a_proper_header_is_one_problem(data: bytes) -> None:
    (problem,) = read_stock(data)
    assert isinstance(problem, Problem)
    assert problem.line == 1


def test_the_example_stock_serves_the_example_order() -> None:
    (record,) = read((EXAMPLES / "order.json").read_bytes())
    assert record.order is not None
    rows = list(read_stock((EXAMPLES / "stock.csv").read_bytes()))
    assert all(isinstance(item, StockRow) for item in rows)
    there = {item.sku: item.quantity for item in reversed(rows) if isinstance(item, StockRow)}
    assert all(there[line.sku] >= line.quantity for line in record.order.lines)
    assert record.order.total is not None


# Files --------------------------------------------------------------------------------------------


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    for file in (tmp_path, tmp_path / "none.json", Path("a\0b")):
        with pytest.raises(InvalidInput, match="cannot be read"):
            load(str(file))


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "large.json"
    with file.open("wb") as stream:
        stream.truncate(BYTES_MAX + 1)
    with pytest.raises(InvalidInput, match="split it"):
        load(str(file))


# Anything -----------------------------------------------------------------------------------------


def check_reported(data: bytes) -> None:
    """Whatever it is: orders or problems, with lines that exist, and nothing raised."""
    height = decode(data).count("\n") + 1
    for record in read(data):
        assert 1 <= record.line <= height
        assert (record.order is None) == bool(record.problems)
        assert all(1 <= problem.line <= height for problem in record.problems)
        if record.order is not None:
            assert record.order.digest
    if no_text(data):  # a workbook, say: the table's reader says so at once
        with pytest.raises(InvalidInput, match="save the table as CSV"):
            list(read_stock(data))
        return
    for item in read_stock(data):
        assert 1 <= item.line <= height


@given(st.binary(max_size=200))
def test_no_bytes_make_the_reader_raise(data: bytes) -> None:
    check_reported(data)


JSON_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=8)
    | st.sampled_from(["web", "1E400", "-0", "12.50", "USD", "KR", "\ud800", "2026-11-20T10:00Z"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.data())
def test_no_value_in_an_order_makes_the_reader_raise(data: st.DataObject) -> None:
    document = a_document(("TEA", 2), ("CUP", 1), discount="1.00", note="x")
    places: list[tuple[Any, Any]] = []

    def collect(inside: Any) -> None:
        for key in inside if isinstance(inside, dict) else range(len(inside)):
            places.append((inside, key))
            if isinstance(inside[key], dict | list):
                collect(inside[key])

    collect(document)
    inside, key = data.draw(st.sampled_from(places))
    inside[key] = data.draw(JSON_VALUES)
    document[data.draw(st.sampled_from(["note", "extra"]))] = data.draw(JSON_VALUES)
    text = json.dumps(document, ensure_ascii=data.draw(st.booleans()))
    for form in (text, f"[{text}]", f"{text}\n{text}"):
        check_reported(form.encode(errors="surrogatepass"))


def damaged(whole: Callable[[], str]) -> st.SearchStrategy[bytes]:
    """A good input with a piece of it replaced by something else."""

    @st.composite
    def draw_one(draw: st.DrawFn) -> bytes:
        data = whole().encode()
        start = draw(st.integers(0, len(data)))
        end = draw(st.integers(start, min(len(data), start + 30)))
        marks = st.sampled_from([b'"', b",", b"\n", b"{", b"}", b"[", b"]", b"\\", b"\xff", b"\0"])
        return data[:start] + draw(marks | st.binary(max_size=4)) + data[end:]

    return draw_one()


def two_orders() -> str:
    return json.dumps([numbered(1), numbered(2)], indent=1)


def two_lines() -> str:
    return "\n".join(json.dumps(numbered(n)) for n in (1, 2))


def three_rows() -> str:
    return "\n".join([HEADER, row("1"), row("1", product_id="5"), row("2")])


@given(damaged(two_orders) | damaged(two_lines) | damaged(three_rows))
def test_no_damage_makes_the_reader_raise(data: bytes) -> None:
    check_reported(data)


@given(damaged(three_rows))
def test_no_damage_to_an_export_places_an_order_that_silently_lacks_a_line(data: bytes) -> None:
    records = read(data)
    placed = [record.order for record in records if record.order is not None]
    by_name = {order.channel_order_id: len(order.lines) for order in placed}
    if by_name.get("1") == 1:  # fine only where the other row names another order now
        assert sum(by_name.values()) == 3 or len(placed) < len(records)


def test_an_order_whose_row_lost_its_line_end_is_not_placed_without_it() -> None:
    text = "\n".join([HEADER, row("1"), row("2") + row("3"), row("3", product_id="5"), row("4")])
    found = {record.name: record.order is not None for record in read(text)}
    assert found == {"1": True, "2": False, "3": False, "4": True}


def test_an_order_in_utf_16_is_an_order() -> None:
    text = json.dumps(numbered(1), ensure_ascii=False)
    for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"):
        (record,) = read(text.encode(encoding))
        assert (record.order is not None, record.name) == (True, "n1")
