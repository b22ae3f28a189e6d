"""Orders of shops as ours: what their pages show is what is read, and totals fit to the cent."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from domain.errors import InvalidInput
from domain.orders.order import Order
from domain.shops.access import ShopKind
from domain.shops.connections import ShopOptions
from domain.shops.news import OrderNews, differences
from domain.shops.reading import content_of, read_order, subject_and_version
from domain.standard_webhooks import TOLERANCE
from tests.support.shop_payloads import examples, shopify, woocommerce

IDEA = ShopOptions(skus={"23": "IDEA-M"})


def read(kind: ShopKind, content: Any, options: ShopOptions | None = None) -> OrderNews:
    if options is None:
        options = IDEA if kind == "woocommerce" else ShopOptions()
    return read_order(kind, content, "web", options)


def order_of(kind: ShopKind, content: Any, options: ShopOptions | None = None) -> Order:
    order = read(kind, content, options).order
    assert order is not None
    return order


def test_the_pages_show_what_is_read() -> None:
    message, becomes = examples("shopify.md")
    express = ShopOptions(services={"express": "express"})
    assert order_of("shopify", message, express) == Order.model_validate(becomes)
    message, becomes, generic, cancel = examples("woocommerce.md")
    assert order_of("woocommerce", message) == Order.model_validate(becomes)
    assert order_of("generic", generic).total_minor == 39_80
    assert read("generic", cancel) == OrderNews(
        number="7001", order=None, cancelled="changed her mind"
    )


def test_what_was_fulfilled_there_before_it_came_is_not_sent_again() -> None:
    assert read("shopify", shopify(fulfillment_status="partial")).wait == ""
    wait = read("shopify", shopify(fulfillment_status="fulfilled")).wait
    assert wait == "it was fulfilled there before it came"


def test_what_we_had_paid_back_makes_no_order_of_woocommerce_a_cancelled_one() -> None:
    ours = {"id": 1, "reason": "Orderloom refund web-727:G1:refund:1", "total": "-32.35"}
    assert read("woocommerce", woocommerce(status="refunded", refunds=[ours])).cancelled == ""
    theirs = {"id": 2, "reason": "broken", "total": "-32.35"}
    news = read("woocommerce", woocommerce(status="refunded", refunds=[theirs]))
    assert news.cancelled == "refunded in the shop"
    assert [one.reference for one in news.paid_back] == ["woocommerce-refund-2"]


def test_net_prices_discounts_and_several_taxes_of_shopify_add_up() -> None:
    message = shopify(
        currency="USD",
        taxes_included=False,
        total_tip_received="0.00",
        total_price="44.14",
        line_items=[
            {
                "id": 1,
                "sku": "TEA",
                "quantity": 3,
                "price": "10.00",
                "discount_allocations": [{"amount": "2.00"}, {"amount": "1.00"}],
                "tax_lines": [{"price": "1.69", "rate": 0.0625}, {"price": "0.61", "rate": 0.0225}],
            }
        ],
        shipping_lines=[
            {
                "code": "std",
                "price": "16.00",
                "discount_allocations": [{"amount": "1.16"}],
                "tax_lines": [],
            }
        ],
    )
    order = order_of("shopify", message)
    assert order.total_minor == 44_14
    (line,) = order.prices.lines
    assert (line.net, line.tax, line.rate) == (27_00, 2_30, Decimal("8.5"))
    assert order.shipping.price == Decimal("14.84")


def test_a_currency_without_decimals_may_come_with_zeros() -> None:
    line = {"id": 1, "sku": "TEA", "quantity": 2, "price": "500.00"}
    message = shopify(
        currency="JPY",
        total_price="1000.00",
        total_tip_received="0.0",
        line_items=[line],
        shipping_lines=[],
    )
    assert order_of("shopify", message).total_minor == 1000
    with pytest.raises(InvalidInput, match="more decimals"):
        read("shopify", {**message, "total_price": "1000.50"})


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"total_price": "45.81"}, "add up to 45.80"),
        ({"total_price": "nothing"}, "total_price must be an amount"),
        ({"line_items": []}, "at least one line"),
        ({"currency": "XXX"}, "currency"),
        ({"updated_at": "yesterday"}, "updated_at"),
        ({"shipping_address": {"country_code": "DE", "city": "Ulm"}}, "line1"),
    ],
)
def test_what_cannot_be_mapped_is_named(change: dict[str, Any], why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        read("shopify", shopify(**change))


def test_a_line_without_a_sku_goes_by_its_variant() -> None:
    message = shopify()
    message["line_items"][0]["sku"] = ""
    with pytest.raises(InvalidInput, match="sku"):
        read("shopify", message)
    named = ShopOptions(skus={"39072856": "TEA-1"})
    assert order_of("shopify", message, named).lines[0].sku == "TEA-1"


def test_only_what_is_paid_is_placed_where_orders_come_paid() -> None:
    pending = shopify(financial_status="pending")
    assert "not paid yet" in read("shopify", pending).wait
    asks = ShopOptions(paid=False, provider="sandbox")
    unpaid = read("shopify", pending, asks)
    assert (unpaid.wait, unpaid.order and unpaid.order.payment.provider) == ("", "sandbox")
    assert "test" in read("shopify", shopify(test=True)).wait
    assert read("woocommerce", woocommerce(status="pending")).wait
    with pytest.raises(InvalidInput, match="not paid"):
        read("woocommerce", woocommerce(date_paid_gmt=None, payment_method="cod"))


def test_what_changed_in_shopify_is_told() -> None:
    message = shopify(
        cancelled_at="2026-11-21T10:00:00Z",
        cancel_reason="customer",
        financial_status="partially_refunded",
        refunds=[
            {
                "id": 9,
                "transactions": [
                    {"id": 91, "kind": "refund", "status": "success", "amount": "19.90"},
                    {"id": 92, "kind": "refund", "status": "failure", "amount": "1.00"},
                ],
            }
        ],
    )
    message["line_items"][0]["current_quantity"] = 1
    news = read("shopify", message)
    assert news.cancelled == "cancelled in the shop: customer"
    assert news.removed == {"466157049": 1}
    assert [(x.reference, x.authorization, x.amount.minor) for x in news.paid_back] == [
        ("shopify-refund-91", "shopify-450789469", 19_90)
    ]
    assert news.wait == ""


def test_what_changed_in_woocommerce_is_told() -> None:
    news = read(
        "woocommerce", woocommerce(status="refunded", refunds=[{"id": 5, "total": "-32.35"}])
    )
    assert news.cancelled == "refunded in the shop"
    assert [(x.reference, x.amount.minor) for x in news.paid_back] == [
        ("woocommerce-refund-5", 32_35)
    ]


def test_cents_that_woocommerce_rounds_away_are_the_rounding() -> None:
    assert order_of("woocommerce", woocommerce(total="32.33")).rounding == Decimal("-0.02")
    with pytest.raises(InvalidInput, match=r"add up to 32\.35"):
        read("woocommerce", woocommerce(total="32.25"))


def test_a_price_that_does_not_divide_is_finer_than_a_cent() -> None:
    message = woocommerce(total="23.01", fee_lines=[], shipping_lines=[])
    message["line_items"] = [
        {**message["line_items"][0], "quantity": 3, "subtotal": "22.56", "total": "22.56"}
    ]
    message["line_items"][0]["subtotal"] = message["line_items"][0]["total"] = "22.56"
    (line,) = order_of("woocommerce", message).lines
    assert line.unit_price == Decimal("7.52")
    message["line_items"][0]["subtotal"] = message["line_items"][0]["total"] = "20.00"
    message["total"] = "20.45"
    order = order_of("woocommerce", message)
    assert (order.lines[0].unit_price, order.total_minor) == (Decimal("6.666667"), 20_45)


def test_a_fee_below_zero_is_for_a_person() -> None:
    fee = {"id": 1, "name": "Bonus", "total": "-3.00", "total_tax": "0.00"}
    with pytest.raises(InvalidInput, match="below zero"):
        read("woocommerce", woocommerce(fee_lines=[fee]))


def test_the_generic_kind_sends_for_its_own_channel_alone() -> None:
    generic = examples("woocommerce.md")[2]
    with pytest.raises(InvalidInput, match="web sent it"):
        read("generic", {**generic, "channel": "pos"})
    with pytest.raises(InvalidInput, match="channel_order_id"):
        read("generic", {"hello": "there"})


def test_edits_are_told_and_what_is_written_otherwise_is_none() -> None:
    placed = order_of("shopify", shopify()).model_dump(mode="json")
    assert differences(order_of("shopify", shopify(note="hello")), placed) == ""
    more = shopify(total_price="65.70")
    more["line_items"][0]["quantity"] = 3
    assert differences(order_of("shopify", more), placed) == "2 × TEA became 3 × TEA"
    moved = shopify()
    moved["shipping_address"]["city"] = "Berlin"
    assert differences(order_of("shopify", moved), placed) == "the address was changed"
    nobody = {"customer": {"id": "erased-17", "name": "[erased]"}}
    assert differences(order_of("shopify", moved), placed | nobody) == ""


def test_a_message_says_which_order_and_as_of_when() -> None:
    sent = subject_and_version("generic", examples("woocommerce.md")[2], _AT)
    assert sent == ("7001", _AT)
    assert subject_and_version("shopify", shopify(), _AT)[0] == "450789469"
    named, version = subject_and_version("woocommerce", woocommerce(), _AT)
    assert (named, version.isoformat()) == ("727", "2026-11-20T16:28:08+00:00")


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b'{"a": NaN}', b'"a"', b"[" * 100_000])
def test_only_a_json_object_is_read(body: bytes) -> None:
    with pytest.raises(InvalidInput):
        content_of(body)


_AT = subject_and_version("shopify", shopify(), None)[1] + TOLERANCE  # type: ignore[arg-type]  # not asked for
