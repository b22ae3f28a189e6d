"""Trading partners: who they are, how they write, and what we have agreed with each."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Final, Literal, Self

from pydantic import Field, StringConstraints, ValidationInfo, model_validator

from domain.edi.parsed import Separators
from domain.edi.rules import Agreed
from domain.fields import (
    Currency,
    Document,
    Flag,
    Id,
    Name,
    Service,
    Shape,
    Sku,
    Token,
    inconsistent,
)
from domain.money import PRICE_DECIMALS_MAX
from domain.orders.people import Address
from domain.orders.policy import Duration
from domain.orders.price_fields import Rate
from domain.orders.providers import ON_ACCOUNT, ProviderName
from domain.sellers import Code
from domain.stored import is_stored

Role = Literal["customer", "supplier"]
ItemNumbers = Literal["ours", "theirs", "gtin"]

TAKEN: Final[dict[Role, frozenset[str]]] = {
    "customer": frozenset({"850", "860", "997"}),
    "supplier": frozenset({"855", "865", "856", "810", "997"}),
}
"""The documents that a partner may send."""

_Sign = Annotated[
    str, Shape(r"^[!-/:-@\[-`{-~\n\r\x1c-\x1f]$", "one sign that is no letter, digit or blank")
]
_PartnerId = Annotated[
    str,
    StringConstraints(min_length=2, max_length=15),
    Shape(r"^[A-Za-z0-9][A-Za-z0-9 ._&/-]*$", "2 to 15 letters, digits, and some signs"),
]
_Url = Annotated[
    str,
    StringConstraints(max_length=500),
    Shape(r"^https?://[^\s]+$", "an address that begins with https:// or http://"),
]
_Path = Annotated[
    str, StringConstraints(min_length=1, max_length=500), Shape(r"^/[^\x00-\x1f]*$", "a whole path")
]
Unit = Annotated[str, Shape(r"^[A-Z0-9]{2}$", "a unit of measure of X12, such as EA or CS")]


class TradingParty(Document):
    """An address on an envelope: ISA's qualifier and id. `group`: GS's code, where it differs."""

    qualifier: Annotated[str, Shape(r"^[A-Z0-9]{2}$", "two letters or digits, such as ZZ")] = "ZZ"
    id: _PartnerId
    group: _PartnerId | None = None

    @property
    def group_id(self) -> str:
        """What stands in GS."""
        return self.group or self.id


class Signs(Document):
    """The separators in what we write. In what comes they are read from each interchange."""

    segment: _Sign = "~"
    element: _Sign = "*"
    component: _Sign = ">"
    repetition: _Sign = "^"

    @property
    def marks(self) -> Separators:
        """Those that stand between what is written."""
        return Separators(self.segment, self.element, self.component)

    @model_validator(mode="after")
    def _differ(self) -> Self:
        if len({self.segment, self.element, self.component, self.repetition}) < 4:
            raise inconsistent("separators", "must be four different signs")
        return self


class PartnerItem(Document):
    """A SKU as the partner calls it: by a number of its own, by a GTIN, or by both."""

    sku: Sku
    number: Annotated[str, StringConstraints(min_length=1, max_length=48)] | None = None
    gtin: Annotated[str, Shape(r"^[0-9]{8}([0-9]{4,6})?$", "8 or 12 to 14 digits")] | None = None


class Folders(Document):
    """`incoming`: where the partner's files come; `outgoing`: where ours go. Whole paths."""

    incoming: _Path
    outgoing: _Path


