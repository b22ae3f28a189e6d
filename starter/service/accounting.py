"""Where whoever keeps the books reads the ledger, and closes periods. Needs the database alone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import date
from typing import TypeVar

from starter.service.connection import REPORT_SECONDS_MAX, database
from store.accounting import ledger
from store.accounting.ledger import Closing, Entry, Period, Posting
from store.database import Pool

T = TypeVar("T")


class Books:
    """The ledger, for people."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def trial_balance(self, until: date | None = None) -> Sequence[Posting]:
        """What each account amounts to, on all days through one or on all."""
        async with self._pool.acquire() as conn:
            return await ledger.trial_balance(conn, until)

    async def latest(self, at_most: int, order_id: str | None = None) -> Sequence[Entry]:
        """The latest entries, oldest first: of everything, or of one order."""
        async with self._pool.acquire() as conn:
            return await ledger.entries(conn, order_id=order_id, at_most=at_most)

    async def period(self, first: date | None, last: date) -> Period:
        """The books of some days; without a first one, from the beginning."""
        async with self._pool.acquire() as conn:
            return await ledger.period(conn, first, last)

    async def close(self, through: date, *, who: str) -> Closing:
        """Close all days through one, for ever. Returns the latest closing."""
        async with self._pool.acquire() as conn:
            return await ledger.close(conn, through, who=who)

    async def closed_through(self) -> date | None:
        """The last day that is closed."""
        async with self._pool.acquire() as conn:
            return await ledger.closed_through(conn)


@asynccontextmanager
async def books() -> AsyncIterator[Books]:
    """The books of the stack or the servers that commands find."""
    async with database(statement_seconds_max=REPORT_SECONDS_MAX) as pool:
        yield Books(pool)


async def with_books(work: Callable[[Books], Awaitable[T]]) -> T:
    """What `work` does with the books."""
    async with books() as here:
        return await work(here)
