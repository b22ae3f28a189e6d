"""The books of a period for Beancount (https://beancount.github.io/docs/beancount_language_syntax).

One transaction on the first day holds the balances of all days before. At the end, each account is
asserted to have our own balance, to the minor unit, so that `bean-check` proves that the two agree.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, timedelta
from typing import Final

from domain.accounting.accounts import Account
from domain.money import to_decimal
from domain.sellers import Seller
from starter.accounting.books.chart import beancount_name
from store.accounting.ledger import Entry, Period, Posting

_LINK: Final = re.compile(r"[A-Za-z0-9\-_/.]+")


def render(period: Period, seller: Seller) -> str:
    """The file of a seller. The same period always gives the same file."""
    currencies = currencies_in(period)
    return "".join(
        (
            head(period, seller, currencies, period.last),
            transactions(period.entries),
            foot(period.after, currencies, period.last),
        )
    )


def head(period: Period, seller: Seller, currencies: Sequence[str], last: date) -> str:
    """What comes before the transactions. `last`: of the file, which may go on behind `period`."""
    return _text_of(_head(period, seller, currencies, last))


def operating(currencies: Iterable[str]) -> str:
    """That the file has these currencies, too."""
    return _text_of(f"option {_text('operating_currency')} {_text(one)}" for one in currencies)


def transactions(entries: Iterable[Entry]) -> str:
    """These entries."""
    return _text_of(line for entry in entries for line in ("", *_transaction(entry)))


def foot(after: Iterable[Posting], currencies: Sequence[str], last: date) -> str:
    """The assertion of each account's balance at the end."""
    return _text_of(_foot(after, currencies, last))


def _text_of(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _head(period: Period, seller: Seller, currencies: Sequence[str], last: date) -> Iterator[str]:
    title = f"{seller.name} (Orderloom)" if seller.is_set else "Orderloom"
    state = "closed" if period.closed else "not closed: entries may still be added"
    yield f"; Orderloom, {period.seller}, {period.first} to {last} ({state})"
    yield f"option {_text('title')} {_text(title)}"
    # That of the books comes first: reports put it first.
    for currency in sorted(currencies, key=lambda code: code != seller.currency):
        yield f"option {_text('operating_currency')} {_text(currency)}"
    yield ""
    for account in Account:
        yield f"{period.first} open {beancount_name(account)}"
    if period.before:
        yield ""
        yield f"{period.first} * {_text('Balances brought forward')}"
        yield from _postings(period.before)


def _foot(after: Iterable[Posting], currencies: Sequence[str], last: date) -> Iterator[str]:
    yield ""
    balances = {(item.account, item.currency): item.amount_minor for item in after}
    day = last + timedelta(days=1)  # An assertion is about the beginning of its day.
    for account in Account:
        for currency in currencies:
            amount = to_decimal(balances.get((account, currency), 0), currency)
            yield f"{day} balance {beancount_name(account)}  {amount:f} ~ 0 {currency}"


def currencies_in(period: Period) -> list[str]:
    """In which currencies anything is, by their codes."""
    postings = [posting for entry in period.entries for posting in entry.postings]
    return sorted({item.currency for item in (*period.before, *postings)})


def _transaction(entry: Entry) -> Iterator[str]:
    words = [_text(entry.memo)]
    if entry.order_id is not None:
        words.insert(0, _text(entry.order_id))
        if _LINK.fullmatch(entry.order_id):
            words.append(f"^{entry.order_id}")
    yield f"{entry.booked_on} * {' '.join(words)}"
    yield f"  entry: {entry.entry_id}"
    yield f"  effect: {_text(entry.effect)}"
    if entry.order_id is not None:
        yield f"  order: {_text(entry.order_id)}"
    if entry.counterpart is not None:
        yield f"  counterpart: {_text(entry.counterpart)}"
    yield f"  written: {_text(entry.at.astimezone(UTC).isoformat(timespec='seconds'))}"
    yield from _postings(entry.postings)


def _postings(postings: Sequence[Posting]) -> Iterable[str]:
    for item in postings:
        amount = to_decimal(item.amount_minor, item.currency)
        yield f"  {beancount_name(item.account)}  {amount:f} {item.currency}"


def _text(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
