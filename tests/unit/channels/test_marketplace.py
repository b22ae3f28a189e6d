"""Marketplaces' order files: a row for each item, in the ways in which they come."""

from __future__ import annotations

import codecs
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.orders.order import Order
from starter.channels.documents import read_orders
from starter.channels.marketplace import read_marketplace, table_of
from starter.channels.marketplace_tables import AMAZON, Table
from starter.channels.read_results import Record
from tests.support.builders import address_of
from tests.support.marketplace_files import COLUMNS, amazon, item


def read(content: str | bytes, channel: str = "marketplace") -> list[Record]:
    data = content.encode() if isinstance(content, str) else content
    return list(read_orders(data, channel=channel))


def orders(content: str | bytes) -> list[Order]:
    records = read(content)
    assert [record.problems for record in records] == [()] * len(records)
    return [record.order for record in records if record.order]


def faults(content: str | bytes) -> list[str]:
    return [f"{problem.line} {problem}" for record in read(content) for problem in record.problems]


def test_an_order_is_mapped_field_by_field() -> None:
    there = {"ship-address-2": "c/o B", "ship-address-3": "3rd"}
    (order,) = orders(
        amazon(
            item("305-1", **there, **{"order-item-id": "11"}),
            item(
                "305-1",
                sku="JAM",
                **there,
                **{"order-item-id": "12", "quantity-purchased": "3", "item-price": "10.00"},
            ),
        )
    )
    assert (order.channel, order.channel_order_id) == ("marketplace", "305-1")
    assert order.placed_at == datetime.fromisoformat("2026-11-20T10:50:49-08:00")
    assert (order.customer.name, order.customer.email) == ("Bo Baker", "x1@marketplace.example")
    assert (order.payment.provider, order.payment.token) == ("elsewhere", "amazon-305-1")
    address = address_of(order)
    assert (address.name, address.line1, address.line2) == ("Ann Baker", "1 Main St", "c/o B, 3rd")
    assert (address.city, address.region, address.postal_code) == ("Nowhere", "FL", "55443-3221")
    assert address.country == "US"
    assert order.shipping.service == "standard"
    first, second = order.lines
    assert (first.line_id, first.sku, first.quantity, first.unit_price) == (
        *("11", "TEA", 2),
        Decimal("12.50"),
    )
    assert second.quantity == 3
    assert [priced.listed - priced.discount for priced in order.prices.lines] == [2500, 1000]


@pytest.mark.parametrize(
    ("currency", "total"), [("USD", "29.30"), ("CAD", "29.30"), ("EUR", "27.00"), ("GBP", "27.00")]
)
def test_prices_are_net_where_the_marketplace_adds_tax_and_gross_elsewhere(
    currency: str, total: str
) -> None:
    taxed = {"item-tax": "2.00", "shipping-price": "2.00", "shipping-tax": "0.30"}
    (order,) = orders(amazon(item("1", currency=currency, **taxed)))
    assert order.prices_include_tax == (currency not in ("USD", "CAD"))
    assert order.total_minor == Decimal(total) * 100
    assert sum(part.tax for part in (*order.prices.lines, order.prices.shipping)) == 230


@pytest.mark.parametrize("sign", ["", "-"])
def test_discounts_shipping_and_wrapping_are_summed_over_the_rows(sign: str) -> None:
    cells = {
        "item-promotion-discount": f"{sign}5.00",
        "shipping-price": "3.00",
        "ship-promotion-discount": f"{sign}1.00",
        "gift-wrap-price": "2.50",
        "gift-wrap-tax": "0.20",
    }
    (order,) = orders(amazon(item("1", **cells), item("1", sku="JAM", **cells)))
    assert [line.discount for line in order.lines] == [Decimal("5.00")] * 2
    assert order.shipping.price == Decimal("4.00")
    (fee,) = order.fees
    assert (fee.name, fee.amount, fee.tax) == ("Gift wrap", Decimal("5.00"), Decimal("0.40"))
    assert order.total_minor == 2 * 2000 + 400 + 500 + 40


@given(
    minor=st.integers(0, 10**9),
    units=st.integers(1, 1_000_000),
    currency=st.sampled_from(["USD", "JPY", "KWD"]),
)
def test_a_line_costs_what_the_file_says_however_many_units_it_has(
    minor: int, units: int, currency: str
) -> None:
    decimals = {"USD": 2, "JPY": 0, "KWD": 3}[currency]
    price = format(Decimal(minor).scaleb(-decimals), f".{decimals}f")
    cells = {"quantity-purchased": str(units), "item-price": price, "currency": currency}
    (order,) = orders(amazon(item("1", **cells)))
    assert order.total_minor == minor


