"""The canonical order: every channel's payload is turned into this one document.

Channels send it, the workflow carries it, and `orderloom schema order` describes it. Amounts are
decimal strings here ("12.50"); `domain.orders.amounts` turns them into minor units. A given `total`
must agree with the lines, so that a channel that computes otherwise is found out at intake and not
at the bank.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Final, Self

from pydantic import (
    Field,
    ValidationInfo,
    model_validator,
)

from domain import ids
from domain.errors import InvalidInput
from domain.fields import (
    Amount,
    Currency,
    Day,
    Document,
    Id,
    Note,
    Printable,
    Token,
    inconsistent,
    instant_as_text,
)
from domain.money import price_text, to_decimal, to_minor, worth_of_units
from domain.optional_fields import CUT, FREE, LenientDocument, LenientRoot, filled
from domain.orders.extra import Extra
from domain.orders.fees import Fees
from domain.orders.lines import LINES_MAX, QUANTITY_MAX, Line, Lines, Quantity
from domain.orders.people import GUEST, Address, Customer
from domain.orders.placed import PlacedAt
from domain.orders.price_fields import SignedAmount
from domain.orders.prices import PriceFault, Prices, priced
from domain.orders.providers import ProviderName
from domain.orders.shipping import COLLECT, Shipping
from domain.sellers import Code
from domain.stored import is_stored

__all__ = [
    "COLLECT",
    "LINES_MAX",
    "QUANTITY_MAX",
    "TENDERS_MAX",
    "TOTAL_MINOR_MAX",
    "Address",
    "Customer",
    "Line",
    "Order",
    "Payment",
    "Quantity",
    "Shipping",
    "Tender",
]

TENDERS_MAX = 9
# Keeps every amount inside a PostgreSQL bigint, with room for sums over many orders.
TOTAL_MINOR_MAX = 10**15

CASH_UNITS: Final = {"CLP": 10, "COP": 100, "HUF": 5, "IDR": 500, "KRW": 10, "VND": 1000}
"""The smallest coin of currencies whose coins of one are gone; a till rounds by less than it."""


class Payment(LenientDocument):
    """A provider's token. Card numbers never enter: there is no field for one."""

    provider: ProviderName = "sandbox"
    token: Token


class Tender(Document):
    """A means of payment beside the main one, and the most that it pays of the order."""

    provider: ProviderName
    token: Token
    amount: Amount


