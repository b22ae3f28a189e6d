"""A seller's books of some days, as a file for another program."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final

from domain.accounting.accounts import Account
from domain.currencies import CURRENCIES
from domain.errors import InvalidInput, Refused
from domain.money import amounts_as_text
from domain.sellers import Seller
from starter.accounting.books import beancount, journal_csv
from starter.service.service import Records
from store.accounting.ledger import Period

TAX_RATE: Final = "Tax Exempt"
"""What Xero calls a rate of nothing, where nobody says otherwise."""


class Format(StrEnum):
    """The program that an export is for."""

    BEANCOUNT = "beancount"
    QUICKBOOKS = "csv-quickbooks"
    XERO = "csv-xero"
    JSON = "json"


@dataclass(frozen=True)
class Wanted:
    """What is to be exported. `first`, `last`: left out, from the beginning, and until today.

    `final`: only closed days. `daily`: one entry for each day and currency. `currency`: csv alone;
    left out, csv-xero has that of the books. `names`: what accounts are called there. `options`:
    how the caller writes an option, for errors.
    """

    format: Format
    first: date | None = None
    last: date | None = None
    final: bool = False
    daily: bool = False
    currency: str | None = None
    tax_rate: str | None = None
    names: Mapping[Account, str] = field(default_factory=dict)
    options: str = "{}"

    def where(self, option: str) -> str:
        """The option as the caller writes it."""
        return self.options.format(option)


def check_options(format: Format, options: str = "{}", **given: object) -> None:
    """Raises InvalidInput for an option that the format does not use; None is not given."""
    csv = (Format.QUICKBOOKS, Format.XERO)
    takes = {"currency": csv, "accounts": csv, "tax-rate": (Format.XERO,)}
    for option, formats in takes.items():
        if given.get(option.replace("-", "_")) is not None and format not in formats:
            raise InvalidInput(
                f"goes with {' and '.join(formats)}, not with {format}",
                where=options.format(option),
            )


@dataclass(frozen=True)
class Exported:
    """The file, and the period that it is of.

    `currency`: that of the file, where it is of one; `left_out`: other currency → how many entries.
    """

    text: str
    period: Period
    currency: str | None
    left_out: Counter[str]


async def read(
    here: Records, seller: Seller, wanted: Wanted, *, entries_max: int | None = None
) -> Period:
    """The period to export. Raises InvalidInput and Refused."""
    last = await last_day(here, seller, wanted)
    period = await here.accounting.period(
        seller.seller, wanted.first, last, entries_max=entries_max
    )
    check_final(period, wanted)
    return period


async def last_day(here: Records, seller: Seller, wanted: Wanted) -> date:
    """The last day to export. Raises InvalidInput where something else that is wanted is wrong."""
    check_options(
        wanted.format,
        wanted.options,
        currency=wanted.currency,
        accounts=wanted.names or None,
        tax_rate=wanted.tax_rate,
    )
    if wanted.currency is not None and CURRENCIES.decimals(wanted.currency) is None:
        raise InvalidInput(f"unknown currency {wanted.currency!r}", where=wanted.where("currency"))
    today = await here.accounting.today(seller.seller)
    last = wanted.last or today
    if last > today:
        raise InvalidInput(f"{last} has not come yet", where=wanted.where("to"))
    if wanted.first is not None and wanted.first > last:
        raise InvalidInput(
            f"{wanted.first} is after the last day, {last}", where=wanted.where("from")
        )
    return last


def check_final(period: Period, wanted: Wanted) -> None:
    """Raises Refused for a period that is not closed, where only such a one is wanted."""
    if wanted.final and not period.closed:
        last = period.last
        raise Refused(
            f"the days to {last} are not closed, and what is booked on them may change: close them "
            f"with `orderloom ledger close --seller {period.seller} --through {last}` when {last} "
            "is over, and export again; nothing was written"
        )


def written(period: Period, seller: Seller, wanted: Wanted) -> Exported:
    """The file of a period. It only computes, for long where there are many entries."""
    left_out = Counter[str]()
    of_books = seller.currency if wanted.format is Format.XERO else None
    currency = wanted.currency or of_books
    if currency is not None:
        period, left_out = journal_csv.only(period, currency)
    if wanted.daily:
        period = journal_csv.daily(period)
    return Exported(_text(period, seller, wanted), period, currency, left_out)


def _text(period: Period, seller: Seller, wanted: Wanted) -> str:
    match wanted.format:
        case Format.BEANCOUNT:
            return beancount.render(period, seller)
        case Format.QUICKBOOKS:
            return journal_csv.quickbooks(period, wanted.names)
        case Format.XERO:
            where = wanted.where("currency")
            rate = wanted.tax_rate or TAX_RATE
            return journal_csv.xero(period, wanted.names, tax_rate=rate, where=where)
        case Format.JSON:
            return f"{json.dumps(amounts_as_text(period), ensure_ascii=False, indent=2)}\n"
