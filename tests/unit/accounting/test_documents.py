"""What stands on invoices and credit notes: always what the ledger books, to the minor unit."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.accounting.documents import Content, Earlier, Kind, Reference, compose
from domain.errors import Refused
from domain.money import decimals, to_decimal, to_minor, worth_of_units
from domain.orders.amounts import Worth, value_lines, worth_of
from domain.orders.order import Order
from domain.sellers import Seller
from tests.support.builders import a_document, an_order, shipping
from tests.support.rows import Parcel, Rows
from tests.support.strategies import orders

DAY = date(2026, 11, 22)


def a_content(order: Order, units: dict[str, int], worth: Worth, **fields: Any) -> Content:
    given: dict[str, Any] = {"kind": "invoice", "part_id": f"{order.order_id}:1", **fields}
    return compose(order, units=units, worth=worth, seller=Seller(), **given)


def an_earlier(number: str, units: dict[str, int], kind: Kind = "invoice") -> Earlier:
    return Earlier(number=number, kind=kind, issued_on=DAY, units=units)


def issued(content: Content, number: str) -> Earlier:
    return Earlier(
        number=number,
        kind=content.kind,
        issued_on=DAY,
        units={line.line_id: line.quantity for line in content.lines},
        taxes=content.taxes,
        shipping_minor=content.shipping_minor,
        shipping_tax_minor=content.shipping_tax_minor,
        fees=content.fees,
        rounding_minor=content.rounding_minor,
    )


def check_sums(content: Content, worth: Worth) -> None:
    """Everything printed adds up, across and down."""
    for line in content.lines:
        assert line.total_minor == line.net_minor + line.tax_minor
        price = Decimal(line.unit_price)
        listed = worth_of_units(price, line.quantity, content.currency)
        # A price that is finer than the currency is rounded once, for all units of the order.
        fine = price != to_decimal(int(price.scaleb(decimals(content.currency))), content.currency)
        paid = line.total_minor if content.prices_include_tax else line.net_minor
        # So may the share of the rounding to cash.
        assert abs(listed - line.discount_minor - paid) <= 2 * fine + bool(content.rounding_minor)
    net = sum(line.net_minor for line in content.lines) + content.allowance_minor
    tax = sum(line.tax_minor for line in content.lines) + content.allowance_tax_minor
    assert (net + content.rounding_minor, tax) == (worth.goods, worth.tax)
    fees = content.fees
    for fee in fees:
        assert fee.total_minor == fee.net_minor + fee.tax_minor
        assert min(fee.net_minor, fee.tax_minor) >= 0
    assert content.shipping_minor + sum(fee.net_minor for fee in fees) == worth.shipping
    assert content.shipping_tax_minor + sum(fee.tax_minor for fee in fees) == worth.shipping_tax
    assert content.net_minor == net + worth.shipping
    assert content.tax_minor == tax + worth.shipping_tax
    assert content.total_minor == worth.total
    assert content.total_minor == content.net_minor + content.tax_minor + content.rounding_minor
    assert sum(row.net_minor for row in content.taxes) == content.net_minor
    assert sum(row.tax_minor for row in content.taxes) == content.tax_minor
    for row in content.taxes:
        assert row.total_minor == row.net_minor + row.tax_minor
        assert min(row.net_minor, row.tax_minor) >= 0


@given(st.data(), orders())
def test_the_invoices_of_an_order_add_up_to_its_worth_and_each_line_to_the_lines(
    data: st.DataObject, order: Order
) -> None:
    values = value_lines(order)
    sent = dict.fromkeys(values, 0)
    earlier: list[Earlier] = []
    printed = dict.fromkeys(values, 0)
    total = 0
    while left := {k: v.quantity - sent[k] for k, v in values.items() if v.quantity > sent[k]}:
        parcel = {k: data.draw(st.integers(0, units)) for k, units in left.items()}
        if not any(parcel.values()):
            parcel = left
        after = {line_id: sent[line_id] + units for line_id, units in parcel.items()}
        worth = worth_of(values, after) - worth_of(values, {k: sent[k] for k in after})
        content = a_content(order, parcel, worth, earlier=earlier)
        check_sums(content, worth)
        assert {line.line_id: line.quantity for line in content.lines} == {
            k: units for k, units in parcel.items() if units
        }
        for line in content.lines:
            assert line.discount_minor >= -bool(content.rounding_minor)
            printed[line.line_id] += line.net_minor
        units = {line.line_id: line.quantity for line in content.lines}
        earlier.append(an_earlier(f"INV-{len(earlier)}", units))
        earlier.append(an_earlier(f"CRN-{len(earlier)}", units, "credit_note"))
        for line_id, count in parcel.items():
            sent[line_id] += count
        total += content.total_minor
    prices = order.prices.lines
    assert sum(printed.values()) == sum(price.net for price in prices)
    if not order.rounding:
        assert list(printed.values()) == [price.net for price in prices]
    assert total == order.total_minor


@given(
    st.data(),
    orders(),
    st.builds(Worth, **dict.fromkeys(Worth.model_fields, st.integers(0, 10_000))),
    st.sampled_from(["invoice", "credit_note"]),
)
def test_whatever_the_worth_is_what_is_printed_adds_up_to_it(
    data: st.DataObject, order: Order, worth: Worth, kind: Kind
) -> None:
    units = {line.line_id: data.draw(st.integers(0, line.quantity)) for line in order.lines}
    check_sums(a_content(order, units, worth, kind=kind), worth)


def test_a_price_that_is_finer_than_the_currency_is_printed_as_it_was_written() -> None:
    order = an_order(("TEA", 1000, "0.125"), ("CUP", 3, "0.1250"), currency="EUR")
    tea, cup = a_content(
        order, {"1": 1000, "2": 3}, worth_of(value_lines(order), {"1": 1000, "2": 3})
    ).lines
    assert (tea.unit_price, tea.discount_minor, tea.net_minor) == ("0.125", 0, 12500)
    assert (cup.unit_price, cup.discount_minor, cup.net_minor) == ("0.1250", 0, 38)


@pytest.mark.parametrize(
    ("currency", "quantity", "price", "discount", "printed", "net"),
    [
        ("EUR", 3, "8.41", "0.02", "8.403333", 2521),
        ("TND", 12, "66.387", "0.005", "66.386583", 796_639),
        ("EUR", 3, "0.09", "0.02", "0.083333", 25),
    ],
)
def test_a_discount_that_only_makes_up_for_a_rounded_price_is_part_of_the_price(
    currency: str, quantity: int, price: str, discount: str, printed: str, net: int
) -> None:
    document = a_document(("TEA", quantity, price), currency=currency, shipping=shipping("0"))
    document["lines"][0]["discount"] = discount
    order = Order.model_validate(document)
    (line,) = a_content(order, {"1": quantity}, worth_of(value_lines(order), {"1": quantity})).lines
    assert (line.unit_price, line.discount_minor, line.net_minor) == (printed, 0, net)
    assert worth_of_units(Decimal(line.unit_price), quantity, currency) == net


@pytest.mark.parametrize(
    ("quantity", "price", "discount"),
    [(3, "8.41", "0.03"), (1, "8.41", "0.01"), (1000, "0.125", "5.00")],
)
def test_a_discount_of_a_minor_unit_a_unit_or_on_a_fine_price_is_one(
    quantity: int, price: str, discount: str
) -> None:
    document = a_document(("TEA", quantity, price), shipping=shipping("0"))
    document["lines"][0]["discount"] = discount
    order = Order.model_validate(document)
    (line,) = a_content(order, {"1": quantity}, worth_of(value_lines(order), {"1": quantity})).lines
    assert (line.unit_price, line.discount_minor) == (price, to_minor(discount, "USD"))


def test_a_line_tells_the_price_and_the_units_share_of_all_discounts() -> None:
    order = an_order(("TEA", 3, "10.00"), ("CUP", 1, "30.00"), discount="6.00")
    worth = worth_of(value_lines(order), {"1": 2})
    content = a_content(order, {"1": 2}, worth, names={"TEA": "Assam"})
    (line,) = content.lines
    assert (line.sku, line.description, line.quantity) == ("TEA", "Assam", 2)
    assert (line.unit_price, line.discount_minor, line.net_minor) == ("10.00", 200, 1800)


def test_lines_stand_in_the_orders_sequence_and_a_sku_without_a_name_stands_for_itself() -> None:
    order = an_order(("TEA", 1), ("CUP", 1))
    content = a_content(order, {"2": 1, "1": 1}, Worth(goods=2000), names={"POT": "Pot"})
    assert [line.description for line in content.lines] == ["TEA", "CUP"]


def test_goodwill_is_an_allowance_that_is_about_all_invoices_of_the_order() -> None:
    order = an_order(("TEA", 3), ("CUP", 1))
    earlier = [an_earlier("INV-1", {"1": 3}), an_earlier("INV-2", {"2": 1})]
    content = a_content(
        order, {}, Worth(goods=300, tax=30), kind="credit_note", earlier=earlier, reason="late"
    )
    assert (content.lines, content.allowance_minor, content.allowance_tax_minor) == ((), 300, 30)
    assert [one.number for one in content.invoices] == ["INV-1", "INV-2"]
    assert content.reason == "late"


def test_a_return_is_about_the_invoices_of_its_lines() -> None:
    order = an_order(("TEA", 3), ("CUP", 1))
    earlier = [
        an_earlier("INV-1", {"1": 3}),
        an_earlier("INV-2", {"2": 1}),
        an_earlier("CRN-1", {"1": 1}, "credit_note"),
    ]
    content = a_content(order, {"1": 1}, Worth(goods=1000), kind="credit_note", earlier=earlier)
    assert content.invoices == (Reference(number="INV-1", issued_on=DAY),)


def test_an_invoice_is_about_itself() -> None:
    order = an_order(("TEA", 3))
    earlier = [an_earlier("INV-1", {"1": 1})]
    assert a_content(order, {"1": 1}, Worth(goods=1000), earlier=earlier).invoices == ()


@pytest.mark.parametrize(
    ("units", "worth", "why"),
    [
        ({"9": 1}, Worth(goods=1), "has no line 9"),
        ({"1": 2}, Worth(goods=1), "2 units of line 1, of which 3 were ordered and 2 have"),
        ({"1": -1}, Worth(goods=1), "-1 units of line 1"),
        ({"1": 1}, Worth(goods=2, tax=-1), "is negative"),
        ({}, Worth(goods=-1), "is negative"),
    ],
)
def test_what_cannot_be_is_refused(units: dict[str, int], worth: Worth, why: str) -> None:
    earlier = [an_earlier("INV-1", {"1": 2})]
    with pytest.raises(Refused, match=why):
        a_content(an_order(("TEA", 3)), units, worth, earlier=earlier)


def test_days_are_those_of_the_sellers_calendar() -> None:
    order = an_order(("TEA", 1), placed_at="2026-11-20T23:30:00+00:00")
    given: dict[str, Any] = {"kind": "invoice", "part_id": "p", "units": {}, "worth": Worth()}
    assert compose(order, seller=Seller(), **given).ordered_on == date(2026, 11, 20)
    seoul = Seller(time_zone="Asia/Seoul")
    assert compose(order, seller=seoul, **given).ordered_on == date(2026, 11, 21)


@pytest.mark.parametrize("zone", ["Pacific/Honolulu", "UTC", "Pacific/Kiritimati"])
def test_a_day_without_a_time_stays_that_day_whatever_the_sellers_zone(zone: str) -> None:
    order = an_order(("TEA", 1), placed_at="2026-11-27")
    same = Order.model_validate_json(order.model_dump_json())
    assert (same.digest, same.placed_at) == (order.digest, date(2026, 11, 27))
    content = compose(
        same, kind="invoice", part_id="p", units={}, worth=Worth(), seller=Seller(time_zone=zone)
    )
    assert content.ordered_on == date(2026, 11, 27)


@pytest.mark.parametrize(
    ("locale", "language"),
    [("ko-KR", "ko"), ("ko", "ko"), ("en", "en"), ("de-AT", "de"), ("fr", "en")],
)
def test_the_language_is_the_customers_or_english(locale: str, language: str) -> None:
    order = an_order(("TEA", 1), customer={"id": "C-1", "name": "Kim", "locale": locale})
    assert a_content(order, {}, Worth()).language == language


def test_seller_and_buyer_stand_there_with_address_and_number() -> None:
    seller = Seller(
        name="Tea GmbH", line1="Markt 1", city="Köln", country="DE", tax_numbers=("DE123456789",)
    )
    order = an_order(("TEA", 1), shipping=shipping("5.00", postal_code="04524"))
    content = compose(order, kind="invoice", part_id="p", units={}, worth=Worth(), seller=seller)
    assert content.seller.model_dump() == {
        "name": "Tea GmbH",
        "address": ("Markt 1", "Köln", "DE"),
        "number": "DE123456789",
    }
    assert content.buyer.address == ("1 Sejong-daero", "04524 Seoul", "KR")
    assert content.buyer.number == "C-1"
    assert content.deliver_to.name == "Kim Minji"


# By rate -----------------------------------------------------------------------------------------


def a_mixed_order(**fields: Any) -> Order:
    document = a_document(("TEA", 2, "50.00"), ("CUP", 1, "100.00"), **fields)
    document["lines"][0] |= {"tax_rate": "7", "tax_category": "reduced"}
    document["lines"][1] |= {"tax_rate": "19.0"}
    document["shipping"] = shipping("10.00", tax_rate="19") | {"tax": None}
    return Order.model_validate(document)


def by_rate(content: Content) -> list[tuple[str | None, str | None, int, int]]:
    return [(row.rate, row.category, row.net_minor, row.tax_minor) for row in content.taxes]


def test_an_invoice_has_net_and_tax_by_rate_the_highest_first() -> None:
    order = a_mixed_order()
    units = {"1": 2, "2": 1}
    content = a_content(order, units, worth_of(value_lines(order), units))
    assert by_rate(content) == [("19", None, 11000, 2090), ("7", "reduced", 10000, 700)]
    assert [(line.tax_rate, line.tax_category) for line in content.lines] == [
        ("7", "reduced"),
        ("19", None),
    ]


def test_what_has_no_rate_stands_last_in_a_row_of_its_own() -> None:
    document = json.loads(a_mixed_order().model_dump_json())
    document["lines"].pop()
    document["shipping"] |= {"tax_rate": None, "tax": "1.00"}
    order = Order.model_validate(document)
    content = a_content(order, {"1": 2}, worth_of(value_lines(order), {"1": 2}))
    assert by_rate(content) == [("7", "reduced", 10000, 700), (None, None, 1000, 100)]


def test_prices_with_tax_are_printed_as_the_customer_saw_them() -> None:
    document = a_document(
        ("TEA", 3, "10.00"), currency="EUR", prices_include_tax=True, shipping=shipping("0")
    )
    document["lines"][0] |= {"tax_rate": "19", "discount": "3.00"}
    order = Order.model_validate(document)
    content = a_content(order, {"1": 2}, worth_of(value_lines(order), {"1": 2}))
    (line,) = content.lines
    assert (line.unit_price, line.discount_minor) == ("10.00", 200)
    assert (line.net_minor, line.tax_minor, line.total_minor) == (1513, 287, 1800)
    assert by_rate(content) == [("19", None, 1513, 287)]


def test_a_credit_for_no_unit_is_shared_over_the_rates_and_never_given_a_second_time() -> None:
    order = a_mixed_order()
    values = value_lines(order)
    whole = worth_of(values, {"1": 2, "2": 1})
    invoice = a_content(order, {"1": 2, "2": 1}, whole)
    earlier = [issued(invoice, "INV-1")]
    gift = a_content(order, {}, Worth(goods=2100, tax=279), kind="credit_note", earlier=earlier)
    assert by_rate(gift) == [("19", None, 1100, 209), ("7", "reduced", 1000, 70)]
    earlier.append(issued(gift, "CRN-1"))
    # All units of one rate come back and are paid back whole: the rest of it is of the other rate.
    back = worth_of(values, {"1": 2})
    returned = a_content(order, {"1": 2}, back, kind="credit_note", earlier=earlier)
    rows = {row.rate: (row.net_minor, row.tax_minor) for row in returned.taxes}
    assert rows["7"] == (10000 - 1000, 700 - 70)
    earlier.append(issued(returned, "CRN-2"))
    rest = whole - Worth(goods=2100, tax=279) - back
    last = a_content(order, {"2": 1}, rest, kind="credit_note", earlier=earlier)
    assert left_by_rate([*earlier, issued(last, "CRN-3")]) == {}


def left_by_rate(documents: list[Earlier]) -> dict[Any, tuple[int, int]]:
    left: dict[Any, tuple[int, int]] = {}
    for one in documents:
        sign = 1 if one.kind == "invoice" else -1
        for row in one.taxes:
            net, tax = left.get((row.rate, row.category), (0, 0))
            left[row.rate, row.category] = (net + sign * row.net_minor, tax + sign * row.tax_minor)
        rounding, _ = left.get("rounding", (0, 0))
        left["rounding"] = (rounding + sign * one.rounding_minor, 0)
    return {kind: sums for kind, sums in left.items() if sums != (0, 0)}


@given(st.data(), orders(lines_max=3, quantity_max=4))
def test_whatever_is_credited_no_rate_goes_below_nothing_and_all_is_nothing_in_the_end(
    data: st.DataObject, order: Order
) -> None:
    """Parcels, goodwill and returns by chance, decided by the rules that decide on real orders."""
    rows = Rows(order)
    kept = dict.fromkeys(rows.lines, 0)
    documents: list[Earlier] = []

    def write(kind: Kind, units: dict[str, int], worth: Worth) -> None:
        content = a_content(order, units, worth, kind=kind, earlier=documents)
        check_sums(content, worth)
        documents.append(issued(content, f"{kind}-{len(documents)}"))
        for what, sums in left_by_rate(documents).items():
            assert what == "rounding" or min(sums) >= 0

    def come_back(units: dict[str, int]) -> None:
        owed = rows.came_back(Parcel(0, {k: n for k, n in units.items() if n}))
        write("credit_note", dict(owed.units), owed.credited)
        for line_id, count in units.items():
            kept[line_id] -= count

    for _ in range(data.draw(st.integers(1, 6))):
        step = data.draw(st.sampled_from(["send", "send", "gift", "return"]))
        left = {k: line.open for k, line in rows.lines.items()}
        if step == "send" and any(left.values()):
            units = {k: data.draw(st.integers(0, n)) for k, n in left.items()}
            due = rows.shipped(rows.reserve({k: n for k, n in units.items() if n}))
            if due.invoiced_units:
                write("invoice", dict(due.invoiced_units), due.invoiced)
            kept = {k: kept[k] + units[k] for k in kept}
        elif step == "gift" and (most := rows.charges.refundable.total):
            owed = rows.charges.refund_amount(data.draw(st.integers(1, most)))
            write("credit_note", {}, owed.credited)
        elif step == "return" and any(kept.values()):
            come_back({k: data.draw(st.integers(0, n)) for k, n in kept.items()})
    come_back(kept)
    assert rows.charges.invoiced == Worth()
    assert left_by_rate(documents) == {}
