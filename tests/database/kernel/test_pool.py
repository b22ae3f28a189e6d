"""A connection on which a statement was broken off never serves another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio

from store.database import Connection, Pool, open_pool


@pytest_asyncio.fixture(loop_scope="session")
async def single(database_url: str) -> AsyncIterator[Pool]:
    """A pool of one connection: the next user would get the same."""
    pool = await open_pool(database_url, size_max=1)
    try:
        yield pool
    finally:
        pool.terminate()


async def process_of(conn: Connection) -> int:
    return int(await conn.fetchval("select pg_backend_pid()"))


async def timed_out(conn: Connection) -> None:
    async with asyncio.timeout(0.1):
        await conn.fetchval("select pg_sleep(20)")


async def timed_out_by_the_driver(conn: Connection) -> None:
    await conn.fetchval("select pg_sleep(20)", timeout=0.1)


async def timed_out_in_a_transaction(conn: Connection) -> None:
    async with conn.transaction():
        await timed_out(conn)


async def timed_out_while_it_begins(conn: Connection) -> None:
    async with asyncio.timeout(0), conn.transaction():
        raise AssertionError("begun")


@pytest.mark.parametrize(
    "break_off",
    [
        timed_out,
        timed_out_by_the_driver,
        timed_out_in_a_transaction,
        timed_out_while_it_begins,
    ],
)
async def test_a_connection_on_which_a_statement_was_broken_off_serves_nobody_else(
    single: Pool, break_off: Callable[[Connection], Awaitable[None]]
) -> None:
    async with single.acquire() as conn:
        first = await process_of(conn)
        with pytest.raises(TimeoutError):
            await break_off(conn)
    async with single.acquire() as conn:
        assert await process_of(conn) != first
        async with conn.transaction(isolation="repeatable_read", readonly=True):
            assert await conn.fetchval("select 1") == 1


async def test_a_connection_that_finished_its_work_is_used_again(single: Pool) -> None:
    async with single.acquire() as conn:
        first = await process_of(conn)
        with pytest.raises(ZeroDivisionError):
            async with conn.transaction():
                raise ZeroDivisionError
    async with single.acquire() as conn:
        assert await process_of(conn) == first


async def test_a_task_that_is_cancelled_gives_its_connection_to_nobody(single: Pool) -> None:
    began: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def work() -> None:
        async with single.acquire() as conn, conn.transaction():
            began.set_result(await process_of(conn))
            await conn.fetchval("select pg_sleep(20)")

    task = asyncio.create_task(work())
    first = await began
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with single.acquire() as conn:
        assert await process_of(conn) != first
