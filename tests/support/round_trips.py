"""Counts the round trips to PostgreSQL: messages whose answer is waited for.

The driver itself tells of each, BEGIN and COMMIT included. A statement counts once, also when the
driver has to prepare it first: connections prepare each statement once in their life. What a
function in the database does inside is no round trip.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import asyncpg

from store.database import Pool, open_pool


class RoundTrips:
    """The statements that were sent since the last `counted` began, each in one line."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.sent: list[str] = []

    def heard(self, query: asyncpg.connection.LoggedQuery) -> None:
        """The driver calls this for each message that it has had an answer to."""
        self.sent.append(" ".join(query.query.split()))

    @contextmanager
    def counted(self) -> Iterator[list[str]]:
        """What is sent inside, as a list that grows."""
        self.sent = []
        yield self.sent


@asynccontextmanager
async def counting_pool(database_url: str) -> AsyncIterator[RoundTrips]:
    """A pool of one connection that counts: whoever needs a second one at once waits for ever."""
    pool = await open_pool(database_url, size_max=1)
    try:
        trips = RoundTrips(pool)
        async with pool.acquire() as conn:
            conn.add_query_logger(trips.heard)
        yield trips
    finally:
        pool.terminate()
