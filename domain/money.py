"""Amounts: integers in minor units with a currency, and the one way to split them.

On the wire and in files an amount is a decimal string ("12.50"); inside it is an integer number of
minor units (1250). How many decimals a currency has is known by `domain.currencies`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import (
    ROUND_FLOOR,
    ROUND_HALF_UP,
    Context,
    Decimal,
    Inexact,
    InvalidOperation,
    Overflow,
)
from typing import Any, Final, Self

from pydantic import BaseModel, ConfigDict

from domain.currencies import CURRENCIES
from domain.errors import InvalidInput, UnknownCurrency

AMOUNT_PATTERN: Final = r"^[0-9]{1,14}(\.[0-9]{1,4})?$"
"""The pattern of an amount in documents."""

PRICE_DECIMALS_MAX: Final = 6
PRICE_PATTERN: Final = r"^[0-9]{1,14}(\.[0-9]{1,6})?$"
"""The pattern of the price of one unit, which may be finer than its currency."""

_MINOR: Final = "_minor"

# More digits than any amount has. An amount that does not fit is an error, never rounded.
_DIGITS_MAX: Final = 40
_EXACT: Final = Context(prec=_DIGITS_MAX, traps=[InvalidOperation, Inexact, Overflow])


def decimals(currency: str) -> int:
    """Number of decimals of a currency that was ever written, or is in ISO 4217: JPY 0, USD 2.

    Raises UnknownCurrency for another code, or for one without a minor unit (XAU, XXX).
    """
    places = CURRENCIES.decimals(currency)
    if places is None:
        raise UnknownCurrency(f"unknown currency {currency!r}; use an ISO 4217 code such as USD")
    return places


def to_minor(amount: Decimal | str, currency: str) -> int:
    """Decimal amount → minor units: ("12.50", "USD") → 1250.

    Raises InvalidInput when it has more decimals than the currency, or is no amount.
    """
    places = decimals(currency)
    if isinstance(amount, str) and not re.fullmatch(AMOUNT_PATTERN, amount.removeprefix("-")):
        raise _strange(amount)
    try:
        scaled = _EXACT.scaleb(Decimal(amount), places)
    except (InvalidOperation, Overflow):
        raise _strange(amount) from None
    except Inexact:
        raise _too_fine(amount, currency) from None
    if not scaled.is_finite() or scaled.adjusted() > _DIGITS_MAX:
        raise _strange(amount)
    minor = int(scaled)
    if minor != scaled:
        raise _too_fine(amount, currency)
    return minor


def limit_minor(limit: Decimal, currency: str) -> int:
    """The most minor units that are within a limit, which may be finer than its currency."""
    return int(_EXACT.scaleb(limit, decimals(currency)).to_integral_value(ROUND_FLOOR))


def _strange(amount: object) -> InvalidInput:
    return InvalidInput(f"{str(amount)[:40]!r} is not an amount; write it like '12.50'")


def _too_fine(amount: object, currency: str) -> InvalidInput:
    return InvalidInput(
        f"{str(amount)[:40]} has more decimals than {currency} allows ({decimals(currency)})",
        reason="too_fine",
    )


def to_decimal(minor: int, currency: str) -> Decimal:
    """Minor units → decimal amount with exactly the currency's decimals."""
    return _EXACT.scaleb(Decimal(minor), -decimals(currency))


def worth_of_units(each: Decimal, units: int, currency: str) -> int:
    """The worth of some units at a price each, in minor units: rounded once, half away from 0."""
    exact = _EXACT.scaleb(_EXACT.multiply(each, Decimal(units)), decimals(currency))
    return int(exact.to_integral_value(ROUND_HALF_UP))


def price_text(each: Decimal, currency: str) -> str:
    """A price as it was written, with as many decimals as the currency has, or more: 0.125."""
    exponent = each.as_tuple().exponent
    written = -exponent if isinstance(exponent, int) else 0
    return format(each, f".{max(written, decimals(currency))}f")


def shown(minor: int, currency: str) -> str:
    """For people: 12.50 USD. Never an error: where nobody knows the decimals, it says so."""
    try:
        return f"{to_decimal(minor, currency)} {currency}"
    except UnknownCurrency:
        return f"{minor} {currency} in its smallest unit"


def amounts_as_text(content: Any, currency: str | None = None) -> Any:
    """A model as JSON values, its amounts as decimal strings: total_minor 1250 → total "12.50".

    `currency` is that of amounts that do not stand beside a `currency` of their own.
    """
    if isinstance(content, BaseModel):
        content = content.model_dump(mode="json")
    if isinstance(content, Mapping):
        currency = content.get("currency") or currency
        return dict(_as_text(key, value, currency) for key, value in content.items())
    if isinstance(content, list | tuple):
        return [amounts_as_text(item, currency) for item in content]
    return content


def _as_text(key: str, value: Any, currency: str | None) -> tuple[str, Any]:
    if key.endswith(_MINOR) and isinstance(value, int) and currency is not None:
        try:
            return key.removesuffix(_MINOR), format(to_decimal(value, currency), "f")
        except UnknownCurrency:
            return key, value  # As it is stored, under its own name: one row stops no list.
    return key, amounts_as_text(value, currency)


class Money(BaseModel):
    """An amount in minor units of one currency. `str()` is for people: '12.50 USD'."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    minor: int
    currency: str

    def __str__(self) -> str:
        return shown(self.minor, self.currency)

    def __add__(self, other: Self) -> Self:
        self._same(other)
        return self.model_copy(update={"minor": self.minor + other.minor})

    def __sub__(self, other: Self) -> Self:
        self._same(other)
        return self.model_copy(update={"minor": self.minor - other.minor})

    def _same(self, other: Self) -> None:
        if self.currency != other.currency:
            raise InvalidInput(f"cannot combine {self.currency} with {other.currency}")


class Price(BaseModel):
    """What one unit costs, which may be finer than the currency. `str()` is for people."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    each: Decimal
    currency: str

    def __str__(self) -> str:
        return f"{price_text(self.each, self.currency)} {self.currency}"

    def of(self, units: int) -> Money:
        """What so many units cost together, rounded once."""
        minor = worth_of_units(self.each, units, self.currency)
        return Money(minor=minor, currency=self.currency)


def split(amount: int, weights: Sequence[int]) -> list[int]:
    """Split an amount over weights by largest remainder; the parts add up to it exactly.

    Each part is within one minor unit of its exact share; ties go to the earlier weight, so the
    result is stable. With weights that are all zero, the amount is spread evenly.
    """
    if any(weight < 0 for weight in weights):
        raise ValueError("weights must not be negative")
    if not weights:
        if amount:
            raise ValueError("an amount cannot be split over nothing")
        return []
    total = sum(weights)
    if total == 0:
        weights = [1] * len(weights)
        total = len(weights)
    parts = [amount * weight // total for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(amount * weights[i] % total), i))
    for i in by_remainder[: amount - sum(parts)]:
        parts[i] += 1
    return parts
