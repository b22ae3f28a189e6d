"""A seller's books as a file in pieces: some days after the other, so that few are in memory.

The pieces together are the file that `exporting` writes at once, but for two things: a currency of
Beancount's that comes up later is named where it does, and entries that come to an open day while
the file is written are in it as far as that day is not written yet.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from typing import Any, Final

from domain.errors import Refused
from domain.sellers import Seller
from starter.accounting.books import beancount, exporting, journal_csv
from starter.accounting.books.exporting import Format, Wanted
from starter.service.service import Records
from store.accounting.ledger import Period

DAYS: Final = 31
ENTRIES: Final = 2_000
"""A piece of more entries is made of fewer days, but of one."""


@dataclass(frozen=True)
class Place:
    """Where a file goes on: at the day `begins`, by so many days, until the day `ends`."""

    begins: date
    ends: date
    days: int = DAYS
    currencies: tuple[str, ...] = ()

    def told(self) -> dict[str, Any]:
        """As it is kept."""
        whole = asdict(self)
        days = {"begins": self.begins.isoformat(), "ends": self.ends.isoformat()}
        return {**whole, **days, "currencies": list(self.currencies)}

    @classmethod
    def read(cls, told: dict[str, Any]) -> Place:
        """As it was kept."""
        days = {name: date.fromisoformat(told[name]) for name in ("begins", "ends")}
        return cls(**{**told, **days, "currencies": tuple(told["currencies"])})


@dataclass(frozen=True)
class Piece:
    """A piece of the file. `behind`: the place of the next one; None: it is the last."""

    text: str
    entries: int
    behind: Place | None


async def first_place(here: Records, seller: Seller, wanted: Wanted) -> Place:
    """Where the file begins. Raises InvalidInput and Refused, as `exporting.read` does."""
    last = await exporting.last_day(here, seller, wanted)
    exporting.check_final(await here.accounting.period(seller.seller, last, last), wanted)
    beginning = wanted.first or await here.accounting.first_day(seller.seller) or last
    return Place(min(beginning, last), last)


async def days_at(here: Records, seller: Seller, place: Place) -> tuple[Period, Place]:
    """The days of the next piece, and the place with as many days as it took."""
    while True:
        last = min(place.begins + timedelta(days=place.days - 1), place.ends)
        at_most = None if place.begins == last else ENTRIES
        try:
            found = await here.accounting.period(
                seller.seller, place.begins, last, entries_max=at_most
            )
        except Refused:  # These days have more.
            place = replace(place, days=max(1, place.days // 2))
        else:
            return found, place


def written(
    period: Period, seller: Seller, wanted: Wanted, place: Place, *, is_first: bool, closed: bool
) -> Piece:
    """A piece of days. It only computes. `closed`: the whole file's days are."""
    is_last = period.last == place.ends
    if wanted.format is not Format.BEANCOUNT:
        text = exporting.written(period, seller, wanted).text
        # The header is that of the first piece.
        text = text if is_first else text.split("\r\n", 1)[1]
        currencies: tuple[str, ...] = ()
    else:
        shown = journal_csv.daily(period) if wanted.daily else period
        new = [one for one in beancount.currencies_in(period) if one not in place.currencies]
        currencies = tuple(sorted({*place.currencies, *new}))
        begins = (
            beancount.head(shown.model_copy(update={"closed": closed}), seller, new, place.ends)
            if is_first
            else beancount.operating(new)
        )
        ends = beancount.foot(period.after, currencies, place.ends) if is_last else ""
        text = f"{begins}{beancount.transactions(shown.entries)}{ends}"
    behind = replace(place, begins=period.last + timedelta(days=1), currencies=currencies)
    return Piece(text, len(period.entries), None if is_last else behind)
