"""Connections for commands, desks and clients, where a person waits for the answer.

Every wait in here has a limit, and no error of the driver's comes out: a server that stalls or is
away is `Unreachable`. Workers have no such pool, because their steps have limits of their own and
are retried.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Final, cast

import asyncpg

from store.database import Connection, DatabaseFault, Pool, Record, pool_options
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
            max_inactive_connection_lifetime=300.0,
            **options,
        )


class _OneConnection:
    """Looks like a pool to those who acquire a connection, and always gives the same one."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._one_at_a_time = asyncio.Lock()

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Connection]:
        # What fails is undone by itself, so that a rehearsal goes on.
        async with self._one_at_a_time:
            with database_faults():
                async with self._connection.transaction():
                    yield self._connection
                    # What is otherwise checked at the end of a transaction.
                    await self._connection.execute("set constraints all immediate")
                    await self._connection.execute("set constraints all deferred")


@asynccontextmanager
async def rehearsal(pool: Pool) -> AsyncIterator[Pool]:
    """A pool whose changes are all made, checked, and undone in the end.

    Rows that they touch stay locked until then.
    """
    async with pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        try:
            yield cast("Pool", _OneConnection(connection))
        finally:
            with suppress(*DatabaseFault):  # without a connection, there is nothing to undo
                await transaction.rollback()


@asynccontextmanager
async def together(pool: Pool) -> AsyncIterator[Pool]:
    """A pool whose changes are one transaction: all are made in the end, or none after an error."""
    async with pool.acquire() as connection, connection.transaction():
        yield cast("Pool", _OneConnection(connection))
