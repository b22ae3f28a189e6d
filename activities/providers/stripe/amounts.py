"""Amounts as Stripe counts them, exactly, from and to ours.

Ours are in minor units by ISO 4217. Stripe's are too, save for what its page "Supported currencies"
lists: some have other decimals there than in ISO 4217, and of some it takes only certain amounts.
Forint and Taiwan dollar are zero-decimal there for payouts only; they are charged with two.
"""

from __future__ import annotations

from typing import Final

from activities.provider_errors import DeclineCode, Declined
from domain.money import Money, decimals

# Decimals that differ from ISO 4217. Króna and Uganda shilling have two, always 00.
_DECIMALS: Final = {"ISK": 2, "UGX": 2, "MGA": 0}

# Of these, the last of the three decimals must be 0. There are no others with three at Stripe.
_THREE_DECIMALS: Final = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})

_DECIMALS_MAX: Final = 3

# More than any limit of Stripe's, which differ by currency and are its own to tell.
_AMOUNT_MAX: Final = 10**15


def to_stripe(amount: Money) -> int:
    """What to send. Raises Declined(INVALID_AMOUNT) for what Stripe cannot be asked for."""
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
    """What an amount of Stripe's is. Raises ValueError where it is none of ours."""
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
