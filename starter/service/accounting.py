"""Reads the books and the documents, and closes periods."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta

from domain.accounting.accounts import Account
from domain.accounting.documents import Issued, Kind
from domain.errors import NotFound
from store.accounting import account_reads, documents, ledger, tax_report, valuation
from store.accounting.account_reads import AccountEntries, Moved, ToClose
from store.accounting.documents import DocumentRow
from store.accounting.ledger import Closing, Entry, Period, Posting
from store.accounting.tax_report import TaxReport
from store.accounting.valuation import Worth
from store.database import Pool
from store.views import reads


class Accounting:
    """The ledger, the invoices and the credit notes. `closed` days stay as they are."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def trial_balance(
        self, seller: str | None = None, until: date | None = None
    ) -> Sequence[Posting]:
        """The balance of each account of a seller, or of all, at the end of a day, or now."""
        async with self._pool.acquire() as conn:
            return await ledger.trial_balance(conn, until, seller=seller)

    async def worth_of(self, sku: str) -> Sequence[Worth]:
        """What the units of a SKU in stock have cost, by seller and currency."""
        async with self._pool.acquire() as conn:
            return await valuation.worth(conn, sku)

    async def entries(
        self,
        at_most: int,
        order_id: str | None = None,
        seller: str | None = None,
        *,
        first: date | None = None,
        last: date | None = None,
        sellers: Collection[str] | None = None,
        before: tuple[date, int] | None = None,
    ) -> Sequence[Entry]:
        """The latest entries, oldest first: of everything, of one order, or of one seller.

        `first`, `last`: of these days. `sellers`: of one of these alone. `before`: only those
        before the entry of this day with this number.
        """
        async with self._pool.acquire() as conn:
            return await ledger.entries(
                conn,
                first,
                last,
                order_id=order_id,
                seller=seller,
                sellers=sellers,
                before=before,
                at_most=at_most,
            )

    async def entries_of_account(
        self,
        seller: str,
        account: Account | None,
        *,
        currency: str | None = None,
        first: date | None = None,
        last: date | None = None,
        before: tuple[date, int] | None = None,
        at_most: int,
    ) -> AccountEntries:
        """A seller's entries on an account, the latest first; no account: on any, in the currency.

        `before`: as of `entries`. A page may have
        few entries and still not be the last: `looked_to` says where the next one begins.
        """
        async with self._pool.acquire() as conn:
            return await account_reads.entries_of_account(
                conn,
                seller,
                account,
                currency=currency,
                first=first,
                last=last,
                before=before,
                at_most=at_most,
            )

    async def to_close(self, seller: str, through: date) -> ToClose:
        """What `close` would close: how many entries, and what they have moved."""
        async with self._pool.acquire() as conn:
            return await account_reads.to_close(conn, seller, through)

    async def moved(self, seller: str, first: date, last: date) -> Sequence[Moved]:
        """What some days have put on both sides of each account of a seller."""
        async with self._pool.acquire() as conn:
            return await account_reads.moved(conn, seller, first - timedelta(days=1), last)

    async def closed_through(self, seller: str) -> date | None:
        """The last day of a seller that is closed; None: none is."""
        async with self._pool.acquire() as conn:
            return await ledger.closed_through(conn, seller)

    async def first_day(self, seller: str) -> date | None:
        """The first day with an entry; None: nothing was ever booked."""
        async with self._pool.acquire() as conn:
            return await ledger.first_day(conn, seller)

    async def period(
        self, seller: str, first: date | None, last: date, *, entries_max: int | None = None
    ) -> Period:
        """A seller's books of some days; without a first one, from the beginning.

        Raises Refused where there are more entries than `entries_max`.
        """
        async with self._pool.acquire() as conn:
            return await ledger.period(conn, seller, first, last, entries_max=entries_max)

    async def taxes(self, seller: str, first: date, last: date) -> TaxReport:
        """A seller's tax of some days by rate, as documents have it, beside what is booked."""
        async with self._pool.acquire() as conn:
            return await tax_report.of_days(conn, seller, first, last)

    async def today(self, seller: str) -> date:
        """The seller's day, which its books go by."""
        async with self._pool.acquire() as conn:
            return await ledger.today(conn, seller)

    async def close(self, seller: str, through: date, *, who: str) -> Closing:
        """Close all days of a seller through one, for ever. Returns the latest closing."""
        async with self._pool.acquire() as conn:
            return await ledger.close(conn, seller, through, who=who)

    async def document(
        self,
        number: str,
        seller: str | None = None,
        *,
        sellers: Collection[str] | None = None,
    ) -> Issued:
        """An invoice or a credit note, as it was issued. `sellers`: of one of these alone.

        Raises NotFound, and InvalidInput where several sellers have one of this number.
        """
        async with self._pool.acquire() as conn:
            return await documents.get(conn, number, seller=seller, sellers=sellers)

    async def document_of(self, order_id: str, number: str) -> Issued:
        """A document of an order, as it was issued. Raises NotFound, also for one of another."""
        async with self._pool.acquire() as conn:
            whose = await reads.whose(conn, order_id)
            seller = None if whose is None else whose[1]
            found = await documents.get(conn, number, seller=seller)
        if found.order_id != order_id:
            raise NotFound(f"there is no document {number} of {order_id}", reason="no_document")
        return found

    async def documents_of(
        self, order_id: str, *, after: tuple[datetime, str] | None = None, at_most: int
    ) -> Sequence[DocumentRow]:
        """An order's documents, from the first on. Raises NotFound.

        `after`: behind the one that was issued then and has this number.
        """
        async with self._pool.acquire() as conn:
            return await documents.of_order(conn, order_id, after=after, at_most=at_most)

    async def documents(
        self,
        *,
        kind: Kind | None = None,
        first: date | None = None,
        last: date | None = None,
        seller: str | None = None,
        sellers: Collection[str] | None = None,
        after: tuple[datetime, str, str] | None = None,
        at_most: int,
    ) -> Sequence[DocumentRow]:
        """Documents of all orders, newest first.

        `first`, `last`: issued on these days. `sellers`: of one of these alone. `after`: behind the
        one that was issued then, has this number, and is of this seller.
        """
        async with self._pool.acquire() as conn:
            return await documents.newest(
                conn,
                at_most,
                kind=kind,
                first=first,
                last=last,
                seller=seller,
                sellers=sellers,
                after=after,
            )
