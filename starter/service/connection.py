"""The way to the servers: found through the stack's folder or the environment, and never hanging.

Commands that only need PostgreSQL connect to nothing else, and work while Temporal is away.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final, TypeVar

from domain.ids import workflow_id
from runtime.discovery import connect_settings, read_stack
from runtime.extensions import tax_rates
from runtime.settings import Settings, load_settings
from runtime.temporal import connect_temporal
from starter.service.service import Records, Service
from store.client_pool import STATEMENT_SECONDS_MAX, open_client_pool, rehearsal
from store.database import DatabaseFault, Pool
from store.migrate import wait_for_database
from store.schema_version import check

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
    """Connections to PostgreSQL. Raises Unreachable, here and where one of them is used.

    Raises InvalidInput where the database's schema is not that of this version.
    """
    settings = settings or load_settings()
    url = settings.database_url or connect_settings(settings.home).database_url
    await wait_for_database(url, timeout_seconds=0)
    pool = await open_client_pool(
        url, size_max=connections, statement_seconds_max=statement_seconds_max
    )
    try:
        async with pool.acquire() as connection:
            await check(connection)
        yield pool
    finally:
        await _close(pool)


@asynccontextmanager
async def records(
    *, statement_seconds_max: float = WRITE_SECONDS_MAX, dry_run: bool = False
) -> AsyncIterator[Records]:
    """The doors that need PostgreSQL alone. Raises Unreachable where it does not answer.

    `dry_run`: all changes are made and checked, and then undone.
    """
    settings = load_settings()
    async with AsyncExitStack() as opened:
        pool = await opened.enter_async_context(
            database(settings=settings, statement_seconds_max=statement_seconds_max)
        )
        if dry_run:
            pool = await opened.enter_async_context(rehearsal(pool))
        yield Records(
            pool,
            policy=settings.policy,
            purchasing=settings.purchasing,
            plain_http=settings.webhook_targets_http,
            documents_years=settings.documents_kept_years,
            pages_url=settings.pages_url,
        )


@asynccontextmanager
async def service(
    *,
    connections: int = 4,
    statement_seconds_max: float = WRITE_SECONDS_MAX,
    temporal_may_be_away: bool = False,
) -> AsyncIterator[Service]:
    """All doors. Raises Unreachable that says which server does not answer.

    `temporal_may_be_away`: connect to it when it is first needed. Placing works without it.
    """
    settings = load_settings()
    taxes = None if settings.tax is None else tax_rates(settings.tax)
    place = connect_settings(settings.home)
    temporal = await connect_temporal(place, lazily=temporal_may_be_away)
    async with database(
        settings=settings, connections=connections, statement_seconds_max=statement_seconds_max
    ) as pool:
        yield Service(
            pool,
            temporal,
            task_queue=settings.task_queue,
            policy=settings.policy,
            purchasing=settings.purchasing,
            taxes=taxes,
            webhook_secrets=settings.webhook_secrets,
            carrier_secrets=settings.carrier_webhook_secrets,
            plain_http=settings.webhook_targets_http,
            documents_years=settings.documents_kept_years,
            pages_url=settings.pages_url,
        )


def from_records(
    work: Callable[[Records], Awaitable[T]],
    *,
    statement_seconds_max: float = WRITE_SECONDS_MAX,
    dry_run: bool = False,
) -> T:
    """Run `work` with the doors that need PostgreSQL alone, and return its answer; for commands.

    `dry_run`: all changes are made and checked, and then undone.
    """

    async def do() -> T:
        async with records(statement_seconds_max=statement_seconds_max, dry_run=dry_run) as here:
            return await work(here)

    return asyncio.run(do())


async def _close(pool: Pool) -> None:
    try:
        await asyncio.wait_for(pool.close(), _CLOSE_SECONDS_MAX)
    except (TimeoutError, *DatabaseFault):
        pool.terminate()


def ui_link(order_id: str) -> str | None:
    """The order's page in the Temporal UI that is set, or in that of the embedded stack in use."""
    settings = load_settings()
    if settings.temporal_ui is not None:
        return f"{settings.temporal_ui}/workflows/{workflow_id(order_id)}"
    stack = read_stack(settings.home)
    if stack is None or (settings.database_url or stack.database_url) != stack.database_url:
        return None
    page = f"namespaces/{stack.temporal_namespace}/workflows/{workflow_id(order_id)}"
    return f"{stack.temporal_ui_url}/{page}"
