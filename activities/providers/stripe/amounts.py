"""Amounts in Stripe's units, exactly, from and to ours.

Ours are in minor units by ISO 4217. Stripe's are, too, except for the currencies on its page
"Supported currencies": some have other decimals there than in ISO 4217, and for some it takes only
certain amounts. Forint and Taiwan dollar are zero-decimal there for payouts only; they are charged
with two decimals.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from activities.provider_errors import DeclineCode, Declined
from domain.money import Money, decimals

# Decimals that differ from ISO 4217. Króna and Uganda shilling have two, always 00.
_DECIMALS: Final = {"ISK": 2, "UGX": 2, "MGA": 0}

# The last of the three decimals must be 0. Stripe has no other currency with three.
_THREE_DECIMALS: Final = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})

_DECIMALS_MAX: Final = 3

# Larger than any of Stripe's own limits, which differ by currency. Stripe reports those itself.
_AMOUNT_MAX: Final = 10**15


def to_stripe(amount: Money) -> int:
    """The amount in Stripe's units. Raises Declined(INVALID_AMOUNT) when Stripe cannot take it."""
    if amount.minor <= 0:
        raise _refused(amount, "an amount must be more than zero")
    ours = decimals(amount.currency)
    if ours > _DECIMALS_MAX or (ours == _DECIMALS_MAX and amount.currency not in _THREE_DECIMALS):
        raise _refused(amount, f"Stripe does not take {amount.currency}")
    theirs = _DECIMALS.get(amount.currency, ours)
    sent, lost = divmod(amount.minor * _power(theirs), _power(ours))
    if lost:
        raise _refused(amount, f"Stripe takes {amount.currency} in whole units only")
    if ours == _DECIMALS_MAX and sent % 10:
        raise _refused(amount, f"Stripe takes {amount.currency} with a last decimal of 0 only")
    if sent > _AMOUNT_MAX:
        raise _refused(amount, "no payment is that large")
    return sent


def from_stripe(amount: int, currency: str) -> Money:
    """An amount from Stripe as Money. Raises ValueError when ISO 4217 cannot express it."""
    currency = currency.upper()
    ours = decimals(currency)
    theirs = _DECIMALS.get(currency, ours)
    minor, lost = divmod(amount * _power(ours), _power(theirs))
    if lost:
        raise ValueError(f"{amount} is not a whole amount of {currency} at Stripe")
    return Money(minor=minor, currency=currency)


def _power(places: int) -> int:
    return int(10**places)


def _refused(amount: Money, why: str) -> Declined:
    return Declined(DeclineCode.INVALID_AMOUNT, f"{amount}: {why}")


LEAST: Final[Mapping[str, int]] = {
    "AED": 2_00,
    "AUD": 50,
    "BGN": 1_00,
    "BRL": 50,
    "CAD": 50,
    "CHF": 50,
    "CZK": 15_00,
    "DKK": 2_50,
    "EUR": 50,
    "GBP": 30,
    "HKD": 4_00,
    "HUF": 175_00,
    "INR": 50,
    "JPY": 50,
    "MXN": 10_00,
    "MYR": 2_00,
    "NOK": 3_00,
    "NZD": 50,
    "PLN": 2_00,
    "RON": 2_00,
    "SEK": 3_00,
    "SGD": 50,
    "THB": 10_00,
    "USD": 50,
}
"""The least amount of a payment, in minor units. Stripe Docs, "Minimum and maximum charge amounts".

It is that of the currency in which the account is paid out: in other currencies, its worth in that.
"""
