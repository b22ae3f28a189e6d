"""The books of a period for Beancount (https://beancount.github.io/docs/beancount_language_syntax).

One transaction on the first day holds the balances of all days before. At the end, each account is
asserted to have our own balance, to the minor unit, so that `bean-check` proves that the two agree.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, timedelta
from typing import Final

from domain.accounting.accounts import Account
from domain.money import to_decimal
from domain.sellers import Seller
from starter.accounting.books.chart import beancount_name
from store.accounting.ledger import Entry, Period, Posting

_LINK: Final = re.compile(r"[A-Za-z0-9\-_/.]+")


def render(period: Period, seller: Seller) -> str:
    """The file of a seller. The same period always gives the same file."""
    return "".join(f"{line}\n" for line in _lines(period, seller))


def _lines(period: Period, seller: Seller) -> Iterator[str]:
    currencies = _currencies(period)
    title = f"{seller.name} (Orderloom)" if seller.is_set else "Orderloom"
    state = "closed" if period.closed else "not closed: entries may still be added"
    yield f"; Orderloom, {period.seller}, {period.first} to {period.last} ({state})"
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
    for entry in period.entries:
        yield ""
        yield from _transaction(entry)
    yield ""
    after = {(item.account, item.currency): item.amount_minor for item in period.after}
    day = period.last + timedelta(days=1)  # An assertion is about the beginning of its day.
    for account in Account:
        for currency in currencies:
            amount = to_decimal(after.get((account, currency), 0), currency)
            yield f"{day} balance {beancount_name(account)}  {amount:f} ~ 0 {currency}"


def _currencies(period: Period) -> list[str]:
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