def test_the_rows_of_an_order_need_not_stand_together_and_a_row_may_come_twice() -> None:
    first = item("1", **{"order-item-id": "11"})
    second = item("1", sku="JAM", **{"order-item-id": "12"})
    text = amazon(first, item("2"), second, first)
    found = orders(text)
    assert [(one.channel_order_id, len(one.lines)) for one in found] == [("1", 2), ("2", 1)]
    # Put together, with the header of each.
    assert [len(one.lines) for one in orders(text + text)] == [2, 1]


def test_another_file_may_have_the_rows_of_an_order_in_another_sequence() -> None:
    one = item("1", **{"order-item-id": "11"})
    other = item("1", sku="JAM", **{"order-item-id": "12"})
    first, second = orders(amazon(one, other)), orders(amazon(other, one))
    assert first == second
    bad = item("1", sku="", **{"order-item-id": "10"})
    assert [fault.split(":")[0] for fault in faults(amazon(one, bad))] == ["3 sku"]


def test_a_row_that_comes_twice_may_tell_other_news() -> None:
    told = [item("1", **{"sales-channel": name}) for name in ("Amazon.com", "Amazon.co.uk")]
    assert [len(one.lines) for one in orders(amazon(*told))] == [1]
    unlike = [item("1"), item("1", **{"quantity-purchased": "3"})]
    assert faults(amazon(*unlike)) == ["3 order-item-id: '1TEA' is used twice"]


def test_a_line_that_was_cancelled_there_is_left_out_of_its_order() -> None:
    gone = {"quantity-purchased": "0", "item-price": "0.00", "item-tax": ""}
    (order,) = orders(amazon(item("1", **gone), item("1", sku="JAM")))
    assert [line.sku for line in order.lines] == ["JAM"]
    charged = item("1", sku="JAM", **{"quantity-purchased": "0"})
    assert len(faults(amazon(item("1"), charged))) == 1, "it costs something"


def test_what_is_written_on_a_gift_and_who_buys_for_a_company_are_kept() -> None:
    cells = {"gift-message-text": "Happy birthday", "buyer-company-name": "Baker Ltd"}
    last = item("1", sku="PEN", **{**cells, "gift-message-text": "Bo"})
    (order,) = orders(amazon(item("1", **cells), item("1", sku="JAM", **cells), last))
    assert order.customer.company == "Baker Ltd"
    assert order.gift_message == "Happy birthday\nBo"


JAPAN = {
    "recipient-name": "山田 ソ|太郎",
    "ship-address-1": "千代田区丸の内1-1",
    "ship-city": "",
    "ship-state": "東京都",
    "ship-country": "JP",
    "currency": "JPY",
    "item-price": "1980",
}


@pytest.mark.parametrize("encoding", ["cp932", "utf-8"])
def test_a_japanese_file_is_read_though_its_addresses_have_no_city(encoding: str) -> None:
    (order,) = orders(amazon(item("1", **JAPAN)).encode(encoding))
    address = address_of(order)
    assert (address.name, address.city) == ("山田 ソ|太郎", "東京都")
    assert order.total_minor == 1980
    elsewhere = {**JAPAN, "currency": "EUR", "item-price": "19.80"}
    assert len(faults(amazon(item("1", **elsewhere)).encode("cp932"))) == 1, "it may be Latin"


NAMES = {"recipient-name": "Zoë Müller", "ship-city": "Genève", "ship-country": "CH"}


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be"]
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_any_encoding_of_a_marketplace_is_read(encoding: str, end: str) -> None:
    text = amazon(item("1", **NAMES), item("2"))
    found = orders(text.replace("\n", end).encode(encoding))
    assert [address_of(one).name for one in found] == ["Zoë Müller", "Ann Baker"]
    assert address_of(found[0]).city == "Genève"


def test_letters_of_countries_that_write_others_are_not_guessed() -> None:
    text = amazon(item("1", **{"recipient-name": "山田", "ship-country": "JP"}), item("2"))
    first, second = read(text.encode("cp932"))
    assert [str(one) for one in first.problems] == [
        "is not UTF-8, and its country writes other letters: save the file in UTF-8"
    ]
    assert second.order is not None
    broken = text.replace("Bo Baker", "Bo\ud800Baker").encode("utf-16-le", "surrogatepass")
    ((problem, *_), *_) = [one.problems for one in read(codecs.BOM_UTF16_LE + broken)]
    assert "UTF-8" in problem.reason, "bytes of UTF-16 are no Windows-1252"


def test_quotes_are_signs_in_a_file_with_tabs_and_open_cells_in_one_with_commas() -> None:
    odd = {"product-name": '15" shelf, "black', "ship-address-1": '"Rose Cottage"'}
    text = amazon(item("1", **odd), item("2", **{"product-name": '"big', "ship-address-1": 'a"b'}))
    found = orders(text)
    assert [address_of(one).line1 for one in found] == ["Rose Cottage", 'a"b']
    commas = "\n".join(
        ",".join(f'"{cell}"' if "," in cell else cell for cell in row.split("\t"))
        for row in amazon(item("1", **{"ship-address-1": "1, Main St"})).splitlines()
    )
    assert address_of(orders(commas)[0]).line1 == "1, Main St"
    comma_numbers = amazon(item("1", **{"item-price": "25,00"})).replace("\t", ";")
    assert orders(comma_numbers)[0].total_minor == 2500


