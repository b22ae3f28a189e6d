"""The connection pool and the named queries. SQL lives in a file beside its module."""

from __future__ import annotations

import asyncio
import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

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
    "pool_options",
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


_CLOSE_SECONDS_MAX = 2.0
_CANCEL_SECONDS_MAX = 2.0
"""A server is given this long to confirm that it has broken off a statement."""

if TYPE_CHECKING:
    _DriverConnection = asyncpg.Connection[Record]
else:  # it is generic for type checkers alone
    _DriverConnection = asyncpg.Connection


class _Session(_DriverConnection):
    """A connection that remembers that a statement was broken off on it.

    A cancelled task or a time limit leaves a request to cancel and an answer on their way. What
    the server has done is then uncertain, and so is whether a transaction is open.
    """

    broken_off = False

    def _cancel_current_command(self, *waiters: Any) -> None:
        self.broken_off = True
        super()._cancel_current_command(*waiters)  # type: ignore[misc]  # the stubs lack it
        asyncio.get_running_loop().call_later(_CANCEL_SECONDS_MAX, self._end_if_silent, waiters)

    def _end_if_silent(self, waiters: tuple[Any, ...]) -> None:
        """Close a connection whose server stalls: the caller waits for its confirmation."""
        if not (self.is_closed() or all(waiter.done() for waiter in waiters)):
            self.terminate()

    async def _reset(self) -> None:
        # A task that is cancelled as the answer to BEGIN arrives leaves the transaction open, and
        # the driver asks for no cancel.
        self.broken_off = self.broken_off or self.is_in_transaction()
        await super()._reset()


async def open_pool(database_url: str, *, size_max: int = 10) -> Pool:
    """A pool whose connections read and write `jsonb` as Python values.

    Raises OSError or asyncpg.PostgresError when the database does not answer.
    """
    return await asyncpg.create_pool(database_url, **pool_options(size_max))


def pool_options(size_max: int) -> dict[str, Any]:
    """What every pool's connections have in common."""
    return {
        "min_size": 1,
        "max_size": size_max,
        "init": _prepare,
        "reset": _close_if_in_doubt,
        "connection_class": _Session,
        "command_timeout": 30,
        "server_settings": {"timezone": "UTC"},  # its `current_date` is the day that we count by
    }


async def _prepare(connection: Connection) -> None:
    await connection.set_type_codec(
        "jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog"
    )


async def _close_if_in_doubt(connection: asyncpg.Connection[Record]) -> None:
    """Close a connection on which a statement was broken off; leave any other as it is.

    Nothing here changes a session for good, and one query per use would be a sixth of all.
    An open transaction is rolled back and listeners are dropped before this, by asyncpg itself.
    """
    if isinstance(connection, _Session) and connection.broken_off:
        try:
            await connection.close(timeout=_CLOSE_SECONDS_MAX)
        except (TimeoutError, *DatabaseFault):
            connection.terminate()


@cache
def load_queries(module_file: str, name: str | None = None) -> Any:
    """The named queries that stand beside a module, as methods that take a connection.

    Called with `__file__` in `orders.py` it loads `orders.sql`; with a `name`, another file there.
    """
    file = Path(module_file)
    beside = file.with_suffix(".sql") if name is None else file.with_name(f"{name}.sql")
    return aiosql.from_path(beside, "asyncpg", encoding="utf-8")
