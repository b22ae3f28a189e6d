"""Shopify's order, as far as it is read."""

from __future__ import annotations

from decimal import Decimal

from domain.fields import Instant
from domain.shops.news import Number, Shape, Text


class Amount(Shape):
    """An amount in the shop's currency."""

    amount: Number


class Money(Shape):
    """An amount in the shop's currency, and in the customer's."""

    shop_money: Amount


class Tax(Shape):
    """A tax of a line. `rate`: 0.19."""

    price: Number
    rate: Number = Decimal(0)


class Address(Shape):
    """An address."""

    name: Text = ""
    first_name: Text = ""
    last_name: Text = ""
    company: Text = ""
    address1: Text = ""
    address2: Text = ""
    city: Text = ""
    province: Text = ""
    zip: Text = ""
    country_code: Text = ""
    phone: Text = ""


class Customer(Shape):
    """Who ordered."""

    id: Text = ""
    first_name: Text = ""
    last_name: Text = ""


class Line(Shape):
    """An ordered item."""

    id: Text
    sku: Text = ""
    variant_id: Text = ""
    title: Text = ""
    quantity: int
    current_quantity: int | None = None
    price: Number
    discount_allocations: tuple[Amount, ...] = ()
    tax_lines: tuple[Tax, ...] = ()
    requires_shipping: bool = True
    gift_card: bool = False

    @property
    def discount(self) -> Decimal:
        """What was taken off the price of all units."""
        return sum((one.amount for one in self.discount_allocations), Decimal(0))

    @property
    def tax(self) -> Decimal:
        """The taxes together."""
        return sum((one.price for one in self.tax_lines), Decimal(0))

    @property
    def is_sent(self) -> bool:
        """Whether something is picked for it."""
        return self.requires_shipping and not self.gift_card


class Shipping(Shape):
    """What shipping costs."""

    title: Text = ""
    code: Text = ""
    price: Number
    discount_allocations: tuple[Amount, ...] = ()
    tax_lines: tuple[Tax, ...] = ()

    @property
    def cost(self) -> Decimal:
        """The price less its discounts."""
        return self.price - sum((one.amount for one in self.discount_allocations), Decimal(0))


class Transaction(Shape):
    """Money that went one way or the other."""

    id: Text
    kind: str
    status: Text = ""
    amount: Number


class Refund(Shape):
    """What was paid back at one time."""

    note: Text = ""
    transactions: tuple[Transaction, ...] = ()


class Order(Shape):
    """An order, as its webhook has it."""

    id: Text
    name: Text
    created_at: Instant
    updated_at: Instant
    cancelled_at: Instant | None = None
    cancel_reason: Text = ""
    financial_status: Text = ""
    fulfillment_status: Text = ""
    test: bool = False
    currency: str
    taxes_included: bool = False
    total_price: Number
    total_tip_received: Number = Decimal(0)
    original_total_duties_set: Money | None = None
    total_cash_rounding_payment_adjustment_set: Money | None = None
    email: Text = ""
    phone: Text = ""
    note: Text = ""
    customer_locale: Text = ""
    customer: Customer | None = None
    billing_address: Address | None = None
    shipping_address: Address | None = None
    line_items: tuple[Line, ...] = ()
    shipping_lines: tuple[Shipping, ...] = ()
    refunds: tuple[Refund, ...] = ()
