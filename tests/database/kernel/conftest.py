"""Tests of the schema change it, so each has a database of its own."""

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
