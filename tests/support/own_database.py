"""A database of a test's own, where the one that tests share will not do.

For tests that change the schema, and for those that count what is looked at, or fill tables: a
connection that other tests have used has plans that were made when the tables were empty.

    from tests.support.own_database import database_url, pool

    __all__ = ["database_url", "pool"]
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from store.database import Pool, open_pool
from tests.support.servers import Databases


@pytest_asyncio.fixture(loop_scope="session")
async def database_url(databases: Databases) -> AsyncIterator[str]:
    """A migrated, empty database."""
    async with databases.fresh() as url:
        yield url


@pytest_asyncio.fixture(loop_scope="session")
async def pool(database_url: str) -> AsyncIterator[Pool]:
    """Connections to it."""
    pool = await open_pool(database_url)
    try:
        yield pool
    finally:
        # A test that failed may still hold a connection: closing must not wait for it.
        pool.terminate()
