"""Shopify's order as ours. docs/shopify.md has the table of fields."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from domain.fields import Instant
from domain.money import Money, to_minor
from domain.orders.shipping import COLLECT
from domain.payments.elsewhere import PaidBack
from domain.shops import shopify_shapes as shapes
from domain.shops.connections import ShopOptions
from domain.shops.news import (
    OrderNews,
    Shape,
    Text,
    amount_text,
    is_ours,
    place,
    rate_of,
    read,
)

TOPICS: Final = frozenset(
    f"orders/{what}"
    for what in ("create", "paid", "updated", "cancelled", "fulfilled", "partially_fulfilled")
)
"""Those whose body is a whole order. What others tell, `orders/updated` tells as well."""

_PAID: Final = ("paid", "partially_refunded", "refunded")


def read_order(content: Any, channel: str, options: ShopOptions) -> OrderNews:
    """What a message with a whole order means. Raises InvalidInput that names what is wrong."""
    theirs = read(shapes.Order, content)
    token = f"shopify-{theirs.id}"
    removed = {
        line.id: line.quantity - line.current_quantity
        for line in theirs.line_items
        if line.is_sent
        and line.current_quantity is not None
        and line.current_quantity < line.quantity
    }
    return OrderNews(
        number=theirs.name,
        order=place(_document(theirs, channel, options, token)),
        wait=_why_to_wait(theirs, options),
        cancelled=f"cancelled in the shop: {theirs.cancel_reason or 'no reason given'}"
        if theirs.cancelled_at
        else "",
        removed=removed,
        paid_back=tuple(_paid_back(theirs, token)),
    )


def subject_and_version(content: Any) -> tuple[str, datetime]:
    """Which order a message is about, and as of when. Raises InvalidInput."""
    named = read(_Named, content)
    return named.id, named.updated_at


class _Named(Shape):
    id: Text
    updated_at: Instant


def _why_to_wait(theirs: shapes.Order, options: ShopOptions) -> str:
    if theirs.test:
        return "it is a test of the shop"
    if options.paid and theirs.financial_status not in _PAID:
        return f"it is not paid yet: {theirs.financial_status or 'nothing is said of it'}"
    if theirs.fulfillment_status == "fulfilled":
        return "it was fulfilled there before it came"
    return ""


def _paid_back(theirs: shapes.Order, token: str) -> Iterator[PaidBack]:
    for refund in theirs.refunds:
        if is_ours(refund.note):
            continue
        for one in refund.transactions:
            if one.kind == "refund" and one.status == "success" and one.amount:
                minor = to_minor(amount_text(one.amount, theirs.currency), theirs.currency)
                yield PaidBack(
                    reference=f"shopify-refund-{one.id}",
                    authorization=token,
                    amount=Money(minor=minor, currency=theirs.currency),
                )


def _document(
    theirs: shapes.Order, channel: str, options: ShopOptions, token: str
) -> dict[str, Any]:
    currency = theirs.currency

    def text(amount: Decimal) -> str:
        return amount_text(amount, currency)

    def taxed(cost: Decimal, taxes: Sequence[shapes.Tax]) -> dict[str, str]:
        tax = sum((one.price for one in taxes), Decimal(0))
        rates = [one.rate * 100 for one in taxes]
        rate = rate_of(rates, cost, tax, currency, included=theirs.taxes_included)
        return {"tax": text(tax)} | ({} if rate is None else {"tax_rate": rate})

    def cost_of(line: shapes.Line) -> Decimal:
        return line.price * line.quantity - line.discount

    fees = [
        {
            "name": line.title or line.sku or "without a parcel",
            "amount": text(cost_of(line)),
            **taxed(cost_of(line), line.tax_lines),
        }
        for line in theirs.line_items
        if not line.is_sent and line.quantity
    ]
    if theirs.total_tip_received:
        fees.append({"name": "Tip", "amount": text(theirs.total_tip_received)})
    if (duties := theirs.original_total_duties_set) and duties.shop_money.amount:
        fees.append({"name": "Duties", "amount": text(duties.shop_money.amount)})
    rounding = theirs.total_cash_rounding_payment_adjustment_set
    return {
        "channel": channel,
        "channel_order_id": theirs.name,
        "placed_at": theirs.created_at,
        "currency": currency,
        "prices_include_tax": theirs.taxes_included,
        "customer": _customer(theirs),
        "billing": None if theirs.billing_address is None else _address(theirs.billing_address),
        "shipping": _shipping(theirs, options, taxed),
        "lines": [
            {
                "line_id": line.id,
                "sku": options.skus.get(line.sku or line.variant_id, line.sku),
                "quantity": line.quantity,
                "unit_price": text(line.price),
                "discount": text(line.discount),
                **taxed(cost_of(line), line.tax_lines),
            }
            for line in theirs.line_items
            if line.is_sent and line.quantity
        ],
        "fees": fees,
        "rounding": text(rounding.shop_money.amount) if rounding else "0",
        "note": theirs.note,
        "payment": {"provider": options.paid_by, "token": token},
        "extra": {"shopify_id": theirs.id},
        "total": text(theirs.total_price),
    }


def _shipping(theirs: shapes.Order, options: ShopOptions, taxed: Any) -> dict[str, Any]:
    cost = sum((one.cost for one in theirs.shipping_lines), Decimal(0))
    taxes = [tax for one in theirs.shipping_lines for tax in one.tax_lines]
    shipping = {"price": amount_text(cost, theirs.currency), **taxed(cost, taxes)}
    if theirs.shipping_address is None:
        return {**shipping, "service": COLLECT}
    names = [name for one in theirs.shipping_lines for name in (one.code, one.title)]
    known = next((options.services[name] for name in names if name in options.services), None)
    return {
        **shipping,
        **({} if known is None else {"service": known}),
        "address": _address(theirs.shipping_address),
    }


def _customer(theirs: shapes.Order) -> dict[str, Any]:
    who = theirs.customer or shapes.Customer()
    address = theirs.shipping_address or theirs.billing_address or shapes.Address()
    return {
        "id": who.id,
        "name": f"{who.first_name} {who.last_name}".strip() or _name(address),
        "email": theirs.email,
        "phone": theirs.phone or address.phone,
        "company": (theirs.billing_address or address).company,
        "locale": theirs.customer_locale,
    }


def _name(address: shapes.Address) -> str:
    whole = f"{address.first_name} {address.last_name}".strip()
    return address.name or whole or address.company


def _address(address: shapes.Address) -> dict[str, Any]:
    return {
        "name": _name(address),
        "company": address.company,
        "line1": address.address1,
        "line2": address.address2,
        "city": address.city,
        "region": address.province,
        "postal_code": address.zip,
        "country": address.country_code,
    }
