"""The trial balance for people: debits and credits side by side, and each currency's sum."""

from __future__ import annotations

from collections.abc import Sequence

from domain.errors import UnknownCurrency
from domain.money import to_decimal
from store.accounting.ledger import Posting

COLUMNS = ("account", ">debit", ">credit", "currency")


def rows(balance: Sequence[Posting]) -> list[tuple[str, str, str, str]]:
    """A row for each account and currency, as `COLUMNS` says."""
    return [(item.account, *sides(item), item.currency) for item in balance]


def sums(balance: Sequence[Posting]) -> dict[str, int]:
    """Currency → the sum of its accounts, in minor units. Zero, or the books are wrong."""
    found: dict[str, int] = {}
    for item in balance:
        found[item.currency] = found.get(item.currency, 0) + item.amount_minor
    return dict(sorted(found.items()))


def sides(item: Posting) -> tuple[str, str]:
    """An amount as a debit or as a credit, without its currency."""
    amount = shown(abs(item.amount_minor), item.currency)
    return (amount, "") if item.amount_minor > 0 else ("", amount)


def shown(minor: int, currency: str) -> str:
    """An amount with the decimals of its currency, and without its name."""
    try:
        return str(to_decimal(minor, currency))
    except UnknownCurrency:
        return f"{minor} in its smallest unit"
