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

    async def trial_balance(self, until: date | None = None) -> Sequence[Posting]:
        """The balance of each account at the end of a day, or now."""
        async with self._pool.acquire() as conn:
            return await ledger.trial_balance(conn, until)

    async def entries(self, at_most: int, order_id: str | None = None) -> Sequence[Entry]:
        """The latest entries, oldest first: of everything, or of one order."""
        async with self._pool.acquire() as conn:
            return await ledger.entries(conn, order_id=order_id, at_most=at_most)

    async def period(self, first: date | None, last: date) -> Period:
        """The books of some days; without a first one, from the beginning."""
        async with self._pool.acquire() as conn:
            return await ledger.period(conn, first, last)

    async def taxes(self, first: date, last: date) -> TaxReport:
        """The tax of some days by rate, as documents have it, beside what is booked."""
        async with self._pool.acquire() as conn:
            return await tax_report.of_days(conn, first, last)

    async def today(self) -> date:
        """The seller's day, which the books go by."""
        async with self._pool.acquire() as conn:
            return await ledger.today(conn)

    async def close(self, through: date, *, who: str) -> Closing:
        """Close all days through one, for ever. Returns the latest closing."""
        async with self._pool.acquire() as conn:
            return await ledger.close(conn, through, who=who)

    async def closed_through(self) -> date | None:
        """The last day that is closed."""
        async with self._pool.acquire() as conn:
            return await ledger.closed_through(conn)

    async def document(self, number: str) -> Issued:
        """An invoice or a credit note, as it was issued. Raises NotFound."""
        async with self._pool.acquire() as conn:
            return await documents.get(conn, number)

    async def documents(self, order_id: str | None, *, at_most: int) -> Sequence[DocumentRow]:
        """Documents: those of an order from the first on, or of all orders, newest first."""
        async with self._pool.acquire() as conn:
            if order_id is None:
                return await documents.newest(conn, at_most)
            return (await documents.of_order(conn, order_id))[:at_most]
