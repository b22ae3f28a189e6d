"""The connection pool and the named queries. Each SQL file lies beside its module."""

from __future__ import annotations

import asyncio
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import aiosql
import asyncpg
from asyncpg import Record
from asyncpg.pool import PoolConnectionProxy
from pydantic_core import from_json, to_json

from domain.currencies import CURRENCIES

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

# Database errors that the code handles; all others are faults.
CheckViolation = asyncpg.CheckViolationError
StillReferred = asyncpg.ForeignKeyViolationError
DatabaseFault = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    # A pool raises this when it takes back a connection that broke in the middle of an answer.
    asyncpg.InternalClientError,
    OSError,
)
"""The database is away, or refuses for a reason that is not the caller's."""

DatabaseAway = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    OSError,
)
"""The database could not have answered any question."""

ConnectionLost = (*DatabaseAway, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""The connection is lost. Any work under way on it may or may not have taken effect."""


_CLOSE_SECONDS_MAX = 2.0
_CANCEL_SECONDS_MAX = 2.0
"""The time that a server has to confirm that it has stopped a statement."""

if TYPE_CHECKING:
    _DriverConnection = asyncpg.Connection[Record]
else:  # Only type checkers see it as generic.
    _DriverConnection = asyncpg.Connection


class _Session(_DriverConnection):
    """A connection that remembers that one of its statements was broken off.

    A cancelled task or a time limit leaves a request to cancel and an answer on their way. Then
    nobody knows what the server has done, or whether a transaction is open.
    """

    broken_off = False

    def _cancel_current_command(self, *waiters: Any) -> None:
        self.broken_off = True
        super()._cancel_current_command(*waiters)  # type: ignore[misc]  # the stubs lack it
        asyncio.get_running_loop().call_later(_CANCEL_SECONDS_MAX, self._end_if_silent, waiters)

    def _end_if_silent(self, waiters: tuple[Any, ...]) -> None:
        """Close a connection whose server stalls: its caller waits for the confirmation."""
        if not (self.is_closed() or all(waiter.done() for waiter in waiters)):
            self.terminate()

    async def _reset(self) -> None:
        # A task that is cancelled while the answer to BEGIN arrives leaves the transaction open,
        # and the driver sends no request to cancel.
        self.broken_off = self.broken_off or self.is_in_transaction()
        await super()._reset()


_BY_KEYS = {"plan_cache_mode": "force_generic_plan", "enable_seqscan": "off"}
"""For steps, whose statements are few, find rows by their keys, and are asked for ever.

Each is planned once for a connection, not six times. And a plan that is made while a table is
small, and kept until it is next analyzed, does not read the table whole.
"""


async def open_pool(database_url: str, *, size_max: int = 10, statements_max: int = 100) -> Pool:
    """A worker's pool, whose connections read and write `jsonb` as Python values.

    `statements_max`: of so many statements a connection keeps the plans.
    Raises OSError or asyncpg.PostgresError when the database does not answer.
    """
    options = pool_options(size_max)
    options["server_settings"] |= _BY_KEYS
    options["statement_cache_size"] = statements_max
    return await asyncpg.create_pool(database_url, **options)


def pool_options(size_max: int) -> dict[str, Any]:
    """The options that all pools share."""
    return {
        "min_size": 1,
        "max_size": size_max,
        "init": _prepare,
        "setup": _exchange_what_is_due,
        "reset": _close_if_in_doubt,
        "connection_class": _Session,
        "command_timeout": 30,
        # A moment's `::date` is its day by UTC, wherever a server stands.
        "server_settings": {"timezone": "UTC"},
    }


async def _prepare(connection: Connection) -> None:
    await connection.set_type_codec("jsonb", encoder=_json, decoder=from_json, schema="pg_catalog")
    await _exchange_currencies(connection)


async def _exchange_what_is_due(connection: Connection) -> None:
    if CURRENCIES.are_due:
        await _exchange_currencies(connection)


async def _exchange_currencies(connection: Connection) -> None:
    """Learn which currencies were ever used here, and keep those that only this process knows.

    A process does it as it connects, and again only before it uses a connection for what is in a
    currency that is new here. So a currency that leaves the standard's list stays readable for
    every worker and command, and an order costs no statement for it.
    """
    _sql = load_queries(__file__)
    try:
        kept = {x["currency"]: x["decimals"] async for x in _sql.kept_currencies(connection)}
        mine = {code: n for code, n in CURRENCIES.known().items() if code not in kept}
        if mine:
            await _sql.keep_currencies(
                connection, currencies=list(mine), decimals=list(mine.values())
            )
            kept = {x["currency"]: x["decimals"] async for x in _sql.kept_currencies(connection)}
    except asyncpg.UndefinedTableError:
        return  # A database without tables, or with those of another version: others say so.
    CURRENCIES.kept(kept)


def _json(value: Any) -> str:
    return to_json(value).decode()


async def _close_if_in_doubt(connection: asyncpg.Connection[Record]) -> None:
    """Close a connection on which a statement was broken off; leave any other as it is.

    A reset query on each use would be a sixth of all queries, and nothing here changes a session
    for good. asyncpg itself rolls back an open transaction and drops listeners before this.
    """
    if isinstance(connection, _Session) and connection.broken_off:
        try:
            await connection.close(timeout=_CLOSE_SECONDS_MAX)
        except (TimeoutError, *DatabaseFault):
            connection.terminate()


@cache
def load_queries(module_file: str, name: str | None = None) -> Any:
    """The named queries of the SQL file beside a module, as methods that take a connection.

    Called with `__file__` in `orders.py` it loads `orders.sql`; with a `name`, that file in the
    same folder.
    """
    file = Path(module_file)
    return _Queries(file.with_suffix(".sql") if name is None else file.with_name(f"{name}.sql"))


class _Queries:
    """The queries of a file, read when the first of them is asked for.

    To read all files takes a third of a second, and a command needs few of them.
    """

    def __init__(self, file: Path) -> None:
        self._file = file

    @cached_property
    def _loaded(self) -> Any:
        return aiosql.from_path(self._file, "asyncpg", encoding="utf-8")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        query = getattr(self._loaded, name)
        setattr(self, name, query)  # is found at once from now on
        return query
