"""What payment companies are called."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import StringConstraints

from domain.fields import Shape

ProviderName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=64),
    Shape(
        r"^[A-Za-z0-9][A-Za-z0-9._-]*(:[a-z][a-z0-9]{1,15})?$",
        "a company's name, such as stripe, or with an account there, such as stripe:uk",
    ),
]
"""A payment company, or one of several accounts there."""

ELSEWHERE: Final = "elsewhere"
"""Payment was taken before the order came, by the shop that sends it: nothing is charged here."""

ON_ACCOUNT: Final = "on_account"
"""Payment by invoice: a business customer owes it, and nothing is charged."""

GIFT_CARD: Final = "gift_card"
"""Payment with a code that somebody has bought."""

VOUCHER: Final = "voucher"
"""Payment with a code that was given, to make up for something or to win a customer."""

BY_CODE: Final = (GIFT_CARD, VOUCHER)
"""Means of payment whose token is a code."""

EXCHANGE: Final = "exchange"
"""What an exchange order is paid with: the money of the goods that come back for it. The token is
the id of their return."""