@pytest.mark.parametrize(
    ("cells", "fault"),
    [
        ({"quantity-purchased": "0"}, "2 quantity-purchased: is 0: what was cancelled there"),
        ({"quantity-purchased": "two"}, "2 quantity-purchased: must be a whole number of units"),
        ({"quantity-shipped": "1"}, "2 quantity-shipped: is not 0: these have left"),
        (
            {"shipping-price": "3.00", "ship-promotion-discount": "-3.01"},
            "2 ship-promotion-discount: is more than shipping costs",
        ),
        ({"quantity-purchased": ""}, "2 quantity-purchased: is missing"),
        ({"item-price": "12,5,0"}, "2 item-price: must be an amount in USD, such as 12.50"),
        ({"item-price": "12.505"}, "2 item-price: must be an amount in USD, such as 12.50"),
        ({"item-price": "-1.00"}, "2 item-price: must be an amount in USD, such as 12.50"),
        ({"item-price": ""}, "2 item-price: is missing"),
        (
            {"item-promotion-discount": "30.00"},
            "2 item-promotion-discount: is more than the line",
        ),
        ({"currency": "XYZ"}, "2 currency: must be an ISO 4217 code such as USD"),
        (
            {"payments-date": ""},
            "2 payments-date: is empty: it is not paid yet",
        ),
        ({"purchase-date": "20/11/26"}, "2 purchase-date: must be a time with its offset"),
        ({"ship-country": "Atlantis"}, "2 ship-country: must be a country, such as DE"),
        ({"ship-city": ""}, "2 ship-city: "),
        ({"recipient-name": "", "buyer-name": ""}, "2 recipient-name: "),
        ({"sku": ""}, "2 sku: "),
    ],
)
def test_a_wrong_cell_is_named_by_line_and_column_and_costs_its_order_alone(
    cells: dict[str, str], fault: str
) -> None:
    bad, good = read(amazon(item("1", **cells), item("2")))
    assert bad.order is None
    told = [f"{problem.line} {problem}" for problem in bad.problems]
    assert [one for one in told if one.startswith(fault)], told
    assert good.order is not None


def test_rows_that_disagree_or_have_no_number_are_told() -> None:
    moved = item("1", **{"ship-city": "Elsewhere", "order-item-id": "9"})
    assert faults(amazon(item("1"), moved)) == [
        "3 ship-city: differs from line 2 of the same order"
    ]
    lost = faults(amazon(item("1"), item(""), item("2")))
    assert lost[0] == "3 order-id: is missing"
    assert len(lost) == 3, "either neighbour may lack this line"


def test_a_file_that_lacks_columns_is_one_problem_that_names_them() -> None:
    without = [name for name in COLUMNS if name not in ("currency", "item-price")]
    ((problem,),) = [record.problems for record in read("\t".join(without) + "\n1\t2\n")]
    assert problem.reason.startswith("the header lacks currency, item-price; it must name order-id")


def test_another_marketplace_is_another_table() -> None:
    bazaar = Table(
        name="bazaar",
        known_by=("Bestellnummer", "Menge"),
        number="Bestellnummer",
        placed_at="Datum",
        sku="Artikel",
        quantity="Menge",
        currency="Währung",
        price="Summe",
        recipient="Name",
        line1="Straße",
        city="Ort",
        country="Land",
    )
    text = (
        "Bestellnummer;Datum;Artikel;Menge;Währung;Summe;Name;Straße;Ort;Land\n"
        "A/7;2026-11-20;TEA;3;EUR;10,00;Kim;Weg 1;Bonn;Germany\n"
    )
    assert table_of(text) is None
    assert table_of(text, (AMAZON, bazaar)) is bazaar
    (record,) = read_marketplace(text, bazaar, "bazaarde")
    assert record.order is not None
    assert (record.order.order_id, record.order.total_minor) == ("bazaarde-A~2f7", 1000)
    assert record.order.payment.token.startswith("bazaar-")


@given(st.binary(max_size=300))
def test_no_bytes_below_a_header_are_too_odd_to_be_reported(data: bytes) -> None:
    header = "\t".join(COLUMNS).encode() + b"\n"
    for record in read(header + data):
        assert record.order is None or isinstance(record.order, Order)


def test_the_page_tells_each_column_that_is_read() -> None:
    page = Path("docs/channels.md").read_text(encoding="utf-8")
    assert [name for name in AMAZON.columns if f"`{name}`" not in page] == []
