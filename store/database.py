"""The connection pool and the named queries. All SQL lives in `queries/*.sql`."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import aiosql
import asyncpg
from asyncpg import Record
from asyncpg.pool import PoolConnectionProxy

__all__ = [
    "CheckViolation",
    "Connection",
    "ConnectionLost",
    "DatabaseAway",
    "DatabaseFault",
    "Pool",
    "Record",
    "StillReferred",
    "load_queries",
    "open_pool",
]

Pool: TypeAlias = "asyncpg.Pool[Record]"
Connection: TypeAlias = "asyncpg.Connection[Record] | PoolConnectionProxy[Record]"

# The database errors that mean something to the code; the rest are faults.
CheckViolation = asyncpg.CheckViolationError
StillReferred = asyncpg.ForeignKeyViolationError
DatabaseFault = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    # What a pool says when it takes back a connection that broke in the middle of an answer.
    asyncpg.InternalClientError,
    OSError,
)
"""The database is away, or refuses for a reason that is none of the caller's."""

DatabaseAway = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    OSError,
)
"""Whatever had been asked of the database, it would not have answered."""

ConnectionLost = (*DatabaseAway, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""The way to the database is lost. What was under way may or may not have taken effect."""


async def open_pool(database_url: str, *, size_max: int = 10) -> Pool:
    """A pool whose connections read and write `jsonb` as Python values.

    Raises OSError or asyncpg.PostgresError when the database does not answer.
    """
    return await asyncpg.create_pool(
        database_url,
        min_size=1,
        max_size=size_max,
        init=_prepare,
        reset=_leave_as_it_is,
        command_timeout=30,
        server_settings={"timezone": "UTC"},  # its `current_date` is the day that we count by
    )


async def _prepare(connection: Connection) -> None:
    await connection.set_type_codec(
        "jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog"
    )


async def _leave_as_it_is(connection: Connection) -> None:
    """Nothing here changes a session for good, and one query per use would be a sixth of all.

    An open transaction is rolled back and listeners are dropped all the same, by asyncpg itself.
    """


@cache
def load_queries(name: str) -> Any:
    """The named queries of `queries/<name>.sql`, as methods that take a connection."""
    return aiosql.from_path(Path(__file__).parent / "queries" / f"{name}.sql", "asyncpg")
