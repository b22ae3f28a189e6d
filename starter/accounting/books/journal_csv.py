"""The entries of a period as journals in CSV, in the columns that bookkeeping programs import.

QuickBooks Online (its help: "Import journal entries"): Journal No., Journal Date, Account Name,
Description, Debits, Credits; the currency is a column of its own where several are used. A journal
is of one currency, so an entry of several is as many journals.

Xero (its help: "Add or import manual journals"): Narration, Date, Description, AccountCode,
TaxRate, Amount; those with an asterisk must be there. Rows of one narration and date are one
journal. Manual journals are in the organisation's own currency, so a file is of one currency.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from domain.accounting.accounts import Account
from domain.errors import InvalidInput
from domain.money import to_decimal
from starter.accounting.books.chart import CHART
from store.accounting.ledger import Entry, Period, Posting

XERO_ROWS_MAX: Final = 300
"""Xero takes at most this many rows in one file."""

_QUICKBOOKS: Final = (
    *("Journal No.", "Journal Date", "Account Name", "Description", "Debits", "Credits"),
    "Currency",
)
_XERO: Final = ("*Narration", "*Date", "Description", "*AccountCode", "*TaxRate", "*Amount")

Names = Mapping[Account, str]
"""The accounts' names in the other program."""


def quickbooks(period: Period, names: Names) -> str:
    """Journals for QuickBooks Online. An account without a name keeps the name of our chart."""
    rows = []
    for entry in period.entries:
        rows += [
            (
                *(f"OL{entry.entry_id}-{item.currency}", f"{entry.booked_on:%m/%d/%Y}"),
                names.get(item.account, CHART[item.account].name),
                _plain(entry.memo),
                *_sides(item),
                item.currency,
            )
            for item in sorted(entry.postings, key=lambda item: item.currency)
        ]
    return _csv(_QUICKBOOKS, rows)


def xero(period: Period, names: Names, *, tax_rate: str, where: str = "currency") -> str:
    """Manual journals for Xero, in the organisation's currency; accounts are named by their codes.

    Raises InvalidInput about `where` when the period has several currencies.
    """
    found = sorted({item.currency for entry in period.entries for item in entry.postings})
    if len(found) > 1:
        raise InvalidInput(
            f"there are entries in {', '.join(found)}, and Xero takes manual journals in one "
            "currency: name it",
            where=where,
        )
    rows = [
        (
            f"OL{entry.entry_id} {entry.memo}",
            f"{entry.booked_on:%d/%m/%Y}",
            _plain(entry.effect),
            names.get(item.account, CHART[item.account].code),
            _plain(tax_rate),
            _amount(item.amount_minor, item.currency),
        )
        for entry in period.entries
        for item in entry.postings
    ]
    return _csv(_XERO, rows)


def only(period: Period, currency: str) -> tuple[Period, Counter[str]]:
    """The period in one currency, and the left-out entries: currency → number of entries."""
    left_out = Counter[str]()
    kept = []
    for entry in period.entries:
        left_out.update({item.currency for item in entry.postings} - {currency})
        postings = tuple(item for item in entry.postings if item.currency == currency)
        if postings:
            kept.append(entry.model_copy(update={"postings": postings}))
    return period.model_copy(update={"entries": tuple(kept)}), left_out


def daily(period: Period) -> Period:
    """The period with one entry for each day and currency.

    An account whose amounts of a day add up to zero is left out of the day's entry.
    """
    sums: dict[tuple[str, str], Counter[Account]] = {}
    heads: dict[tuple[str, str], Entry] = {}
    counts = Counter[tuple[str, str]]()
    for entry in period.entries:
        for currency in {item.currency for item in entry.postings}:
            key = (entry.booked_on.isoformat(), currency)
            heads.setdefault(key, entry)
            counts[key] += 1
        for item in entry.postings:
            key = (entry.booked_on.isoformat(), item.currency)
            sums.setdefault(key, Counter())[item.account] += item.amount_minor
    entries = [
        heads[key].model_copy(
            update={
                "effect": f"{day}, {currency}",
                "order_id": None,
                "memo": f"all {currency} of {day} ({counts[key]})",
                "postings": postings,
            }
        )
        for key in sorted(sums)
        for day, currency in [key]
        if (postings := tuple(_postings(sums[key], currency)))
    ]
    return period.model_copy(update={"entries": tuple(entries)})


def _postings(sums: Mapping[Account, int], currency: str) -> Iterator[Posting]:
    for account in Account:
        if sums.get(account):
            yield Posting(account=account, currency=currency, amount_minor=sums[account])


def _sides(item: Posting) -> tuple[str, str]:
    amount = _amount(abs(item.amount_minor), item.currency)
    return (amount, "") if item.amount_minor > 0 else ("", amount)


def _amount(minor: int, currency: str) -> str:
    return format(to_decimal(minor, currency), "f")


def _plain(text: str) -> str:
    """Text that no spreadsheet takes for a formula, on one line."""
    line = " ".join(text.split())
    return f"'{line}" if line.startswith(("=", "+", "-", "@")) else line


def _csv(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(header)
    writer.writerows(rows)
    return file.getvalue()
