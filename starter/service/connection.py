"""The way to the servers: found through the stack's folder or the environment, and never hanging.

Commands that only need PostgreSQL connect to nothing else, and work while Temporal is away.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final, TypeVar

from domain.errors import InvalidInput, Unreachable
from domain.ids import workflow_id
from settings import Settings, load_settings
from starter.service.warehouse import Desk
from starter.stack.discovery import connect_settings, read_stack
from store.database import DatabaseFault, Pool, open_pool
from store.migrate import wait_for_database

T = TypeVar("T")


class NotPrepared(InvalidInput):
    """The database lacks what this version needs."""


_CLOSE_SECONDS_MAX: Final = 2.0
_NO_SUCH_TABLE: Final = "42P01"
_NO_SUCH_COLUMN: Final = "42703"
_NO_RIGHT: Final = "42501"


@asynccontextmanager
async def database(
    *, settings: Settings | None = None, connections: int = 4
) -> AsyncIterator[Pool]:
    """Connections to PostgreSQL. Raises Unreachable, here and when it goes away meanwhile."""
    settings = settings or load_settings()
    url = settings.database_url or connect_settings(settings.home).database_url
    await wait_for_database(url, timeout_seconds=0)
    with database_faults():
        pool = await open_pool(url, size_max=connections)
        try:
            yield pool
        finally:
            await _close(pool)


@asynccontextmanager
async def desk() -> AsyncIterator[Desk]:
    """Where the warehouse and the carriers report. Needs PostgreSQL alone."""
    async with database() as pool:
        yield Desk(pool, load_settings().purchasing)


def at_the_desk(work: Callable[[Desk], Awaitable[T]]) -> T:
    """What `work` does at the desk; for commands."""

    async def do() -> T:
        async with desk() as here:
            return await work(here)

    return asyncio.run(do())


@contextmanager
def database_faults() -> Iterator[None]:
    """A fault of the database as the error that a person can do something about."""
    try:
        yield
    except DatabaseFault as fault:
        code = getattr(fault, "sqlstate", None)
        if code in (_NO_SUCH_TABLE, _NO_SUCH_COLUMN):
            raise NotPrepared(
                "is not prepared for this version: run `orderloom setup`", where="the database"
            ) from fault
        if code == _NO_RIGHT:
            raise InvalidInput(f"{fault}: use an account that may", where="DATABASE_URL") from fault
        raise Unreachable(
            f"the database does not answer ({str(fault) or type(fault).__name__}); "
            "what was not confirmed may or may not be done: repeat the command when it answers"
        ) from fault


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
