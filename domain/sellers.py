"""Who sells: the legal entity that documents name, and whose days the books go by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Protocol

from pydantic import Field, StringConstraints

from domain.calendars import TimeZone
from domain.fields import Country, Document, Name, PostalCode, Shape

NO_SELLER: Final = "(no seller is set: `orderloom sellers import`)"

Code = Annotated[
    str,
    StringConstraints(max_length=16),
    Shape(
        r"^[a-z][a-z0-9]{1,15}$",
        "2 to 16 small letters and digits, with a letter first",
    ),
]
"""A short name of ours, such as `main` or `uk`."""


class Postal(Protocol):
    """What an address consists of."""

    @property
    def line1(self) -> str | None: ...
    @property
    def line2(self) -> str | None: ...
    @property
    def postal_code(self) -> str | None: ...
    @property
    def city(self) -> str | None: ...
    @property
    def region(self) -> str | None: ...
    @property
    def country(self) -> str | None: ...


def address_lines(of: Postal) -> tuple[str, ...]:
    """An address, line by line, as printed."""
    place = " ".join(part for part in (of.postal_code, of.city) if part)
    lines = (of.line1, of.line2, ", ".join(part for part in (place, of.region) if part), of.country)
    return tuple(line for line in lines if line)


class Seller(Document):
    """A legal entity, as printed. `time_zone`: documents and the books are dated in it."""

    seller: Code = "main"
    name: Name = NO_SELLER
    line1: Name | None = None
    line2: Name | None = None
    city: Name | None = None
    region: Name | None = None
    postal_code: PostalCode | None = None
    country: Country | None = None
    tax_number: Name | None = None
    time_zone: TimeZone = "UTC"

    @classmethod
    def stored(cls, row: Mapping[str, Any]) -> Seller:
        """As it was written once, whatever today's lists of countries and time zones say."""
        return cls.model_construct(
            **{name: value for name, value in row.items() if value is not None}
        )

    @property
    def address(self) -> tuple[str, ...]:
        """Line by line, as printed."""
        return address_lines(self)

    @property
    def is_set(self) -> bool:
        """Somebody has told who it is."""
        return self.name != NO_SELLER


class Sellers(Document):
    """The file of `orderloom sellers import`: as yet, one seller."""

    sellers: Annotated[tuple[Seller, ...], Field(min_length=1, max_length=1)]
