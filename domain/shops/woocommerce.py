"""WooCommerce's order as ours. docs/woocommerce.md has the table of fields."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated, Any, Final

from pydantic import BeforeValidator

from domain.errors import InvalidInput
from domain.fields import Instant
from domain.money import Money, decimals, price_text, to_decimal, to_minor, worth_of_units
from domain.orders.shipping import COLLECT
from domain.payments.elsewhere import PaidBack
from domain.shops.connections import ShopOptions
from domain.shops.news import (
    Number,
    OrderNews,
    Shape,
    Text,
    amount_text,
    is_ours,
    place,
    rate_of,
    read,
)

TOPICS: Final = frozenset({"order.created", "order.updated", "order.restored"})

_PLACEABLE: Final = ("processing", "completed", "refunded", "cancelled")


def _in_utc(value: Any) -> Any:
    """Its times that end in _gmt are without their offset."""
    return f"{value}Z" if isinstance(value, str) and len(value) == 19 else value


Gmt = Annotated[Instant, BeforeValidator(_in_utc)]


class _Address(Shape):
    first_name: Text = ""
    last_name: Text = ""
    company: Text = ""
    address_1: Text = ""
    address_2: Text = ""
    city: Text = ""
    state: Text = ""
    postcode: Text = ""
    country: Text = ""
    email: Text = ""
    phone: Text = ""

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip() or self.company


class _LineTax(Shape):
    id: Text = ""
    total: Number = Decimal(0)


class _Taxed(Shape):
    total: Number
    total_tax: Number = Decimal(0)
    taxes: tuple[_LineTax, ...] = ()


class _Line(_Taxed):
    id: Text
    name: Text = ""
    sku: Text = ""
    product_id: Text = ""
    variation_id: Text = ""
    quantity: int
    subtotal: Number


class _Shipping(_Taxed):
    method_title: Text = ""
    method_id: Text = ""


class _Fee(_Taxed):
    name: Text = ""


class _Rate(Shape):
    rate_id: Text
    rate_percent: Number = Decimal(0)


class _Refund(Shape):
    id: Text
    reason: Text = ""
    total: Number


class _Named(Shape):
    id: Text
    date_modified_gmt: Gmt


class _Order(_Named):
    number: Text
    status: Text
    currency: str
    date_created_gmt: Gmt
    date_paid_gmt: Gmt | None = None
    total: Number
    customer_id: Text = ""
    customer_note: Text = ""
    payment_method: Text = ""
    billing: _Address = _Address()
    shipping: _Address = _Address()
    line_items: tuple[_Line, ...] = ()
    tax_lines: tuple[_Rate, ...] = ()
    shipping_lines: tuple[_Shipping, ...] = ()
    fee_lines: tuple[_Fee, ...] = ()
    refunds: tuple[_Refund, ...] = ()


def subject_and_version(content: Any) -> tuple[str, datetime]:
    """Which order a message is about, and as of when. Raises InvalidInput."""
    named = read(_Named, content)
    return named.id, named.date_modified_gmt.astimezone(UTC)


def read_order(content: Any, channel: str, options: ShopOptions) -> OrderNews:
    """What a message with an order means. Raises InvalidInput that names what is wrong."""
    theirs = read(_Order, content)
    token = f"woocommerce-{theirs.id}"
    # It becomes refunded by itself once all is paid back, by us as well.
    by_us = bool(theirs.refunds) and all(is_ours(one.reason) for one in theirs.refunds)
    over = theirs.status == "cancelled" or (theirs.status == "refunded" and not by_us)
    return OrderNews(
        number=theirs.number,
        order=place(_Mapped(theirs, channel, options, token).document()),
        wait=_why_to_wait(theirs, options),
        cancelled=f"{theirs.status} in the shop" if over else "",
        paid_back=tuple(_paid_back(theirs, token)),
    )


def _why_to_wait(theirs: _Order, options: ShopOptions) -> str:
    if theirs.status not in _PLACEABLE:
        return f"it is {theirs.status} there"
    if not options.paid or theirs.date_paid_gmt is not None:
        return ""
    if theirs.status in ("processing", "completed"):
        raise InvalidInput(
            f"it is {theirs.status} there and not paid ({theirs.payment_method or 'no method'}): "
            "this channel's orders come paid; mark it as paid there, or settle this message"
        )
    return "it was never paid"


def _paid_back(theirs: _Order, token: str) -> Iterator[PaidBack]:
    for one in theirs.refunds:
        if one.total and not is_ours(one.reason):
            minor = to_minor(amount_text(abs(one.total), theirs.currency), theirs.currency)
            yield PaidBack(
                reference=f"woocommerce-refund-{one.id}",
                authorization=token,
                amount=Money(minor=minor, currency=theirs.currency),
            )


class _Mapped:
    """Its amounts are without tax, whatever its prices were entered with; each is rounded by it.

    So they can be a minor unit apart from the total for each part: that becomes `rounding`.
    """

    def __init__(self, theirs: _Order, channel: str, options: ShopOptions, token: str) -> None:
        self._theirs = theirs
        self._channel = channel
        self._options = options
        self._token = token
        self._currency = theirs.currency
        self._rates = {one.rate_id: one.rate_percent for one in theirs.tax_lines}

    def document(self) -> dict[str, Any]:
        theirs, options = self._theirs, self._options
        if any(one.total < 0 for one in theirs.fee_lines):
            raise InvalidInput("has a fee below zero; a coupon says the same", where="fee_lines")
        lines = [self._line(line) for line in theirs.line_items if line.quantity]
        fees = [
            {"name": one.name or "Fee", "amount": self._text(one.total), **self._taxed(one)}
            for one in theirs.fee_lines
        ]
        return {
            "channel": self._channel,
            "channel_order_id": theirs.number,
            "placed_at": theirs.date_created_gmt,
            "currency": self._currency,
            "customer": {
                "id": "" if theirs.customer_id == "0" else theirs.customer_id,
                "name": theirs.billing.name or theirs.shipping.name,
                "email": theirs.billing.email,
                "phone": theirs.billing.phone or theirs.shipping.phone,
                "company": theirs.billing.company,
            },
            "billing": self._address(theirs.billing) if theirs.billing.country else None,
            "shipping": self._shipping(),
            "lines": lines,
            "fees": fees,
            "rounding": self._rounding(),
            "note": theirs.customer_note,
            "payment": {"provider": options.paid_by, "token": self._token},
            "extra": {"woocommerce_id": theirs.id},
            "total": self._text(theirs.total),
        }

    def _line(self, line: _Line) -> dict[str, Any]:
        if line.total > line.subtotal:
            raise InvalidInput(
                f"{line.name or line.sku} costs more after its discount than before",
                where="line_items",
            )
        listed = self._rounded(line.subtotal)
        each = (listed / line.quantity).quantize(Decimal("0.000001"), ROUND_HALF_UP)
        worth = to_decimal(worth_of_units(each, line.quantity, self._currency), self._currency)
        if worth != listed:
            raise InvalidInput(
                f"{listed} for {line.quantity} units has no price of a unit with six decimals",
                where="line_items",
            )
        product = line.product_id if line.variation_id in ("", "0") else line.variation_id
        return {
            "line_id": line.id,
            "sku": self._options.skus.get(line.sku or product, line.sku),
            "quantity": line.quantity,
            "unit_price": price_text(each.normalize(), self._currency),
            "discount": self._text(listed - self._rounded(line.total)),
            **self._taxed(line),
        }

    def _shipping(self) -> dict[str, Any]:
        theirs = self._theirs
        taxes = tuple(tax for one in theirs.shipping_lines for tax in one.taxes)
        whole = _Taxed(
            total=sum((one.total for one in theirs.shipping_lines), Decimal(0)),
            total_tax=sum((one.total_tax for one in theirs.shipping_lines), Decimal(0)),
            taxes=taxes,
        )
        shipping: dict[str, Any] = {"price": self._text(whole.total), **self._taxed(whole)}
        if any(one.method_id == "local_pickup" for one in theirs.shipping_lines):
            return {**shipping, "service": COLLECT}
        to = theirs.shipping if theirs.shipping.country else theirs.billing
        names = [n for one in theirs.shipping_lines for n in (one.method_id, one.method_title)]
        known = self._options.services
        service = next((known[name] for name in names if name in known), None)
        return {
            **shipping,
            **({} if service is None else {"service": service}),
            "address": self._address(to),
        }

    def _address(self, address: _Address) -> dict[str, Any]:
        return {
            "name": address.name,
            "company": address.company,
            "line1": address.address_1,
            "line2": address.address_2,
            "city": address.city,
            "region": address.state,
            "postal_code": address.postcode,
            "country": address.country,
        }

    def _rounding(self) -> str:
        """What its own rounding leaves between the parts and the total."""
        theirs = self._theirs
        parts = (*theirs.line_items, *theirs.fee_lines, *theirs.shipping_lines)
        whole = sum(
            (self._rounded(one.total) + self._rounded(one.total_tax) for one in parts), Decimal(0)
        )
        apart = self._rounded(theirs.total) - whole
        least = Decimal(1).scaleb(-decimals(self._currency))
        if abs(apart) > least * len(parts):
            raise InvalidInput(
                f"is {theirs.total}, but lines, fees and shipping add up to {whole}", where="total"
            )
        return format(apart, "f")

    def _taxed(self, part: _Taxed) -> dict[str, str]:
        rates = [self._rates.get(tax.id, Decimal(0)) for tax in part.taxes if tax.total]
        cost, tax = self._rounded(part.total), self._rounded(part.total_tax)
        rate = rate_of(rates, cost, tax, self._currency, included=False)
        return {"tax": self._text(tax)} | ({} if rate is None else {"tax_rate": rate})

    def _text(self, amount: Decimal) -> str:
        return amount_text(self._rounded(amount), self._currency)

    def _rounded(self, amount: Decimal) -> Decimal:
        return amount.quantize(Decimal(1).scaleb(-decimals(self._currency)), ROUND_HALF_UP)
