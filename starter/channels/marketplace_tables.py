"""What marketplaces call things in their order files. Another marketplace is another table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True)
class Table:
    """Their columns, by what is in them. Empty: they have no such column.

    All amounts are of a whole line, and not of a unit; discounts may be written as negative ones.
    `known_by`: the columns by which the file is known. `net_in`: in these currencies tax is added
    to prices, in all others they include it. `services`: their shipping service → ours; of others
    the small letters are taken. `western`: a file that is not UTF-8 is Windows-1252, and has rows
    of these countries alone; `encodings`: but a row of this country and currency is in this one.
    `quoted`: cells may stand in quotes, as spreadsheets write them. `city_in_region`: addresses of
    these countries may have no city of their own.
    """

    name: str
    known_by: tuple[str, ...]
    number: str
    sku: str
    quantity: str
    currency: str
    placed_at: str
    price: str
    recipient: str
    line1: str
    city: str
    country: str
    line_id: str = ""
    paid_at: str = ""
    shipped: str = ""
    tax: str = ""
    discount: str = ""
    shipping: str = ""
    shipping_tax: str = ""
    shipping_discount: str = ""
    wrapping: str = ""
    wrapping_tax: str = ""
    service: str = ""
    line2: str = ""
    line3: str = ""
    region: str = ""
    postal_code: str = ""
    buyer: str = ""
    email: str = ""
    phone: str = ""
    company: str = ""
    gift_message: str = ""
    net_in: frozenset[str] = frozenset()
    services: Mapping[str, str] = field(default_factory=dict)
    western: frozenset[str] = frozenset()
    encodings: Mapping[tuple[str, ...], str] = field(default_factory=dict)
    city_in_region: frozenset[str] = frozenset()
    quoted: bool = True

    @property
    def must(self) -> tuple[str, ...]:
        """The columns without which no order can be read."""
        return (
            *(self.number, self.placed_at, self.sku, self.quantity, self.currency, self.price),
            *(self.recipient, self.line1, self.city, self.country),
        )

    @property
    def amounts(self) -> tuple[str, ...]:
        """The columns that hold amounts."""
        found = (
            *(self.price, self.tax, self.discount, self.shipping, self.shipping_tax),
            *(self.shipping_discount, self.wrapping, self.wrapping_tax),
        )
        return tuple(name for name in found if name)

    @property
    def of_the_order(self) -> tuple[str, ...]:
        """The columns in which all rows of one order say the same."""
        found = (
            *(self.placed_at, self.currency, self.service, self.recipient, self.line1, self.line2),
            *(self.line3, self.city, self.region, self.postal_code, self.country),
            *(self.buyer, self.email, self.phone, self.company),
        )
        return tuple(name for name in found if name)

    @property
    def columns(self) -> tuple[str, ...]:
        """All that are read."""
        others = (self.line_id, self.paid_at, self.shipped, self.gift_message)
        found = (*self.must, *self.amounts, *self.of_the_order, *others)
        return tuple(dict.fromkeys(name for name in found if name))


_WINDOWS_1252: Final = frozenset(
    (
        *("AD", "AR", "AT", "AU", "BE", "BO", "BR", "CA", "CH", "CL", "CO", "CR", "DE", "DK"),
        *("DO", "EC", "ES", "FI", "FO", "FR", "GB", "GG", "GT", "HN", "IE", "IM", "IS", "IT"),
        *("JE", "LI", "LU", "MC", "MX", "NI", "NL", "NO", "NZ", "PA", "PE", "PR", "PT", "PY"),
        *("SE", "SM", "SV", "US", "UY", "VA", "VE", "ZA"),
    )
)
"""Countries whose languages Windows-1252 can write."""

AMAZON: Final = Table(
    name="amazon",
    known_by=("order-id", "order-item-id", "quantity-purchased"),
    number="order-id",
    line_id="order-item-id",
    placed_at="purchase-date",
    paid_at="payments-date",
    buyer="buyer-name",
    email="buyer-email",
    phone="buyer-phone-number",
    company="buyer-company-name",
    gift_message="gift-message-text",
    shipped="quantity-shipped",
    sku="sku",
    quantity="quantity-purchased",
    currency="currency",
    price="item-price",
    tax="item-tax",
    discount="item-promotion-discount",
    shipping="shipping-price",
    shipping_tax="shipping-tax",
    shipping_discount="ship-promotion-discount",
    wrapping="gift-wrap-price",
    wrapping_tax="gift-wrap-tax",
    service="ship-service-level",
    recipient="recipient-name",
    line1="ship-address-1",
    line2="ship-address-2",
    line3="ship-address-3",
    city="ship-city",
    region="ship-state",
    postal_code="ship-postal-code",
    country="ship-country",
    net_in=frozenset({"USD", "CAD"}),
    services={"SecondDay": "second-day", "NextDay": "next-day", "SameDay": "same-day"},
    western=_WINDOWS_1252,
    encodings={("JP", "JPY"): "cp932"},
    city_in_region=frozenset({"JP"}),
    # A product's name may begin with a quote, and inches end with one.
    quoted=False,
)

TABLES: Final = (AMAZON,)
