"""A shop for scenarios: patient with its own steps, because many orders run at once here."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio
from temporalio.client import Client

from store.database import Pool
from tests.support.builders import a_policy
from tests.support.shop import Shop


@pytest_asyncio.fixture(loop_scope="session")
async def shop(pool: Pool, temporal_client: Client) -> AsyncIterator[Shop]:
    """As the general one, but no step gives up because the machine is busy."""
    shop = Shop(pool, temporal_client, a_policy(give_up_after=60))
    async with shop.working():
        yield shop
