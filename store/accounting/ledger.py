"""The journal: double entry, append-only, balanced by constraint, and closed by periods.

Debits are positive, credits negative. An entry stands in the books of one seller, and counts on the
day on which it is written, by that seller's calendar; closed days take no more entries.
`store.accounting.valuation` writes the entries about goods.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from typing import TypeVar

from pydantic import BaseModel, ConfigDict

from domain.accounting.accounts import Account
from domain.errors import IllegalTransition, InvalidInput, Refused
from store.database import CheckViolation, Connection, load_queries

_sql = load_queries(__file__)

Name = TypeVar("Name", bound=str)
"""An Account, or its name."""


class Posting(BaseModel):
    """An amount on an account, in minor units: a debit above 0, a credit below."""

    model_config = ConfigDict(frozen=True)

    account: Account
    currency: str
    amount_minor: int


class Entry(BaseModel):
    """The entry of one effect. `booked_on`: the day on which it counts, by the seller's
    calendar."""

    model_config = ConfigDict(frozen=True)

    entry_id: int
    seller: str
    effect: str
    order_id: str | None
    memo: str
    counterpart: str | None = None
    """The other seller, where goods go between two."""
    at: datetime
    booked_on: date
    postings: tuple[Posting, ...]


class Closing(BaseModel):
    """All days of the seller through this one are closed."""

    model_config = ConfigDict(frozen=True)

    seller: str
    through: date
    closed_at: datetime
    who: str


class Period(BaseModel):
    """A seller's books of the days from `first` to `last`, read at one moment.

    `before`: the balances of all days before; `after`: those at its end. `closed`: it takes no more
    entries.
    """

    model_config = ConfigDict(frozen=True)

    seller: str
    first: date
    last: date
    closed: bool
    before: tuple[Posting, ...]
    entries: tuple[Entry, ...]
    after: tuple[Posting, ...]


async def post(
    conn: Connection,
    *,
    effect: str,
    memo: str,
    currency: str,
    postings: Mapping[Name, int],
    order_id: str | None = None,
    seller: str | None = None,
) -> None:
    """Append an entry, once per effect.

    Accounts at zero are left out; an empty entry is not written. `postings`: account → minor units
    of `currency`, adding up to zero. `seller`: in whose books; left out, in those of the order's,
    or of the only one that there is.
    """
    moved = {account: amount for account, amount in postings.items() if amount}
    if not moved:
        return
    await _sql.insert_entry(
        conn,
        effect=effect,
        order_id=order_id,
        memo=memo,
        currency=currency,
        accounts=list(moved),
        amounts=list(moved.values()),
        seller=seller,
    )


async def trial_balance(
    conn: Connection, until: date | None = None, *, seller: str | None = None
) -> list[Posting]:
    """The balance of each account in each currency, through a day or over all days.

    Of one seller, or of all together. Accounts at zero are left out. All of one currency add up to
    zero.
    """
    rows = _sql.trial_balance(conn, until=until, seller=seller)
    return [Posting(**{**row, "amount_minor": int(row["amount_minor"])}) async for row in rows]


async def entries(
    conn: Connection,
    first: date | None = None,
    last: date | None = None,
    *,
    order_id: str | None = None,
    seller: str | None = None,
    sellers: Collection[str] | None = None,
    before: tuple[date, int] | None = None,
    at_most: int | None = None,
) -> list[Entry]:
    """Entries of the days from `first` to `last`, in their order: all, an order's, or a seller's.

    If there are more than `at_most`, only the latest. `sellers`: of one of these alone. `before`:
    only those before the entry of this day with this number.
    """
    day, entry_id = before or (None, None)
    some = None if sellers is None else sorted(sellers)
    if order_id is None:
        rows = _sql.entries(
            conn,
            first=first,
            last=last,
            seller=seller,
            sellers=some,
            before_day=day,
            before_entry=entry_id,
            at_most=at_most,
        )
    else:
        rows = _sql.entries_of_order(
            conn,
            order_id=order_id,
            first=first,
            last=last,
            seller=seller,
            sellers=some,
            before_day=day,
            before_entry=entry_id,
            at_most=at_most,
        )
    return [Entry(**row) async for row in rows]


async def today(conn: Connection, seller: str) -> date:
    """The seller's day."""
    day: date = await _sql.today(conn, seller=seller)
    return day


async def first_day(conn: Connection, seller: str) -> date | None:
    """The first day of a seller with an entry; None: nothing was ever booked."""
    day: date | None = await _sql.first_day(conn, seller=seller)
    return day


async def period(
    conn: Connection,
    seller: str,
    first: date | None,
    last: date,
    *,
    entries_max: int | None = None,
) -> Period:
    """A seller's books of some days; without a first one, from the beginning.

    Raises InvalidInput when the last day is before the first, and Refused where there are more
    entries than `entries_max`.
    """
    async with conn.transaction(isolation="repeatable_read", readonly=True):
        beginning = await first_day(conn, seller)
        first = first or min(beginning or last, last)
        if last < first:
            raise InvalidInput(f"the period ends on {last}, before it begins on {first}")
        closed = await closed_through(conn, seller)
        at_most = None if entries_max is None else entries_max + 1
        found = await entries(conn, first, last, seller=seller, at_most=at_most)
        if entries_max is not None and len(found) > entries_max:
            raise Refused(
                f"{first} to {last} have more than {entries_max:,} entries: ask for fewer days"
            )
        return Period(
            seller=seller,
            first=first,
            last=last,
            closed=closed is not None and last <= closed,
            before=tuple(await trial_balance(conn, first - timedelta(days=1), seller=seller)),
            entries=tuple(found),
            after=tuple(await trial_balance(conn, last, seller=seller)),
        )


async def close(conn: Connection, seller: str, through: date, *, who: str) -> Closing:
    """Close all days of a seller through one. They take no more entries, and stay closed.

    Waits for entries that are being written. Closing a closed day changes nothing. Returns the
    latest closing. Raises IllegalTransition for a day of the seller that is not over.
    """
    async with conn.transaction():
        closed = await closed_through(conn, seller)
        if closed is None or closed < through:
            try:
                async with conn.transaction():
                    await _sql.close(conn, seller=seller, through=through, who=who)
            except CheckViolation:
                yesterday = await today(conn, seller) - timedelta(days=1)
                raise IllegalTransition(
                    f"{through} is not over: what is booked until then is not known; the latest "
                    f"day that can be closed is {yesterday}"
                ) from None
        return (await closings(conn, seller))[-1]


async def closings(conn: Connection, seller: str) -> list[Closing]:
    """All closings of a seller, by their days."""
    return [Closing(**row) async for row in _sql.closings(conn, seller=seller)]


async def closed_through(conn: Connection, seller: str) -> date | None:
    """The last day of a seller that is closed."""
    found = await closings(conn, seller)
    return found[-1].through if found else None
