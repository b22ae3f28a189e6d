"""Reads the books and the documents, and closes periods."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime

from domain.accounting.documents import Issued
from store.accounting import documents, ledger, tax_report
from store.accounting.documents import DocumentRow
from store.accounting.ledger import Closing, Entry, Period, Posting
from store.accounting.tax_report import TaxReport
from store.database import Pool


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
        seller: str | None = None,
        sellers: Collection[str] | None = None,
        after: tuple[datetime, str, str] | None = None,
        at_most: int,
    ) -> Sequence[DocumentRow]:
        """Documents of all orders, newest first. `sellers`: of one of these alone.

        `after`: behind the one that was issued then, has this number, and is of this seller.
        """
        async with self._pool.acquire() as conn:
            return await documents.newest(
                conn, at_most, seller=seller, sellers=sellers, after=after
            )
