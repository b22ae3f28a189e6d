"""Segments of customers: rules that a shop sets as data."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from domain.customers.care import ConsentKind
from domain.errors import InvalidInput
from domain.fields import Amount, Country, Currency, Document, Id, Printable, inconsistent
from domain.money import to_minor
from domain.sellers import Code

SEGMENTS_MAX: Final = 100

Span = Annotated[timedelta, Field(gt=timedelta(0), le=timedelta(days=3660))]
Percent = Annotated[int, Field(ge=0, le=100)]
Count = Annotated[int, Field(ge=0, le=1_000_000)]
WorthOf = Literal["ordered", "paid", "kept"]


class WorthRule(Document):
    """What the orders in a currency come to, from `at_least` to `at_most`.

    `of`: what was `ordered`, but for what was rejected or cancelled as a whole; what was `paid`; or
    what was paid and not paid back (`kept`).
    """

    currency: Currency
    of: WorthOf = "kept"
    at_least: Amount | None = None
    at_most: Amount | None = None

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        if self.at_least is None and self.at_most is None:
            raise inconsistent("worth", "must have at_least or at_most, or both")
        try:
            low, high = self.range_minor
        except InvalidInput as error:
            raise inconsistent("worth", str(error)) from None
        if high is not None and low > high:
            raise inconsistent("at_most", "must not be below at_least")
        return self

    @property
    def range_minor(self) -> tuple[int, int | None]:
        """From and to, in minor units. Raises InvalidInput for more decimals than there are."""
        low, high = (
            None if one is None else to_minor(one, self.currency)
            for one in (self.at_least, self.at_most)
        )
        return low or 0, high


class CountRule(Document):
    """How many, from `at_least` to `at_most`."""

    at_least: Count | None = None
    at_most: Count | None = None

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        if self.at_least is None and self.at_most is None:
            raise inconsistent("orders", "must have at_least or at_most, or both")
        if None not in (self.at_least, self.at_most) and not self.holds(self.at_least or 0):
            raise inconsistent("at_most", "must not be below at_least")
        return self

    def holds(self, count: int) -> bool:
        """Whether so many are within it."""
        return (self.at_least or 0) <= count and (self.at_most is None or count <= self.at_most)


class ReturnedRule(Document):
    """Of a hundred delivered units, so many came back; of those with `units` delivered or more."""

    at_least_percent: Percent = 0
    at_most_percent: Percent = 100
    units: Annotated[int, Field(ge=1, le=1_000_000)] = 1

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        if self.at_least_percent > self.at_most_percent:
            raise inconsistent("at_most_percent", "must not be below at_least_percent")
        return self


class LastOrderRule(Document):
    """When the last order was placed: `within` the time before now, or `longer_ago`, or both."""

    within: Span | None = None
    longer_ago: Span | None = None

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        if self.within is None and self.longer_ago is None:
            raise inconsistent("last_order", "must have within or longer_ago, or both")
        if self.within and self.longer_ago and self.within <= self.longer_ago:
            raise inconsistent("within", "must be more than longer_ago")
        return self


_Codes = Annotated[tuple[Code, ...], Field(max_length=100)]


class Segment(Document):
    """Customers for whom all holds that is given. Something must be.

    `orders`, `last_order`: without orders that were rejected, or cancelled as a whole. `channels`,
    `sellers`, `countries`: an order of one of these. `consent`: they wish these messages.
    """

    segment: Id
    about: Printable | None = None
    worth: Annotated[tuple[WorthRule, ...], Field(max_length=20)] = ()
    orders: CountRule | None = None
    returned: ReturnedRule | None = None
    last_order: LastOrderRule | None = None
    channels: _Codes = ()
    sellers: _Codes = ()
    countries: Annotated[tuple[Country, ...], Field(max_length=300)] = ()
    consent: ConsentKind | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_dump(exclude_defaults=True, exclude={"segment", "about"}):
            raise inconsistent("segment", "must say for whom: worth, orders, last_order and so on")
        return self


class Segments(Document):
    """All segments of a file."""

    segments: Annotated[tuple[Segment, ...], Field(min_length=1, max_length=SEGMENTS_MAX)]
