"""The canonical order: the one document that every channel's payload is turned into.

It is what a channel sends, what the workflow carries and what `orderloom schema order` describes.
Amounts are decimal strings here ("12.50"); `domain.amounts` turns them into minor units. A given
`total` must agree with the lines, so that a channel that computes otherwise is found out at the
door and not at the bank.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any, Literal, Self

import pycountry
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    EmailStr,
    Field,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)

from domain.errors import InvalidInput
from domain.money import decimals, to_decimal, to_minor

LINES_MAX = 500
QUANTITY_MAX = 1_000_000
# Keeps every amount inside a PostgreSQL bigint, with room for sums over many orders.
TOTAL_MINOR_MAX = 10**15

Channel = Literal["web", "pos", "marketplace", "b2b"]


def _decimal_string(value: Any) -> Any:
    # A JSON number is refused, not guessed at: 12.5 has lost what 12.50 meant, and a bare 1250
    # could be cents.
    if isinstance(value, str | Decimal):
        return value
    raise ValueError('write amounts as decimal strings, for example "12.50"')


def _known_currency(code: str) -> str:
    try:
        decimals(code)
    except InvalidInput as error:
        raise ValueError(str(error)) from None
    return code


@lru_cache(maxsize=1)
def _country_codes() -> frozenset[str]:
    return frozenset(country.alpha_2 for country in pycountry.countries)


def _known_country(code: str) -> str:
    if code not in _country_codes():
        raise ValueError(f"{code!r} is not an ISO 3166-1 alpha-2 country code such as DE or KR")
    return code


Amount = Annotated[
    Decimal,
    BeforeValidator(_decimal_string),
    Field(ge=0, max_digits=18, decimal_places=4, allow_inf_nan=False),
    PlainSerializer(lambda value: format(value, "f"), return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": r"^\d{1,14}(\.\d{1,4})?$", "examples": ["12.50"]}),
]
# Ids travel into workflow ids, keys and shell commands: a narrow alphabet, without our own ':'.
Id = Annotated[
    str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
]
Sku = Annotated[
    str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]*$")
]
# Bounded, trimmed, and without control characters, which would garble terminals and labels.
_PRINTABLE = r"^[^\x00-\x08\x0b-\x1f\x7f]*$"
Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=_PRINTABLE),
]
Note = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000, pattern=_PRINTABLE)]
Phone = Annotated[str, StringConstraints(pattern=r"^\+?[0-9 ()./-]{3,32}$")]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$"), AfterValidator(_known_currency)]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$"), AfterValidator(_known_country)]
Locale = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$")]


class Document(BaseModel):
    """Base of what comes from outside: immutable, and unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Customer(Document):
    """Who ordered. `locale` chooses the language of what the customer reads."""

    id: Id
    name: Name
    email: Annotated[EmailStr, Field(max_length=254)] | None = None
    phone: Phone | None = None
    locale: Locale = "en"


class Address(Document):
    """Where it goes. Only the country is checked; what else must be there is for the carrier."""

    name: Name
    line1: Name
    line2: Name | None = None
    city: Name
    region: Name | None = None
    postal_code: Annotated[Name, Field(max_length=32)] | None = None
    country: Country


class Line(Document):
    """`quantity` units of one SKU. `discount` and `tax` are for the whole line, not per unit."""

    line_id: Id
    sku: Sku
    quantity: Annotated[int, Field(strict=True, ge=1, le=QUANTITY_MAX)]
    unit_price: Amount
    discount: Amount = Decimal(0)
    tax: Amount = Decimal(0)


class Shipping(Document):
    """How it goes and what that costs. `service` is the carrier's service name."""

    service: Id = "standard"
    price: Amount = Decimal(0)
    tax: Amount = Decimal(0)
    address: Address


class Payment(Document):
    """A provider's token. Card numbers never enter: there is no field for one."""

    provider: Id = "sandbox"
    token: Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_-]{2,127}$")]


class Order(Document):
    """One order of one customer, as placed. Prices are net of tax; tax is added to them."""

    channel: Channel
    channel_order_id: Id
    placed_at: AwareDatetime
    customer: Customer
    currency: Currency
    lines: Annotated[tuple[Line, ...], Field(min_length=1, max_length=LINES_MAX)]
    discount: Amount = Decimal(0)
    shipping: Shipping
    payment: Payment
    requested_delivery_date: date | None = None
    note: Note | None = None
    total: Amount | None = None

    @property
    def order_id(self) -> str:
        """`<channel>-<channel_order_id>`: the id under which everything about it is found."""
        return f"{self.channel}-{self.channel_order_id}"

    @property
    def total_minor(self) -> int:
        """What the customer pays, in minor units: goods − discounts + taxes + shipping."""
        minor = self._minor
        goods = sum(
            minor(line.unit_price) * line.quantity - minor(line.discount) + minor(line.tax)
            for line in self.lines
        )
        return goods - minor(self.discount) + minor(self.shipping.price) + minor(self.shipping.tax)

    @property
    def digest(self) -> str:
        """A hash of the content, by which the same order placed again is told from another one."""

        def canonical(value: object) -> str:
            if isinstance(value, Decimal):  # "12.5" and "12.50" are the same amount
                return format(to_decimal(self._minor(value), self.currency), "f")
            if isinstance(value, datetime):
                return value.astimezone(UTC).isoformat()
            return str(value)

        content = self.model_dump(exclude={"total"})
        text = json.dumps(content, default=canonical, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def _minor(self, amount: Decimal) -> int:
        return to_minor(amount, self.currency)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        places = decimals(self.currency)
        for where, amount in self._amounts():
            if amount.normalize().as_tuple().exponent < -places:  # type: ignore[operator]  # finite
                raise ValueError(
                    f"{where}: {amount} has more decimals than {self.currency} allows ({places})"
                )
        seen: set[str] = set()
        goods = 0
        for index, line in enumerate(self.lines):
            if line.line_id in seen:
                raise ValueError(f"lines[{index}].line_id: {line.line_id!r} is used twice")
            seen.add(line.line_id)
            gross = self._minor(line.unit_price) * line.quantity
            if self._minor(line.discount) > gross:
                raise ValueError(f"lines[{index}].discount: is more than the line is worth")
            goods += gross - self._minor(line.discount)
        if self._minor(self.discount) > goods:
            raise ValueError("discount: is more than the goods are worth")
        if self.total_minor > TOTAL_MINOR_MAX:
            raise ValueError("total: is larger than any order can be")
        if self.total is not None and self._minor(self.total) != self.total_minor:
            computed = to_decimal(self.total_minor, self.currency)
            raise ValueError(f"total: {self.total} was given, but the parts add up to {computed}")
        return self

    def _amounts(self) -> list[tuple[str, Decimal]]:
        found = [
            ("discount", self.discount),
            ("shipping.price", self.shipping.price),
            ("shipping.tax", self.shipping.tax),
        ]
        if self.total is not None:
            found.append(("total", self.total))
        for index, line in enumerate(self.lines):
            found += [
                (f"lines[{index}].unit_price", line.unit_price),
                (f"lines[{index}].discount", line.discount),
                (f"lines[{index}].tax", line.tax),
            ]
        return found