class Partner(Document):
    """All that is agreed with a trading partner.

    A customer orders through a channel, and a supplier is one that we buy from. `units`: how many
    units of ours each unit of measure holds. `places`: the partner's codes of its own locations.
    """

    partner: Id
    name: Name
    role: Role
    channel: Code | None = None
    supplier: Id | None = None
    ours: TradingParty
    theirs: TradingParty
    version: Literal["004010", "005010"] = "004010"
    test: Flag = False
    separators: Signs = Signs()
    charset: Literal["ascii", "latin-1", "utf-8"] = "utf-8"
    folders: Folders | None = None
    url: _Url | None = None
    acknowledge_within: Duration = timedelta(days=1)
    units: dict[Unit, Annotated[int, Field(strict=True, ge=1, le=1_000_000)]] = Field(
        default_factory=lambda: {"EA": 1}
    )
    item_numbers: ItemNumbers = "ours"
    """By which number we name goods to the partner; in what comes, all that is known is read."""
    items: Annotated[tuple[PartnerItem, ...], Field(max_length=10_000)] = ()
    places: dict[str, Address] = Field(default_factory=dict)
    currency: Currency | None = None
    """Of documents that name none."""
    country: Annotated[str, Shape(r"^[A-Z]{2}$", "a country's code of two letters")] | None = None
    """Of addresses that name none."""
    service: Service = "standard"
    tax_rate: Rate | None = None
    provider: ProviderName = ON_ACCOUNT
    payment_days: Annotated[int, Field(strict=True, ge=0, le=999)] | None = None
    """Within so many days of its date an invoice is to be paid; None: the 810 does not say."""
    token: Token = "edi_account"  # what an invoice on account is paid by; no secret
    retired: Flag = False
    """Nothing of it is taken any more, and nothing is sent."""

    @model_validator(mode="after")
    def _has_its_side(self, info: ValidationInfo) -> Self:
        if is_stored(info):
            return self
        if (self.channel is None) != (self.role == "supplier"):
            raise inconsistent("channel", "is needed for a customer, and only for one")
        if (self.supplier is None) != (self.role == "customer"):
            raise inconsistent("supplier", "is needed for a supplier, and only for one")
        if self.folders is not None and self.url is not None:
            raise inconsistent("url", "is one way, and folders are another: name one of them")
        if "EA" not in self.units or self.units["EA"] != 1:
            raise inconsistent("units", "needs EA, which is 1: one unit")
        for index, item in enumerate(self.items):
            if item.number is None and item.gtin is None:
                raise inconsistent(f"items[{index}]", "needs a number or a gtin")
            parts = set(self.separators.marks) & set(item.number or "")
            if parts:
                sign = "".join(sorted(parts))
                raise inconsistent(f"items[{index}].number", f"has {sign!r}, which is a separator")
            if self.item_numbers == "gtin" and item.gtin is None:
                raise inconsistent(f"items[{index}].gtin", "is needed where goods go by GTIN")
        return self

    @property
    def agreed(self) -> Agreed:
        """What is agreed of all that it sends."""
        return Agreed(TAKEN[self.role], self.theirs.group_id, self.ours.group_id, self.charset)

    def sku_of(self, numbers: dict[str, str]) -> str:
        """The SKU behind product numbers, by their qualifiers; "" where none is known.

        The partner's own list goes first; a number of ours is a SKU as it stands.
        """
        for qualifier, value in numbers.items():
            for item in self.items:
                is_gtin = qualifier in GTINS and item.gtin is not None
                if is_gtin and str(item.gtin).zfill(14) == value.zfill(14):
                    return item.sku
                if qualifier not in GTINS and value == item.number:
                    return item.sku
        ours = OURS[self.role]
        return next((numbers[one] for one in ours if one in numbers), "")

    def numbers_of(self, sku: str) -> tuple[str, str]:
        """The qualifier and the number by which we name a SKU."""
        item = next((one for one in self.items if one.sku == sku), None)
        if self.item_numbers == "gtin" and item is not None and item.gtin is not None:
            return (
                "UP" if len(item.gtin) == 12 else "EN" if len(item.gtin) == 13 else "UK"
            ), item.gtin
        if self.item_numbers == "theirs" and item is not None and item.number is not None:
            return ("BP" if self.role == "customer" else "VP"), item.number
        return ("VP" if self.role == "customer" else "BP"), sku

    def price_of(self, price: Decimal, unit: str) -> Decimal:
        """The price of one of our units, where the price is of this unit of measure.

        It has as many decimals as a price may have: the worth of all units is rounded to the cent.
        """
        return _fine(price / self.units[unit])


def _fine(price: Decimal) -> Decimal:
    rounded = price.quantize(Decimal(1).scaleb(-PRICE_DECIMALS_MAX))
    return price if rounded == price else rounded


GTINS: Final = frozenset({"UP", "EN", "UK", "UI", "UA"})
"""Qualifiers of GTINs with 12, 13 and 14 digits."""

OURS: Final[dict[Role, tuple[str, ...]]] = {
    "customer": ("VP", "VN", "SK"),
    "supplier": ("BP", "IN", "SK"),
}
"""Qualifiers of our own numbers: the vendor's where we sell, the buyer's where we buy."""


class Partners(Document):
    """The file of `orderloom edi import-partners`."""

    partners: Annotated[tuple[Partner, ...], Field(min_length=1, max_length=1000)]
