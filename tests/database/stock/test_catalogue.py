"""A worker's copy of the catalogue: read once, and never believed when it has changed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from activities.stock.inventory import Inventory
from domain.stock.kits import Kit
from domain.stock.locations import Lane, Location
from domain.stock.reservations import Reserved, ReserveStock
from store.database import Pool
from store.locks import lock_stock
from store.stock import kits, locations
from tests.support.bench import Bench, until_one_waits
from tests.support.books import faults_in
from tests.support.builders import an_order
from tests.support.round_trips import RoundTrips, counting_pool


@pytest.fixture
async def bench(pool: Pool) -> Bench:
    bench = Bench(pool)
    await bench.stocked("TEA", 100)
    await bench.stocked("CUP", 100)
    return bench


@pytest.fixture
async def trips(database_url: str) -> AsyncIterator[RoundTrips]:
    async with counting_pool(database_url) as trips:
        yield trips


async def define(bench: Bench, sku: str, **parts: int) -> None:
    async with bench.pool.acquire() as conn:
        await kits.define(conn, Kit(sku=sku, parts=parts))


async def taken(bench: Bench) -> tuple[int, int]:
    """The allocated units of tea and of cups."""
    return (await bench.level("TEA"))[1], (await bench.level("CUP"))[1]


async def test_a_catalogue_that_did_not_change_is_not_read_again(trips: RoundTrips) -> None:
    bench = Bench(trips.pool)
    await bench.stocked("TEA", 100)
    for order in [an_order(("TEA", 1)) for _ in range(3)]:
        await bench.take_in(order)
        with trips.counted() as sent:
            await bench.inventory.reserve_stock(ReserveStock(order_id=order.order_id))
    assert [line for line in sent if "catalogue" in line or "kit_part" in line] == []


async def test_what_the_shop_says_counts_from_the_next_order_on_in_a_worker_that_knew_it_before(
    bench: Bench,
) -> None:
    async def reserved(sku: str, units: int = 1) -> Reserved:
        return await bench.reserve(an_order((sku, units)))

    assert not (await reserved("SET")).fulfilments
    await define(bench, "SET", TEA=2)
    assert (await reserved("SET")).fulfilments
    assert await taken(bench) == (2, 0)
    await define(bench, "SET", CUP=3)
    await reserved("SET")
    assert await taken(bench) == (2, 3)
    async with bench.pool.acquire() as conn:
        await kits.remove(conn, "SET")
    assert not (await reserved("SET")).fulfilments
    assert (await reserved("TEA", 99)).backordered == {}
    await bench.backorderable("TEA")
    assert (await reserved("TEA", 99)).backordered == {"1": 99}
    lane = Lane(cost=Decimal("4.00"), currency="EUR", country="US")
    async with bench.pool.acquire() as conn:
        await locations.save(conn, [Location(location="main", lanes=(lane,))])
    assert not (await reserved("CUP")).fulfilments  # It ships nowhere else any more.


async def test_a_kit_that_is_defined_while_its_order_waits_for_stock_is_taken_as_it_is_then(
    bench: Bench,
) -> None:
    await define(bench, "SET", TEA=2)
    await bench.reserve(an_order(("SET", 1)))
    async with bench.pool.acquire() as conn, conn.transaction():
        await lock_stock(conn, ["TEA"])
        waiting = asyncio.create_task(bench.reserve(an_order(("SET", 1))))
        await until_one_waits(bench.pool)
        await define(bench, "SET", CUP=3)
    assert (await waiting).fulfilments
    assert await taken(bench) == (2, 3)


async def test_orders_and_kits_at_once_leave_every_kit_whole_and_the_last_one_as_it_was_said_last(
    bench: Bench,
) -> None:
    workers = [Inventory(bench.pool), Inventory(bench.pool)]
    ways = [{"TEA": 1}, {"CUP": 1}, {"TEA": 1, "CUP": 1}]
    await define(bench, "SET", **ways[-1])
    orders = [an_order(("SET", 1)) for _ in range(40)]
    await bench.on_record(*orders)

    async def say() -> None:
        for number in range(15):
            await define(bench, "SET", **ways[number % 3])

    async def order(number: int) -> Reserved:
        await asyncio.sleep(number / 400)
        return await workers[number % 2].reserve_stock(
            ReserveStock(order_id=orders[number].order_id)
        )

    answers, _ = await asyncio.gather(
        asyncio.gather(*(order(number) for number in range(40))), say()
    )
    assert all(answer.fulfilments for answer in answers)
    claimed = await bench.pool.fetch(
        "select array_agg(sku order by sku) as parts from reservation group by fulfilment_id"
    )
    assert len(claimed) == 40
    assert {tuple(row["parts"]) for row in claimed} <= {("TEA",), ("CUP",), ("CUP", "TEA")}
    before = await taken(bench)
    for worker in workers:
        (last,) = await bench.on_record(an_order(("SET", 1)))
        await worker.reserve_stock(ReserveStock(order_id=last.order_id))
    assert await taken(bench) == (before[0] + 2, before[1] + 2)
    assert [fault for fault in await faults_in(bench.pool) if fault.startswith("stock")] == []
