"""Keeps the figures of each day, from which pages and reports are made."""

from __future__ import annotations

import logging
from typing import Final

from store.accounting import book_days
from store.database import DatabaseFault, Pool
from store.days import counting
from store.days.counting import Day

logger = logging.getLogger(__name__)

DAYS_AT_ONCE: Final = 10
"""Then the duty has its next turn: a new database has a month to be counted."""

BOOK_DAYS_AT_ONCE: Final = 100
"""A year of books that were never added up is added up within some minutes."""

KEPT_DAYS: Final = 800
"""Two years, and what a year before is compared with."""


class DayCounting:
    """A duty of the relay: counts today again and again, and each earlier day once it is whole.

    Several workers share the days: a day that one counts is passed over by the others.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def count(self) -> None:
        """Count the days that are due."""
        async with self._pool.acquire() as conn:
            await counting.add_days(conn)
        failed: list[Day] = []
        for _ in range(DAYS_AT_ONCE):
            one: Day | None = None
            try:
                async with self._pool.acquire() as conn, conn.transaction():
                    one = await counting.due(conn, failed)
                    if one is None:
                        return
                    await counting.count(conn, one)
            except DatabaseFault as fault:
                if one is None:
                    raise
                # One day that cannot be counted keeps back no other one, and no other duty.
                logger.warning("%s of seller %s is not counted: %s", one.day, one.seller, fault)
                failed.append(one)

    async def add_up_books(self) -> None:
        """Add up the days of the books that are over."""
        async with self._pool.acquire() as conn:
            await book_days.add_up(conn, BOOK_DAYS_AT_ONCE)

    async def forget(self) -> None:
        """Delete days that are very old."""
        async with self._pool.acquire() as conn:
            await counting.forget(conn, KEPT_DAYS)
