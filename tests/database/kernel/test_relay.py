"""The relay's sessions end, all of them at once, as when the server is started again."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import asyncpg

from activities.relay import Duty, Relay
from store.database import Pool


async def test_a_relay_goes_on_where_the_session_on_which_it_listens_has_ended(
    pool: Pool,
) -> None:
    done = asyncio.Event()
    times = 0

    async def work() -> None:
        nonlocal times
        times += 1
        if times > 1:
            done.set()
            return
        holders: Any = pool._holders  # type: ignore[attr-defined]  # the stubs lack it
        (listening,) = [one._con for one in holders if one._con and one._con._listeners]
        async with pool.acquire() as conn:
            pid = listening.get_server_pid()
            await conn.execute("select pg_terminate_backend($1)", pid)
            # Its last words have come, and the end of its connection has not.
            while not listening.is_closed():
                await asyncio.sleep(0)
        raise asyncpg.ConnectionDoesNotExistError("the duty's session has ended, too")

    running = asyncio.create_task(Relay(pool, [Duty(work, 3600, "some_channel")]).run())
    try:
        await asyncio.wait_for(done.wait(), 30)
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def test_a_relay_that_is_ended_ends_though_its_sessions_have_ended_before(pool: Pool) -> None:
    lost = asyncio.Event()

    async def work() -> None:
        holders: Any = pool._holders  # type: ignore[attr-defined]  # the stubs lack it
        (listening,) = [one._con for one in holders if one._con and one._con._listeners]
        async with pool.acquire() as conn:
            pid = listening.get_server_pid()
            await conn.execute("select pg_terminate_backend($1)", pid)
        while not listening.is_closed():
            await asyncio.sleep(0)
        lost.set()
        await asyncio.sleep(3600)

    channels = ("one_channel", "another_channel")
    duties = [Duty(work, 3600, channel) for channel in channels]
    running = asyncio.create_task(Relay(pool, duties).run())
    await asyncio.wait_for(lost.wait(), 30)
    running.cancel()
    done, _ = await asyncio.wait([running], timeout=10)
    assert done == {running}
    assert running.cancelled()