class Order(LenientRoot):
    """One order of one customer, as placed. Prices are net and tax is added, or include it."""

    channel: Code
    channel_order_id: Printable
    """The order's number as the channel writes it: `1001`, `#1001`, `SO/2026/00042`, `№ 7`."""
    placed_at: PlacedAt
    """A moment, or a day where the channel knows no more."""
    customer: Customer = Customer(id="guest", name=GUEST)
    currency: Currency
    prices_include_tax: Annotated[bool, Field(strict=True)] = False
    """The prices of units and of shipping, and the discounts, are with tax."""
    lines: Lines
    discount: Amount = Decimal(0)
    rounding: SignedAmount = Decimal(0)
    """What a till adds or takes off so that the total can be paid in cash."""
    shipping: Shipping = Shipping(service=COLLECT)
    """Left out: the customer has the goods at the counter, and nothing is sent."""
    fees: Fees = ()
    """Each is owed once for the order, and kept or paid back as shipping is."""
    payment: Payment
    tenders: Annotated[tuple[Tender, ...], Field(max_length=TENDERS_MAX)] = ()
    """Tenders that pay before `payment` does, in this sequence; `payment` pays the rest."""
    basket: Annotated[Id | None, FREE] = None
    """The basket whose soft reservations this order turns into its own."""
    requested_delivery_date: Annotated[Day | None, FREE] = None
    note: Annotated[Note | None, CUT] = None
    gift_message: Annotated[Note | None, CUT] = None
    """Goes into the parcel, for the receiver."""
    billing: Annotated[Address | None, FREE] = None
    """Whom the invoice is for, where that is not the customer at the parcel's address."""
    extra: Annotated[Extra | None, FREE] = None
    """What the channel has beside all this: kept and shown, and never interpreted."""
    total: Amount | None = None

    @property
    def order_id(self) -> str:
        """`<channel>-<number>`, the number encoded: what all of its parts' ids begin with."""
        return ids.order_id(self.channel, self.channel_order_id)

    @property
    def total_minor(self) -> int:
        """What to pay, in minor units: goods − discounts + taxes + shipping + fees + rounding."""
        return self.prices.total

    @property
    def prices(self) -> Prices:
        """What each line, the shipping and each fee cost, with their tax."""
        return priced(self)

    @property
    def digest(self) -> str:
        """A hash of the content. It tells a repeat from another order with the same id.

        A left-out field and one with its default give the same digest, so a field that a later
        version adds does not change the digests of orders that lack it.
        """

        def canonical(value: object) -> str:
            if isinstance(value, Decimal):  # "12.5" and "12.50" are the same amount.
                return price_text(value.normalize(), self.currency)
            if isinstance(value, datetime):
                return instant_as_text(value)
            return str(value)

        content = self.model_dump(exclude={"total"}, exclude_defaults=True)
        for part in (*content["lines"], content.get("shipping", {}), *content.get("fees", ())):
            if part.get("tax") == 0 and "tax_rate" not in part:
                del part["tax"]  # As if it were left out.
        text = json.dumps(content, default=canonical, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def listed_minor(self, line: Line) -> int:
        """What a line costs before discounts and tax, in minor units."""
        return worth_of_units(line.unit_price, line.quantity, self.currency)

    def _minor(self, amount: Decimal) -> int:
        return to_minor(amount, self.currency)

    @model_validator(mode="before")
    @classmethod
    def _numbered(cls, document: Any) -> Any:
        match document:
            case {"lines": [*lines]} if any(isinstance(line, dict) for line in lines):
                numbered = [
                    filled(line, line_id=str(position)) if isinstance(line, dict) else line
                    for position, line in enumerate(lines, start=1)
                ]
                return {**document, "lines": numbered}
        return document

    @model_validator(mode="before")
    @classmethod
    def _named(cls, document: Any) -> Any:
        """Who is named in one place is named in all; at a counter nobody has to be."""
        if not isinstance(document, dict):
            return document
        number = str(document.get("channel_order_id")).strip()
        guest = f"guest-{ids.order_id(str(document.get('channel')), number)}"
        given = {"customer": {}, "shipping": {"service": COLLECT}, **document}
        customer, shipping = given["customer"], given["shipping"]
        match customer, shipping:
            case dict(), {"address": dict(address)}:
                customer = filled(customer, id=guest, name=address.get("name"))
                address = filled(address, name=customer.get("name"))
                shipping = {**shipping, "address": address}
            case dict(), {"service": service} if service == COLLECT:
                customer = filled(customer, id=guest, name=GUEST)
        return {**document, "customer": customer, "shipping": shipping}

    @model_validator(mode="after")
    def _sent_somewhere(self) -> Self:
        if self.shipping.address is None and self.shipping.service != COLLECT:
            why = f"is needed where goods are sent; with the service {COLLECT!r} they are not"
            raise inconsistent("shipping.address", why)
        return self

    @model_validator(mode="after")
    def _consistent(self, info: ValidationInfo) -> Self:
        if is_stored(info):
            return self
        for where, amount in self._amounts():
            try:
                self._minor(amount)
            except InvalidInput as error:
                raise inconsistent(where, str(error)) from None
        seen: set[str] = set()
        for index, line in enumerate(self.lines):
            if line.line_id in seen:
                raise inconsistent(f"lines[{index}].line_id", f"{line.line_id!r} is used twice")
            seen.add(line.line_id)
        most = CASH_UNITS.get(self.currency, 1)
        if abs(self.rounding) >= most:
            raise inconsistent("rounding", f"must be less than {most} {self.currency}, up or down")
        try:
            total = self.total_minor
        except PriceFault as fault:
            raise inconsistent(fault.where, str(fault)) from None
        if total > TOTAL_MINOR_MAX:
            largest = to_decimal(TOTAL_MINOR_MAX, self.currency)
            raise inconsistent("total", f"is more than any order can be ({largest})")
        tendered = 0
        for index, tender in enumerate(self.tenders):
            if self._minor(tender.amount) == 0:
                raise inconsistent(f"tenders[{index}].amount", "must be more than zero")
            tendered += self._minor(tender.amount)
        if tendered > total:
            due = to_decimal(total, self.currency)
            raise inconsistent("tenders", f"pay more than the order's total of {due}")
        if self.total is not None and self._minor(self.total) != total:
            computed = to_decimal(total, self.currency)
            raise inconsistent(
                "total", f"{self.total} was given, but the parts add up to {computed}"
            )
        return self

    def _amounts(self) -> list[tuple[str, Decimal]]:
        found = [
            ("discount", self.discount),
            ("rounding", self.rounding),
            ("shipping.price", self.shipping.price),
            ("shipping.tax", self.shipping.tax),
            ("total", self.total),
        ]
        found += [(f"tenders[{i}].amount", tender.amount) for i, tender in enumerate(self.tenders)]
        for index, line in enumerate(self.lines):
            found += [
                (f"lines[{index}].discount", line.discount),
                (f"lines[{index}].tax", line.tax),
            ]
        for index, fee in enumerate(self.fees):
            found += [(f"fees[{index}].amount", fee.amount), (f"fees[{index}].tax", fee.tax)]
        return [(where, amount) for where, amount in found if amount is not None]
