"""The books as the API tells them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from pydantic import BaseModel, ConfigDict

from domain.accounting.accounts import Account
from domain.views.order_snapshot import AmountText
from starter.accounting.books import trial
from starter.http.amounts import amount, told
from store.accounting.ledger import Entry, Posting
from store.accounting.tax_report import TaxReport


class _Shown(BaseModel):
    model_config = ConfigDict(frozen=True)


class ShownPosting(_Shown):
    """An amount on an account: a debit above 0, a credit below."""

    account: Account
    currency: str
    amount: AmountText


class CurrencySum(_Shown):
    """The sum of all accounts in a currency: 0, or the books are wrong."""

    currency: str
    sum: AmountText


class SellerBalance(_Shown):
    """The balance of each account that is not at zero."""

    seller: str
    balances: tuple[ShownPosting, ...]
    sums: tuple[CurrencySum, ...]


class TrialBalance(_Shown):
    """Of each seller, at the end of a day; null: now."""

    until: date | None
    sellers: tuple[SellerBalance, ...]


class ShownEntry(_Shown):
    """The entry of one effect. `booked_on`: the day on which it counts, by the seller's calendar.

    `counterpart`: the other seller, where goods go between two.
    """

    entry_id: int
    seller: str
    effect: str
    order_id: str | None
    memo: str
    counterpart: str | None
    at: datetime
    booked_on: date
    postings: tuple[ShownPosting, ...]


class RateTax(_Shown):
    """Invoices less credit notes at one rate, in percent; null: none was given."""

    currency: str
    rate: str | None
    category: str | None
    net: AmountText
    tax: AmountText
    total: AmountText


class CurrencyTax(_Shown):
    """The same of all rates. `booked`: the tax that the ledger has for these days.

    net + tax + rounding = total.
    """

    currency: str
    net: AmountText
    tax: AmountText
    rounding: AmountText
    total: AmountText
    booked: AmountText


class SellerTaxes(_Shown):
    """A seller's days, by the date of documents."""

    seller: str
    first: date
    last: date
    rates: tuple[RateTax, ...]
    sums: tuple[CurrencyTax, ...]


class Taxes(_Shown):
    """Of each seller."""

    sellers: tuple[SellerTaxes, ...]


def balance_of(seller: str, books: Sequence[Posting]) -> SellerBalance:
    """A seller's balances, with their sums."""
    return SellerBalance(
        seller=seller,
        balances=tuple(ShownPosting(**told(one)) for one in books),
        sums=tuple(
            CurrencySum(currency=currency, sum=amount(total, currency))
            for currency, total in trial.sums(books).items()
        ),
    )


def entry_of(entry: Entry) -> ShownEntry:
    """An entry of a list."""
    postings = tuple(ShownPosting(**told(one)) for one in entry.postings)
    return ShownEntry(**{**told(entry), "postings": postings})


def taxes_of(report: TaxReport) -> SellerTaxes:
    """A seller's taxes."""
    return SellerTaxes(
        seller=report.seller,
        first=report.first,
        last=report.last,
        rates=tuple(RateTax(**told(one)) for one in report.rates),
        sums=tuple(CurrencyTax(**told(one)) for one in report.sums),
    )
