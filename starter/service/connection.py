"""The way to the servers: found through the stack's folder or the environment, and never hanging.

Commands that only need PostgreSQL connect to nothing else, and work while Temporal is away.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final, TypeVar

from domain.ids import workflow_id
from runtime.discovery import connect_settings, read_stack
from runtime.settings import Settings, load_settings
from starter.service.warehouse import Desk
from store.client_pool import STATEMENT_SECONDS_MAX, open_client_pool
from store.database import DatabaseFault, Pool
from store.migrate import wait_for_database

T = TypeVar("T")


_CLOSE_SECONDS_MAX: Final = 2.0

WRITE_SECONDS_MAX: Final = 30.0
"""A statement of a report may wait until others have let go of the stock that it is about."""

REPORT_SECONDS_MAX: Final = 120.0
"""One statement of an audit or of the books may read years of orders."""


@asynccontextmanager
async def database(
    *,
    settings: Settings | None = None,
    connections: int = 4,
    statement_seconds_max: float = STATEMENT_SECONDS_MAX,
) -> AsyncIterator[Pool]:
    """Connections to PostgreSQL. Raises Unreachable, here and where one of them is used."""
    settings = settings or load_settings()
    url = settings.database_url or connect_settings(settings.home).database_url
    await wait_for_database(url, timeout_seconds=0)
    pool = await open_client_pool(
        url, size_max=connections, statement_seconds_max=statement_seconds_max
    )
    try:
        yield pool
    finally:
        await _close(pool)


@asynccontextmanager
async def desk() -> AsyncIterator[Desk]:
    """Where the warehouse and the carriers report. Needs PostgreSQL alone."""
    async with database(statement_seconds_max=WRITE_SECONDS_MAX) as pool:
        yield Desk(pool, load_settings().purchasing)


def at_the_desk(work: Callable[[Desk], Awaitable[T]]) -> T:
    """What `work` does at the desk; for commands."""

    async def do() -> T:
        async with desk() as here:
            return await work(here)

    return asyncio.run(do())


async def _close(pool: Pool) -> None:
    try:
        await asyncio.wait_for(pool.close(), _CLOSE_SECONDS_MAX)
    except (TimeoutError, *DatabaseFault):
        pool.terminate()


def ui_link(order_id: str) -> str | None:
    """The order's page in the Temporal UI of the embedded stack, where that is what is used."""
    settings = load_settings()
    stack = read_stack(settings.home)
    if stack is None or (settings.database_url or stack.database_url) != stack.database_url:
        return None
    page = f"namespaces/{stack.temporal_namespace}/workflows/{workflow_id(order_id)}"
    return f"{stack.temporal_ui_url}/{page}"
