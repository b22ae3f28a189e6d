"""What waits for workers; and that a server which is away is said to be, in time."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from datetime import timedelta
from uuid import uuid4

from temporalio.client import Client

from runtime.task_queues import backlog_of
from starter.service.queues import Queues
from store.database import Pool
from tests.support.bench import Bench
from tests.support.builders import an_order

WITHIN = timedelta(seconds=0.3)


async def test_what_waits_is_told_with_how_long(pool: Pool) -> None:
    bench = Bench(pool)
    await bench.take_in(an_order(("TEA", 1)))
    await pool.execute("update order_to_start set start_after = now() - interval '90 seconds'")
    look = await Queues(pool, None, "nobody").look()
    assert look.waits is not None
    assert look.sizes is not None
    assert look.waits.starts_wait == 90
    assert (look.waits.reports_wait, look.waits.mails_wait, look.waits.events_wait) == (0, 0, 0)
    assert (look.sizes.starts, look.sizes.open_orders) == (1, 1)
    assert look.round_trip_us is not None
    assert 0 < look.round_trip_us < 1_000_000
    assert look.connections.most == pool.get_max_size()
    assert look.backlog is None


async def test_a_pool_without_a_free_connection_is_told_in_time(pool: Pool) -> None:
    async with AsyncExitStack() as taken:
        for _ in range(pool.get_max_size()):
            await taken.enter_async_context(pool.acquire())
        began = time.perf_counter()
        look = await Queues(pool, None, "nobody").look(WITHIN)
        assert time.perf_counter() - began < 2
        assert (look.waits, look.sizes, look.round_trip_us) == (None, None, None)
        assert look.connections.used == look.connections.most


async def test_temporal_that_is_away_is_told_in_time(pool: Pool) -> None:
    away = await Client.connect("127.0.0.1:1", lazy=True)
    began = time.perf_counter()
    look = await Queues(pool, away, "nobody").look(WITHIN)
    assert time.perf_counter() - began < 2
    assert look.backlog is None
    assert look.waits is not None


async def test_tasks_that_no_worker_takes_are_counted(temporal_client: Client) -> None:
    queue = f"nobody-{uuid4().hex}"
    handle = await temporal_client.start_workflow("NoSuch", id=f"waits-{queue}", task_queue=queue)
    try:
        for _ in range(100):  # the server counts a while later
            told = await backlog_of(temporal_client, queue, timedelta(seconds=5))
            if told.tasks:
                break
            await asyncio.sleep(0.2)
        assert (told.tasks, told.workers) == (1, 0)
    finally:
        await handle.terminate()
