"""The journal by account: the latest entries on one, and what some days have moved on all."""

from __future__ import annotations

from datetime import date
from typing import Final

from pydantic import BaseModel, ConfigDict

from domain.accounting.accounts import Account
from store.accounting import ledger
from store.accounting.ledger import Entry
from store.database import Connection, load_queries

_sql = load_queries(__file__)

LOOKED_AT_MOST: Final = 5_000
"""So many entries are looked through for a page: it comes in time, however rare its account is."""


class AccountEntries(BaseModel):
    """Entries on an account, the latest first.

    `looked_to`: the entry, by its day and number, before which none were looked at; None: all were.
    """

    model_config = ConfigDict(frozen=True)

    entries: tuple[Entry, ...]
    looked_to: tuple[date, int] | None


class Moved(BaseModel):
    """What some days have put on both sides of an account, in minor units."""

    model_config = ConfigDict(frozen=True)

    account: Account
    currency: str
    debit_minor: int
    credit_minor: int


class ToClose(BaseModel):
    """What closing the days of a seller through one would close. `after`: closed until now."""

    model_config = ConfigDict(frozen=True)

    seller: str
    after: date | None
    through: date
    entries: int
    moved: tuple[Moved, ...]


async def entries_of_account(
    conn: Connection,
    seller: str,
    account: Account | None,
    *,
    currency: str | None = None,
    first: date | None = None,
    last: date | None = None,
    before: tuple[date, int] | None = None,
    at_most: int,
    looked_at_most: int = LOOKED_AT_MOST,
) -> AccountEntries:
    """A seller's entries on an account, the latest first, `at_most` of them.

    No account: on any, in the currency. `before`: only those before the entry of this day with this
    number. So many of the seller's entries are looked through: where nobody books on the account,
    no page would ever come.
    """
    day, entry_id = before or (None, None)
    asked = {
        "seller": seller,
        "first": first,
        "last": last,
        "before_day": day,
        "before_entry": entry_id,
        "looked_at_most": looked_at_most,
    }
    rows = _sql.entries_of_account(
        conn, account=account, currency=currency, at_most=at_most + 1, **asked
    )
    found = [Entry(**row) async for row in rows]
    shown = tuple(found[:at_most])
    if len(found) > at_most:
        return AccountEntries(entries=shown, looked_to=(shown[-1].booked_on, shown[-1].entry_id))
    looked = await _sql.looked_to(conn, **asked)
    place = None if looked is None else (looked["booked_on"], looked["entry_id"])
    return AccountEntries(entries=shown, looked_to=place)


async def moved(conn: Connection, seller: str, after: date | None, through: date) -> list[Moved]:
    """What the entries of some days have put on both sides of each account; None: of all days."""
    rows = _sql.moved(conn, seller=seller, after=after, through=through)
    return [Moved(**row) async for row in rows]


async def to_close(conn: Connection, seller: str, through: date) -> ToClose:
    """What `close` would close. Its days are read, and no others."""
    async with conn.transaction(isolation="repeatable_read", readonly=True):
        after = await ledger.closed_through(conn, seller)
        count = await _sql.entries_between(conn, seller=seller, after=after, through=through)
        return ToClose(
            seller=seller,
            after=after,
            through=through,
            entries=count,
            moved=tuple(await moved(conn, seller, after, through)),
        )
