"""Locks are taken in one sequence, so nobody waits in a circle, whoever comes when."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from activities.stock.backorders import FillBackorder
from store import waits
from store.database import Connection, Pool
from store.locks import lock_order, lock_stock
from store.orders import intake, orders
from store.stock import corrections
from tests.support.bench import Bench, authorizing
from tests.support.builders import an_order


@pytest.fixture
async def bench(pool: Pool) -> Bench:
    bench = Bench(pool)
    await bench.backorderable("TEA", "POT")
    return bench


async def until_wait(bench: Bench, transactions: int) -> None:
    """Wait until so many transactions wait for locks that others hold."""
    async with asyncio.timeout(10):
        while transactions != await bench.count(
            "select count(distinct pid) from pg_locks where not granted"
        ):
            await asyncio.sleep(0.01)


@asynccontextmanager
async def transaction(bench: Bench) -> AsyncIterator[Connection]:
    """A transaction whose fault, if it is the one that is chosen to end a circle, is seen soon."""
    async with bench.pool.acquire() as conn, conn.transaction():
        await conn.execute("set local deadlock_timeout = '100ms'")
        yield conn


async def test_a_location_that_is_new_to_a_sku_is_locked_with_it_also_by_those_who_waited_before(
    bench: Bench,
) -> None:
    await bench.stocked("TEA", 1, "outlet")
    await bench.stocked("POT", 1, "outlet")
    await bench.reserve(an_order(("TEA", 1), ("POT", 1)))
    order = an_order(("TEA", 1), ("POT", 1))
    await bench.reserve(order)
    await bench.authorizations.authorize_payment(authorizing(order))
    ask = FillBackorder(order_id=order.order_id, round=1, units={"1": 1, "2": 1})

    async def lock_later() -> None:
        async with transaction(bench) as conn:
            await lock_stock(conn, ["TEA"])

    async with transaction(bench) as first:
        async with transaction(bench) as other:
            await lock_stock(other, ["POT"])
            filling = asyncio.create_task(bench.backorders.fill_backorder(ask))
            await until_wait(bench, 1)
            # It waits for the pot, and tea comes to a location that had none, which comes before
            # "outlet" in every sequence. The one who waits has not seen it.
            await bench.stocked("TEA", 1, "main")
            await lock_stock(first, ["TEA"])
        await until_wait(bench, 1)
        later = asyncio.create_task(lock_later())
        await until_wait(bench, 2)
    await later
    filled = await filling
    assert [part.location for part in filled.fulfilments] == ["main"]


async def test_two_that_serve_the_same_orders_with_other_skus_wait_for_each_other_in_one_sequence(
    bench: Bench,
) -> None:
    orders = [an_order(("TEA", 1), ("POT", 1)) for _ in range(2)]
    for order in orders:
        await bench.reserve(order)
    reports = [f"await_stock:{order.order_id}:B1" for order in orders]

    async def tell(first: str, then: str, met: asyncio.Barrier) -> None:
        """As one does who serves the orders of two SKUs one after the other."""
        async with transaction(bench) as conn:
            await waits.report_to_all(conn, {first: orders[0].order_id}, {})
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(0.5):
                    await met.wait()
            await waits.report_to_all(conn, {then: orders[0].order_id}, {})

    met = asyncio.Barrier(2)
    one, other = reports
    await asyncio.gather(tell(one, other, met), tell(other, one, met))
    told = "select count(*) from wait_report where activity_id like 'await_stock%'"
    assert await bench.count(told) == 2


async def test_a_count_that_is_tried_again_lets_its_locks_go_also_within_a_larger_transaction(
    bench: Bench,
) -> None:
    await bench.stocked("TEA", 2)
    order = an_order(("TEA", 2))
    await bench.take_in(order)

    async def count() -> int:
        async with transaction(bench) as conn:
            told = await corrections.count(conn, "k", "TEA", "main", 0, who="test", why="test")
            return told.on_hand

    async def lock_as_all_do() -> None:
        async with transaction(bench) as conn:
            await lock_order(conn, order.order_id)
            await lock_stock(conn, ["TEA"])

    async with transaction(bench) as first:
        await lock_stock(first, ["TEA"])
        reserving = asyncio.create_task(bench.reserve(order))
        await until_wait(bench, 1)
        # It has seen no claim on the tea, and when it gets the tea, there is one: of an order that
        # somebody else has locked by then, who waits for the tea.
        counting = asyncio.create_task(count())
        await until_wait(bench, 2)
        other = asyncio.create_task(lock_as_all_do())
        await until_wait(bench, 3)
    assert (await reserving).fulfilments
    await other
    assert await counting == 0
    assert await bench.level("TEA") == (0, 0)


async def test_the_relay_waits_for_no_order_that_is_being_begun(bench: Bench) -> None:
    begun, left = (an_order(("TEA", 1)) for _ in range(2))
    for order in (begun, left):
        await bench.take_in(order)
    both = [left.order_id, begun.order_id]
    async with transaction(bench) as first, bench.pool.acquire() as relay:
        assert await orders.begin(first, [begun.order_id]) == {begun.order_id}
        async with asyncio.timeout(10):
            await intake.started(relay, both)
            await intake.leave(relay, both)
    rows = await bench.pool.fetch(
        "select order_id from order_to_start join customer_order using (order_no)"
    )
    assert [row["order_id"] for row in rows] == [left.order_id]


async def test_the_relay_waits_for_no_report_that_is_being_written(bench: Bench) -> None:
    order = an_order(("TEA", 1))
    await bench.take_in(order)
    async with bench.pool.acquire() as relay:
        for step in ("one", "two"):
            await waits.begin(relay, step, order_id=order.order_id)
            await waits.report(relay, order.order_id, step, {})
        claimed = await waits.claim_pending(relay, 10)
        async with transaction(bench) as other:
            await waits.report_anew(other, order.order_id, "two", {"outcome": "goes_on"})
            async with asyncio.timeout(10):
                await waits.handed_over(relay, [(report, "arrived") for report in claimed])
        rows = await relay.fetch("select activity_id from wait_report where delivered_at is null")
    assert [row["activity_id"] for row in rows] == ["two"]
