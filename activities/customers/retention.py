"""Persons are erased when somebody has asked for it, and when their orders are old enough."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Final

from activities.relay import BATCH
from activities.retention import AS_SHIPPED
from store.customers import changes, people
from store.database import DatabaseFault, Pool

logger = logging.getLogger(__name__)

WHO: Final = "orderloom"


class Persons:
    """A duty of the relay. `kept`: for how long after an order's end; None: until asked for.

    `documents_years`: for how long after the year of issue the law wants documents whole.
    `changes_kept`: for how long other systems can read what has changed of customers.
    """

    def __init__(
        self,
        pool: Pool,
        kept: timedelta | None = None,
        documents_years: int = AS_SHIPPED.documents_years,
        changes_kept: timedelta = AS_SHIPPED.events,
    ) -> None:
        self._pool = pool
        self._kept = kept
        self._years = documents_years
        self._changes_kept = changes_kept

    async def forget(self) -> None:
        """Erase those that are due."""
        while await self._some_asked_for() == BATCH:
            pass
        while await self._some_kept_long_enough() == BATCH:
            pass
        while await self._some_documents() == BATCH:
            pass
        while await self._some_changes() == BATCH:
            pass

    async def _some_asked_for(self) -> int:
        async with self._pool.acquire() as conn:
            due = await people.asked_for(conn, BATCH)
        return await self._erase(due, "asked for")

    async def _some_kept_long_enough(self) -> int:
        if self._kept is None:
            return 0
        async with self._pool.acquire() as conn:
            due = await people.kept_long_enough(conn, self._kept, BATCH)
        return await self._erase(due, "kept long enough")

    async def _erase(self, due: list[int], why: str) -> int:
        done = 0
        for order_no in due:
            try:
                async with self._pool.acquire() as conn, conn.transaction():
                    done += await people.erase(conn, order_no, years=self._years, who=WHO, why=why)
            except DatabaseFault:
                # One that cannot be erased now keeps no other waiting; it is tried again.
                logger.exception("the person of order number %s is not erased", order_no)
        return done

    async def _some_documents(self) -> int:
        async with self._pool.acquire() as conn, conn.transaction():
            return await people.erase_documents(conn, BATCH)

    async def _some_changes(self) -> int:
        async with self._pool.acquire() as conn:
            return await changes.forget(conn, self._changes_kept, BATCH)
