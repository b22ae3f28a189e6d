"""The canonical order: what it accepts, what it refuses, and that every refusal names its field."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from domain import ids
from domain.orders.order import LINES_MAX, QUANTITY_MAX, TOTAL_MINOR_MAX, Order
from domain.stored import stored
from tests.support.builders import a_document, an_order, shipping
from tests.support.strategies import documents, orders
from tests.unit.orders.order_documents import FULL, Path, at, leaves, objects, text, without

TAX_RATES: tuple[Path, ...] = (
    *(("lines", 0, "tax_rate"), ("shipping", "tax_rate"), ("fees", 0, "tax_rate")),
)
TAX_KIND = ("tax_rate", "tax_category")
UNIT_PRICE: Path = ("lines", 0, "unit_price")
AMOUNTS: tuple[Path, ...] = (
    ("lines", 0, "discount"),
    ("lines", 0, "tax"),
    ("discount",),
    ("shipping", "price"),
    ("shipping", "tax"),
    ("fees", 0, "amount"),
    ("fees", 0, "tax"),
    ("tenders", 0, "amount"),
    ("total",),
)
ADDRESS: Path = ("shipping", "address")
REQUIRED_TEXTS: tuple[Path, ...] = ((*ADDRESS, "line1"), (*ADDRESS, "city"))
IDS: tuple[Path, ...] = (
    ("channel_order_id",),
    ("lines", 0, "line_id"),
    ("payment", "provider"),
    ("tenders", 0, "provider"),
)


def refusals(document: dict[str, Any]) -> dict[str, str]:
    """Field → reason, for a document that must be refused both as JSON and from Python."""
    with pytest.raises(ValidationError) as from_python:
        Order.model_validate(document)
    with pytest.raises(ValidationError) as from_json:
        Order.model_validate_json(json.dumps(document))
    found = _by_field(from_python.value)
    assert _by_field(from_json.value).keys() == found.keys()
    return found


def _by_field(error: ValidationError) -> dict[str, str]:
    reasons = {}
    for fault in error.errors():
        field, reason = text(fault["loc"]), fault["msg"]
        if not field:  # a rule over several fields names the one at fault itself
            field, reason = reason.split(": ", 1)
        reasons[field] = reason
    return reasons


# Travelling --------------------------------------------------------------------------------------


@given(orders())
def test_an_order_travels_as_json_without_loss(order: Order) -> None:
    again = Order.model_validate_json(order.model_dump_json())
    assert again == order
    assert again.digest == order.digest
    assert again.total_minor == order.total_minor


@given(documents())
def test_what_is_sent_as_json_is_what_python_makes(document: dict[str, Any]) -> None:
    assert Order.model_validate_json(json.dumps(document)) == Order.model_validate(document)


def test_the_whole_document_is_accepted_and_sent_on_as_it_came() -> None:
    order = Order.model_validate(FULL)
    sent = json.loads(order.model_dump_json())
    assert sent["lines"][1] == {
        **FULL["lines"][1],
        "discount": "0",
        "added": False,
        **dict.fromkeys(("tax", "tax_rate", "tax_category")),
    }
    sent["lines"][1] = FULL["lines"][1]
    assert sent == FULL


def test_amounts_from_python_are_written_without_an_exponent() -> None:
    order = Order.model_validate(
        at(("lines", 0, "unit_price"), Decimal("1E+1"), without(("total",), ("lines", 0, "tax")))
    )
    assert json.loads(order.model_dump_json())["lines"][0]["unit_price"] == "10"


@given(orders())
def test_a_total_that_is_given_and_right_is_accepted(order: Order) -> None:
    total = str(Decimal(order.total_minor).scaleb(-abs(_exponent(order.currency))))
    document = {**json.loads(order.model_dump_json()), "total": total}
    assert Order.model_validate(document).digest == order.digest


def _exponent(currency: str) -> int:
    return {"USD": 2, "EUR": 2, "JPY": 0, "KWD": 3, "CLF": 4}[currency]


# Being the same order ----------------------------------------------------------------------------

# Another value for every place of the document.
OTHERWISE: dict[Path, Any] = {
    ("channel",): "pos",
    ("channel_order_id",): "1002",
    ("placed_at",): "2026-11-20T10:00:00+08:00",
    ("customer", "id"): "C-2",
    ("customer", "name"): "Kim Minjae",
    ("customer", "email"): "minjae@example.com",
    ("customer", "phone"): "+82 2 123 4568",
    ("customer", "locale"): "en",
    ("customer", "company"): "Minjae & Partners",
    ("customer", "tax_number"): "123-45-67891",
    ("currency",): "EUR",
    ("prices_include_tax",): True,
    ("lines", 0, "line_id"): "3",
    ("lines", 0, "sku"): "TEA-2",
    ("lines", 0, "quantity"): 3,
    ("lines", 0, "unit_price"): "12.51",
    ("lines", 0, "discount"): "1.01",
    ("lines", 0, "tax"): "2.41",
    ("lines", 0, "tax_rate"): "11",
    ("lines", 0, "tax_category"): "reduced",
    ("lines", 0, "added"): True,
    ("lines", 1, "line_id"): "4",
    ("lines", 1, "sku"): "CUP/red",
    ("lines", 1, "quantity"): 2,
    ("lines", 1, "unit_price"): "8.01",
    ("discount",): "2.01",
    ("rounding",): "-0.02",
    ("shipping", "service"): "standard",
    ("shipping", "price"): "5.01",
    ("shipping", "tax"): "0.51",
    ("shipping", "tax_rate"): "11",
    ("shipping", "tax_category"): "reduced",
    ("fees", 0, "name"): "Cash on delivery",
    ("fees", 0, "amount"): "3.01",
    ("fees", 0, "tax"): "0.31",
    ("fees", 0, "tax_rate"): "11",
    ("fees", 0, "tax_category"): "reduced",
    (*ADDRESS, "name"): "Kim Minjae",
    (*ADDRESS, "company"): "Minjae & Partners",
    (*ADDRESS, "line1"): "2 Sejong-daero",
    (*ADDRESS, "line2"): "Floor 4",
    (*ADDRESS, "city"): "Busan",
    (*ADDRESS, "region"): "Jongno-gu",
    (*ADDRESS, "postal_code"): "04525",
    (*ADDRESS, "country"): "JP",
    ("payment", "provider"): "other",
    ("payment", "token"): "tok_other",
    ("tenders", 0, "provider"): "other",
    ("tenders", 0, "token"): "CR-2",
    ("tenders", 0, "amount"): "5.01",
    ("basket",): "B-1002",
    ("requested_delivery_date",): "2026-12-02",
    ("note",): "Ring twice.",
    ("gift_message",): "Happy new year!",
    ("billing", "name"): "Books",
    ("billing", "company"): "Minjae & Partners",
    ("billing", "line1"): "3 Sejong-daero",
    ("billing", "line2"): "Floor 2",
    ("billing", "city"): "Busan",
    ("billing", "region"): "Jongno-gu",
    ("billing", "postal_code"): "04525",
    ("billing", "country"): "JP",
    ("extra", "campaign"): "summer",
    ("extra", "weights", 0): 2,
    ("extra", "weights", 1): 2.75,
    ("extra", "express"): False,
}


def _digest(document: dict[str, Any]) -> str:
    # As it is stored, because another amount alone agrees with no other one.
    return stored(Order, {**document, "total": None}).digest


def test_any_other_content_is_another_order() -> None:
    assert set(OTHERWISE) == set(leaves()) - {("total",)}, "every field is to be tried"
    changed = {text(path): _digest(at(path, value)) for path, value in OTHERWISE.items()}
    changed["nothing"] = Order.model_validate(FULL).digest
    assert changed["nothing"] == _digest(FULL)
    changed["lines swapped"] = _digest({**FULL, "lines": FULL["lines"][::-1]})
    changed["a line less"] = _digest({**FULL, "lines": FULL["lines"][:1]})
    changed["a tender less"] = _digest({**FULL, "tenders": []})
    changed["a fee less"] = _digest({**FULL, "fees": []})
    assert len(set(changed.values())) == len(changed)


def test_the_whole_document_has_every_field_there_is() -> None:
    def fields(model: type[BaseModel], path: str = "") -> set[str]:
        found = set()
        for name, field in model.model_fields.items():
            parts = [field.annotation, *get_args(field.annotation)]
            inner = [
                part for part in parts if isinstance(part, type) and issubclass(part, BaseModel)
            ]
            found |= fields(inner[0], f"{path}{name}.") if inner else {f"{path}{name}"}
        return found

    filled = {re.sub(r"\[\d+\]|(?<=^extra)\..*", "", text(path)) for path in leaves()}
    assert filled == fields(Order)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("lines", 0, "unit_price"), "12.5"),
        (("lines", 0, "unit_price"), "12.5000"),
        (("lines", 0, "unit_price"), "012.50"),
        (("discount",), "2"),
        (("shipping", "price"), "5"),
        (("lines", 1, "discount"), "0.00"),
        (("lines", 1, "tax"), "0"),
        (("placed_at",), "2026-11-20T01:00:00Z"),
        (("placed_at",), "2026-11-19T20:00:00.000-05:00"),
        (("customer", "name"), "  Kim Minji\t"),
        (("note",), "Leave it at the door.\r\n"),
        (("total",), None),
    ],
)
def test_the_same_content_written_otherwise_is_the_same_order(path: Path, value: Any) -> None:
    assert Order.model_validate(at(path, value)).digest == Order.model_validate(FULL).digest


@pytest.mark.parametrize(
    ("path", "default"),
    [
        (("customer", "email"), None),
        (("customer", "locale"), "en"),
        (("shipping", "service"), "standard"),
        (("shipping", "price"), "0"),
        (("lines", 0, "tax"), "0"),
        (("fees", 0, "tax"), "0"),
        (("payment", "provider"), "sandbox"),
        (("note",), None),
    ],
)
def test_a_default_left_out_or_written_is_the_same_order(path: Path, default: Any) -> None:
    left_out = without(path, *TAX_RATES)
    assert _digest(left_out) == _digest(at(path, default, left_out))


@given(st.integers(0, 10**9), st.integers(-23, 23))
def test_the_same_instant_in_another_time_zone_is_the_same_order(second: int, hours: int) -> None:
    instant = datetime.fromtimestamp(second, UTC)
    elsewhere = instant.astimezone(timezone(timedelta(hours=hours)))
    assert _digest(at(("placed_at",), instant)) == _digest(at(("placed_at",), elsewhere))


def test_the_digest_stays_what_it_is() -> None:
    # It is stored with every order. Were it computed otherwise, each order that is placed once more
    # after a deploy would be a conflict. A field that came later changes nothing where it is not.
    later: tuple[Path, ...] = (
        *(("basket",), ("tenders",), ("prices_include_tax",), ("rounding",), ("total",)),
        *(("gift_message",), ("billing",), ("extra",), ("customer", "company"), ("fees",)),
        *(("customer", "tax_number"), (*ADDRESS, "company")),
        *((*part, name) for part in (("lines", 0), ("shipping",)) for name in TAX_KIND),
    )
    assert Order.model_validate(without(*later)).digest == (
        "5d3101d94ad4d512a81525bc59d2a1885c0c6ce3c25894c565f6ca8d640d40de"
    )


CODES = st.from_regex(r"[a-z][a-z0-9]{1,15}", fullmatch=True)
NUMBERS = st.text(min_size=1, max_size=100).filter(lambda number: number == number.strip())


@given(CODES, st.text("aZ09._-", min_size=1, max_size=100))
def test_a_plain_number_stands_in_the_id_as_it_is_and_a_part_leads_back_to_the_order(
    channel: str, number: str
) -> None:
    order = Order.model_validate({**FULL, "channel": channel, "channel_order_id": number})
    assert tuple(order.order_id.split("-", 1)) == (channel, number)
    assert ids.order_of(ids.fulfilment_id(order.order_id, 12)) == order.order_id
    assert ids.order_of(ids.return_id(order.order_id, 3)) == order.order_id


@pytest.mark.parametrize(
    ("number", "order_id"),
    [
        ("2001", "web-2001"),
        ("#2001", "web-~232001"),
        ("SO/2026/00042", "web-SO~2f2026~2f00042"),
        ("№ 7", "web-~e2~84~96~207"),
        ("a:b~c", "web-a~3ab~7ec"),
    ],
)
def test_a_number_is_encoded_in_the_id_and_kept_as_it_is_written(
    number: str, order_id: str
) -> None:
    order = Order.model_validate({**FULL, "channel_order_id": number})
    assert (order.order_id, order.channel_order_id) == (order_id, number)


@given(CODES, CODES, NUMBERS, NUMBERS)
def test_two_numbers_and_two_channels_never_share_an_id(
    one: str, other: str, number: str, another: str
) -> None:
    assert (ids.order_id(one, number) == ids.order_id(other, another)) == (
        (one, number) == (other, another)
    )
    assert len(ids.order_id(one, number)) <= len(one) + 1 + ids.ENCODED_MAX
    assert re.fullmatch(r"[a-z][a-z0-9]*-[A-Za-z0-9._~-]+", ids.order_id(one, number))


def test_a_number_that_gets_too_long_by_its_encoding_ends_in_a_hash_of_all_of_it() -> None:
    one, other = ids.order_id("web", "№" * 100), ids.order_id("web", "№" * 99 + "7")
    assert one != other
    assert max(len(one), len(other)) <= len("web-") + ids.ENCODED_MAX


def test_what_a_shop_numbers_may_come_as_a_number() -> None:
    order = Order.model_validate(
        at(("channel_order_id",), 1001, at(("customer", "id"), 7, at(("lines", 0, "line_id"), 9)))
    )
    assert (order.channel_order_id, order.customer.id, order.lines[0].line_id) == ("1001", "7", "9")


def test_a_line_without_an_id_goes_by_its_place() -> None:
    bare = without(("lines", 0, "line_id"), ("lines", 1, "line_id"))
    assert [line.line_id for line in Order.model_validate(bare).lines] == ["1", "2"]
    gid = "gid://shopify/LineItem/7"
    mixed = at(("lines", 0, "line_id"), gid, without(("lines", 1, "line_id")))
    assert [line.line_id for line in Order.model_validate(mixed).lines] == [gid, "2"]


# At the counter ----------------------------------------------------------------------------------


@pytest.mark.parametrize("gone", [("shipping",), ("shipping", "address")], ids=text)
def test_what_is_not_sent_needs_no_address_and_nobody_has_to_be_named(gone: Path) -> None:
    document = without(gone, ("customer",), ("total",))
    if "shipping" in document:
        document["shipping"]["service"] = "collect"
    order = Order.model_validate(document)
    assert (order.shipping.address, order.shipping.country) == (None, "")
    assert (order.customer.id, order.customer.name) == ("guest-web-1001", "Guest")
    assert Order.model_validate_json(order.model_dump_json()).digest == order.digest


def test_what_is_sent_needs_an_address() -> None:
    (field, reason), *others = refusals(without(ADDRESS)).items()
    assert (field, others) == ("shipping.address", [])
    assert reason.startswith("is needed where goods are sent")


def test_a_customer_who_is_only_an_address_is_named_by_it() -> None:
    assert Order.model_validate(without(("customer",))).customer.name == "Kim Minji"


# Refusals ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", [path for path in objects() if path not in [("billing",), ("extra",)]], ids=text
)
def test_a_field_that_is_not_known_is_refused_wherever_it_is(path: Path) -> None:
    unknown = (*path, "card_number")
    assert list(refusals(at(unknown, "4111111111111111"))) == [text(unknown)]


@pytest.mark.parametrize(
    "path",
    [
        *(("channel",), ("channel_order_id",), ("placed_at",), ("currency",)),
        *(("lines",), ("payment",)),
        *(("lines", 1, name) for name in ("sku", "quantity", "unit_price")),
        *((*ADDRESS, name) for name in ("line1", "city", "country")),
        ("payment", "token"),
        *(("tenders", 0, name) for name in ("provider", "token", "amount")),
    ],
    ids=text,
)
def test_what_must_be_there_is_asked_for(path: Path) -> None:
    assert refusals(without(path)) == {text(path): "Field required"}


@pytest.mark.parametrize("path", AMOUNTS, ids=text)
@pytest.mark.parametrize(
    "amount",
    [
        *(12.5, 12, 0, True, [], {}),
        *("12,50", "1.234,56", " 12.50", "12.50 ", "12.50\n", "$12.50", "12.50 USD"),
        *("-1.00", "-0.00", "+12.50", "1E2", "1e-2", "1_000.00", ".5", "5.", "0x10"),
        *("NaN", "nan", "Infinity", "-Infinity", "sNaN", "\uff11\uff12.50", "\u0663"),
        *("1" * 15, "0" * 30 + "1.00", "0.00000", "1.123456"),
    ],
)
def test_an_amount_is_a_plain_decimal_string(path: Path, amount: Any) -> None:
    (field, reason), *others = refusals(at(path, amount)).items()
    assert (field, others) == (text(path), [])
    assert reason.startswith("must ")


@pytest.mark.parametrize("price", ["0.125", "66.386554", "0.000001", "0", "12.500000"])
def test_a_unit_price_has_up_to_six_decimals_and_is_kept_as_it_was_written(price: str) -> None:
    order = an_order(("TEA", 1000, price))
    assert json.loads(order.model_dump_json())["lines"][0]["unit_price"] == price


@pytest.mark.parametrize("price", ["0.1234567", "-0.1", "1E2", ".5", "1" * 15, 0.125])
def test_a_unit_price_is_a_plain_decimal_string(price: Any) -> None:
    (field, reason), *others = refusals(at(UNIT_PRICE, price)).items()
    assert (field, others) == ("lines[0].unit_price", [])
    assert reason.startswith("must ")


@pytest.mark.parametrize(
    ("quantity", "price", "total"),
    [
        (1000, "0.125", 12500),
        (3, "0.125", 38),
        (1, "0.004999", 0),
        (1, "0.005", 1),
        (7, "0.015", 11),
    ],
)
def test_a_line_is_rounded_once_half_away_from_zero(quantity: int, price: str, total: int) -> None:
    order = an_order(("TEA", quantity, price), shipping=shipping("0"))
    assert order.total_minor == total
    document = {**json.loads(order.model_dump_json()), "total": str(Decimal(total) / 100)}
    assert Order.model_validate(document).total_minor == total
    wrong = {**document, "total": str(Decimal(total + 1) / 100)}
    assert list(refusals(wrong)) == ["total"]


def test_a_negative_amount_is_told_what_it_is() -> None:
    assert refusals(at(("shipping", "tax"), "-1.00")) == {"shipping.tax": "must not be negative"}


@pytest.mark.parametrize("path", AMOUNTS, ids=text)
@pytest.mark.parametrize(
    ("currency", "amount"), [("USD", "0.001"), ("JPY", "0.5"), ("KWD", "0.1234"), ("JPY", "1.0001")]
)
def test_an_amount_has_no_more_decimals_than_its_currency(
    path: Path, currency: str, amount: str
) -> None:
    whole = json.loads(re.sub(r'"(\d+)\.\d\d"', r'"\1"', json.dumps({**FULL, "total": None})))
    refused = refusals(at(path, amount, {**whole, "currency": currency}))
    assert list(refused) == [text(path)]
    assert f"more decimals than {currency} allows" in refused[text(path)]


@pytest.mark.parametrize(
    "amount", [Decimal("NaN"), Decimal("-1"), Decimal("1E+30"), Decimal("1E-9")]
)
def test_what_python_calls_a_decimal_is_not_always_an_amount(amount: Decimal) -> None:
    with pytest.raises(ValidationError, match="unit_price"):
        Order.model_validate(at(("lines", 0, "unit_price"), amount))


@pytest.mark.parametrize("total", ["41.21", "41.23", "0", "4122.00"])
def test_a_total_that_disagrees_is_refused_with_both_numbers(total: str) -> None:
    reason = refusals(at(("total",), total))["total"]
    assert total in reason
    assert "41.22" in reason


@pytest.mark.parametrize(
    ("included", "tax", "told"),
    [
        (False, "1.91", ""),
        (False, "1.92", "is 1.92, but at 19 % the tax on 10.00 is 1.90"),
        (False, "1.88", "is 1.88, but at 19 % the tax on 10.00 is 1.90"),
        (True, "1.60", ""),
        (True, "1.90", "is 1.90, but at 19 % the tax in 10.00 is 1.60"),
    ],
)
def test_tax_and_rate_agree_within_a_minor_unit_a_line(included: bool, tax: str, told: str) -> None:
    document = a_document(("TEA", 1, "10.00"), prices_include_tax=included)
    document["lines"][0] |= {"tax": tax, "tax_rate": "19"}
    if not told:
        assert Order.model_validate(document).prices.lines[0].tax == int(Decimal(tax) * 100)
        return
    (where, reason), *others = refusals(document).items()
    assert (where, others) == ("lines[0].tax", [])
    assert reason.startswith(told)


@pytest.mark.parametrize("tax", ["0.95", "1.43", "1.90"])
def test_whether_an_orders_discount_lowers_a_given_tax_is_the_channels_to_say(tax: str) -> None:
    document = a_document(("TEA", 1, "10.00"), discount="5.00")
    document["lines"][0] |= {"tax": tax, "tax_rate": "19"}
    assert Order.model_validate(document).prices.lines[0].tax == int(Decimal(tax) * 100)


def test_the_tax_on_shipping_agrees_with_its_rate() -> None:
    document = a_document(("TEA", 1, "10.00"), shipping=shipping("5.00", "0.98", tax_rate="19"))
    assert list(refusals(document)) == ["shipping.tax"]
    document["shipping"] |= {"tax": None}
    assert Order.model_validate(document).prices.shipping.tax == 95


def test_tax_is_not_more_than_the_price_that_includes_it() -> None:
    document = a_document(("TEA", 1, "10.00"), prices_include_tax=True)
    document["lines"][0]["tax"] = "10.01"
    assert refusals(document) == {"lines[0].tax": "is 10.01, more than the price with tax, 10.00"}


@pytest.mark.parametrize(
    ("rate", "kept"),
    [("19", "19"), ("7.70", "7.70"), ("19 %", "19"), (19, "19"), (7.7, "7.7")],
    ids=repr,
)
def test_a_rate_is_a_number_of_percent(rate: Any, kept: str) -> None:
    document = a_document(("TEA", 1, "10.00"))
    document["lines"][0]["tax_rate"] = rate
    order = Order.model_validate(document)
    assert json.loads(order.model_dump_json())["lines"][0]["tax_rate"] == kept


@pytest.mark.parametrize("rate", ["-19", "a lot", "1000", "19,0", True, "NaN", "1e1"])
def test_another_rate_is_refused_and_says_how_one_is_written(rate: Any) -> None:
    document = a_document(("TEA", 1, "10.00"))
    document["lines"][0]["tax_rate"] = rate
    assert refusals(document) == {
        "lines[0].tax_rate": 'must be a rate in percent, such as "19" or "7.7"'
    }


@pytest.mark.parametrize("place", ["lines", "shipping"])
def test_prices_of_two_kinds_in_one_order_are_refused(place: str) -> None:
    document = a_document(("TEA", 1, "10.00"))
    part = document["lines"][0] if place == "lines" else document["shipping"]
    part["prices_include_tax"] = True
    ((where, reason),) = refusals(document).items()
    assert place in where
    assert "prices_include_tax: is said once" in reason


def test_a_category_of_tax_is_free_text_and_is_cut_where_it_is_too_long() -> None:
    document = a_document(("TEA", 1, "10.00"))
    document["lines"][0]["tax_category"] = "x" * 61
    order = Order.model_validate(document)
    assert order.lines[0].tax_category == "x" * 60
    assert order.left_out == ("lines[0].tax_category was cut after 60 characters",)


@pytest.mark.parametrize(
    ("currency", "rounding", "fits"),
    [
        ("EUR", "-0.02", True),
        ("EUR", "0.99", True),
        ("EUR", "1.00", False),
        ("EUR", "-1.00", False),
        ("HUF", "-2.00", True),
        ("HUF", "5.00", False),
        ("JPY", "1", False),
    ],
)
def test_a_till_rounds_by_less_than_a_coin(currency: str, rounding: str, fits: bool) -> None:
    document = a_document(
        ("TEA", 1, "10"), currency=currency, rounding=rounding, shipping=shipping("0")
    )
    if fits:
        assert Order.model_validate(document).total_minor == 1000 + int(Decimal(rounding) * 100)
    else:
        assert list(refusals(document)) == ["rounding"]


def test_rounding_takes_off_no_more_than_the_goods_are_worth() -> None:
    document = a_document(("TEA", 1, "0.01"), rounding="-0.02")
    assert refusals(document) == {"rounding": "takes off more than the goods are worth"}


def test_a_discount_is_not_more_than_what_it_is_on() -> None:
    assert refusals(at(("lines", 0, "discount"), "25.01")) == {
        "lines[0].discount": "is more than the line is worth"
    }
    assert refusals(at(("discount",), "32.01")) == {"discount": "is more than the goods are worth"}
    bare = without(("total",), ("rounding",), ("lines", 0, "tax_rate"))
    gift = at(("lines", 0, "discount"), "25.00", at(("discount",), "8.00", bare))
    assert Order.model_validate(gift).total_minor == 240 + 550 + 330


def test_an_order_is_not_worth_more_than_the_database_can_add_up() -> None:
    line = {"line_id": "1", "sku": "A", "quantity": QUANTITY_MAX, "unit_price": "10000000.00"}
    bare = {**without(("total",), ("rounding",), ("fees",)), "discount": "0", "lines": [line]}
    bare["shipping"] = {"address": FULL["shipping"]["address"]}
    assert Order.model_validate(bare).total_minor == TOTAL_MINOR_MAX
    refused = refusals({**bare, "lines": [{**line, "unit_price": "99999999999999.99"}]})
    assert list(refused) == ["total"]
    more = {**bare, "shipping": {**bare["shipping"], "price": "0.01"}}
    assert list(refusals(more)) == ["total"]


def test_an_order_has_1_to_500_lines() -> None:
    line = {"sku": "A", "quantity": 1, "unit_price": "1.00"}
    many = [{"line_id": str(number), **line} for number in range(LINES_MAX + 1)]
    bare = {**without(("total",)), "discount": "0"}
    assert len(Order.model_validate({**bare, "lines": many[:-1]}).lines) == 500
    assert list(refusals({**bare, "lines": many})) == ["lines"]
    assert list(refusals({**bare, "lines": []})) == ["lines"]


def test_a_line_id_is_used_once() -> None:
    reason = refusals(at(("lines", 1, "line_id"), "1"))
    assert reason == {"lines[1].line_id": "'1' is used twice"}


@pytest.mark.parametrize("quantity", [0, -1, QUANTITY_MAX + 1, 10**30, 1.0, 1.5, "1", True, None])
def test_a_quantity_is_a_whole_number_from_1_to_a_million(quantity: Any) -> None:
    assert list(refusals(at(("lines", 0, "quantity"), quantity))) == ["lines[0].quantity"]


def test_everything_that_is_wrong_is_told_at_once_and_nothing_that_is_not() -> None:
    document = at(("lines", 0, "sku"), "", at(("currency",), "XYZ", at(("note",), 7)))
    document["lines"].pop()
    assert sorted(refusals(document)) == ["currency", "lines[0].sku"]


REFUSED: list[tuple[Path, list[Any]]] = [
    (("channel",), ["s", "", "WEB", "uk-web", "1shop", "a" * 17, None]),
    (("currency",), ["usd", "US", "XYZ", "XAU", "USD\n", "", 840]),
    ((*ADDRESS, "country"), ["kr", "KOR", "XX", "ZZ", "", "KR\n"]),
    (
        ("placed_at",),
        [
            *("2026-11-20T10:00:00", "now", "", 1763600400, "1763600400", 1.5, True),
            *("2026-02-30T10:00:00Z", "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+12:00"),
            *("1969-12-31T23:59:59Z", "2200-01-01T00:00:00Z", "2026-11-31", "2200-01-01"),
        ],
    ),
    (("payment", "token"), ["", "4111111111111111", "to", "tok ok", "tok_ok\n", "t" * 129]),
    (("lines", 0, "sku"), ["", " ", "T\nEA", "TEA\u202e", "\u200b", "T" * 101, True, None]),
    (("customer", "id"), ["C\n1", "C" * 201, True]),
    *((path, ["T\nE", "T\u202e", "1" * 101, True, 1.5, []]) for path in IDS),
]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        pytest.param(path, value, id=f"{text(path)}={value!r}"[:60])
        for path, values in REFUSED
        for value in values
    ],
)
def test_a_value_that_cannot_be_meant_is_refused(path: Path, value: Any) -> None:
    assert list(refusals(at(path, value))) == [text(path)]


@pytest.mark.parametrize("path", REQUIRED_TEXTS, ids=text)
@pytest.mark.parametrize("value", ["", " ", "\u00a0\u3000", "\u200b", "\x00\u202e", "x" * 301, 7])
def test_an_address_can_be_read(path: Path, value: Any) -> None:
    assert list(refusals(at(path, value))) == [text(path)]


def test_somebody_is_named() -> None:
    nobody = at(("customer", "name"), " ", at((*ADDRESS, "name"), None))
    assert sorted(refusals(nobody)) == ["customer.name", "shipping.address.name"]


@pytest.mark.parametrize("name", ["김민지", "Núñez-O'Brien", "محمد", "Ян", "李 小龙", "👩‍👧 Kim"])
def test_people_are_called_as_they_are_called(name: str) -> None:
    order = Order.model_validate(at(("customer", "name"), name))
    assert Order.model_validate_json(order.model_dump_json()).customer.name == name


# The schema --------------------------------------------------------------------------------------


def _parts(schema: Any) -> list[dict[str, Any]]:
    if isinstance(schema, dict):
        return [schema, *(part for value in schema.values() for part in _parts(value))]
    if isinstance(schema, list):
        return [part for value in schema for part in _parts(value)]
    return []


def test_the_schema_tells_what_is_checked() -> None:
    schema = Order.model_json_schema()
    assert schema["required"] == [
        *("channel", "channel_order_id", "placed_at", "currency", "lines", "payment"),
    ]
    lines = schema["properties"]["lines"]
    assert (lines["minItems"], lines["maxItems"]) == (1, LINES_MAX)
    quantity = schema["$defs"]["Line"]["properties"]["quantity"]
    assert (quantity["minimum"], quantity["maximum"]) == (1, QUANTITY_MAX)
    address = schema["$defs"]["Address"]["properties"]
    assert (address["city"]["maxLength"], address["city"]["minLength"]) == (300, 1)
    moment, day = schema["properties"]["placed_at"]["anyOf"]
    assert (moment["format"], day["format"]) == ("date-time", "date")
    for part in _parts(schema):
        if part.get("type") == "object" and "properties" in part:
            assert part["additionalProperties"] is False
    json.dumps(schema)


def test_the_schema_refuses_what_is_refused() -> None:
    properties = Order.model_json_schema()["$defs"]["Line"]["properties"]
    amount, sku = properties["unit_price"], properties["sku"]
    assert amount["type"] == "string"
    for bad in ("1E2", "-1.00", "12,50", " 1", "NaN", "1" * 15):
        assert re.search(amount["pattern"], bad, re.ASCII) is None
    assert re.search(sku["pattern"], "A\n1") is None


@given(orders())
def test_the_schema_accepts_what_is_accepted(order: Order) -> None:
    schema = Order.model_json_schema()
    document = json.loads(order.model_dump_json())
    amount = schema["$defs"]["Line"]["properties"]["unit_price"]["pattern"]
    for line in document["lines"]:
        assert all(re.search(amount, line[name]) for name in ("unit_price", "discount"))
    assert set(document) <= set(schema["properties"])


def test_the_examples_of_the_schema_are_accepted() -> None:
    examples = {
        example
        for part in _parts(Order.model_json_schema())
        for example in part.get("examples", ())
    }
    assert examples
    bare = without(("total",), *TAX_RATES)
    for example in examples:
        path: Path = ("rounding",) if example.startswith("-") else ("lines", 0, "unit_price")
        Order.model_validate(at(path, example, bare))
