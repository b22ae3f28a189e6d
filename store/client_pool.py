"""Connections for commands, desks and clients, where a person waits for the answer.

Every wait in here has a limit, and no error of the driver's comes out: a server that stalls or is
away is `Unreachable`. Workers have no such pool, because their steps have limits of their own and
are retried.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import asyncpg

from store.database import Connection, Pool, Record, pool_options
from store.faults import database_faults

CONNECT_SECONDS_MAX: Final = 10.0
"""The limit for getting a connection, free or newly opened, and for giving it back."""

STATEMENT_SECONDS_MAX: Final = 15.0


class _ClientPool(asyncpg.Pool):
    """A pool with a limit on each wait, and with errors that a person understands."""

    @asynccontextmanager
    async def acquire(  # type: ignore[override]  # nobody here awaits it without `async with`
        self,
        *,
        timeout: float | None = None,  # noqa: ASYNC109  # the driver's own name
    ) -> AsyncIterator[Connection]:
        with database_faults():
            async with super().acquire(timeout=timeout or CONNECT_SECONDS_MAX) as connection:
                yield connection


async def open_client_pool(
    database_url: str,
    *,
    size_max: int = 4,
    statement_seconds_max: float = STATEMENT_SECONDS_MAX,
) -> Pool:
    """A pool like a worker's, for commands that a person waits for. Raises `Unreachable`."""
    options: dict[str, Any] = pool_options(size_max)
    options |= {
        "timeout": CONNECT_SECONDS_MAX,
        "command_timeout": statement_seconds_max,
        # With a higher minimum, the driver itself restores lost connections and logs each failure.
        "min_size": 0,
    }
    with database_faults():
        return await _ClientPool(
            database_url,
            record_class=Record,
            init_size=1,
            max_queries=50_000,
            loop=None,
            connect=None,
            setup=None,
            max_inactive_connection_lifetime=300.0,
            **options,
        )
