"""Reads the books and the documents, and closes periods."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

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
        self, at_most: int, order_id: str | None = None, seller: str | None = None
    ) -> Sequence[Entry]:
        """The latest entries, oldest first: of everything, of one order, or of one seller."""
        async with self._pool.acquire() as conn:
            return await ledger.entries(conn, order_id=order_id, seller=seller, at_most=at_most)

    async def period(self, seller: str, first: date | None, last: date) -> Period:
        """A seller's books of some days; without a first one, from the beginning."""
        async with self._pool.acquire() as conn:
            return await ledger.period(conn, seller, first, last)

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

    async def document(self, number: str, seller: str | None = None) -> Issued:
        """An invoice or a credit note, as it was issued.

        Raises NotFound, and InvalidInput where several sellers have one of this number.
        """
        async with self._pool.acquire() as conn:
            return await documents.get(conn, number, seller=seller)

    async def documents(
        self, order_id: str | None, *, at_most: int, seller: str | None = None
    ) -> Sequence[DocumentRow]:
        """Documents: those of an order from the first on, or of all orders, newest first."""
        async with self._pool.acquire() as conn:
            if order_id is None:
                return await documents.newest(conn, at_most, seller=seller)
            return (await documents.of_order(conn, order_id))[:at_most]
