"""What comes together is handed on together: the relay's statements do not grow with the number."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from temporalio.client import Client

from activities import wait_reports
from activities.fulfilment.labels import Labels
from activities.orders.starts import OrderStarts
from activities.purchasing.starts import PurchaseStarts
from activities.wait_reports import WaitReports
from domain.purchasing.purchase_orders import PurchasingPolicy, SupplierItem
from domain.stock.stock_levels import StockLevels
from runtime.order_starts import start_order
from store import clock, waits
from store.database import Pool
from store.purchasing import replenishment, suppliers
from store.stock import stock_levels
from tests.support.bench import Bench
from tests.support.builders import QUICK, an_order
from tests.support.round_trips import RoundTrips, counting_pool
from tests.support.shop import Shop

MANY = 24


@pytest.fixture
async def trips(database_url: str) -> AsyncIterator[RoundTrips]:
    async with counting_pool(database_url) as trips:
        async with trips.pool.acquire() as conn:  # which still has to learn the types of columns
            await waits.handed_over(conn, [])
        yield trips


async def all_wait(shop: Shop, step: str, number: int) -> None:
    """Wait until so many steps of this name have said that they wait."""

    async def find() -> bool:
        said = await shop.pool.fetchval(
            "select count(waits_since) from wait_report where activity_id like $1", f"{step}:%"
        )
        return bool(said == number)

    await shop.until(find, f"{number} steps {step} wait")


@pytest.mark.parametrize("number", [1, MANY])
async def test_reports_that_come_together_take_one_claim_and_one_outcome(
    pool: Pool, temporal_client: Client, trips: RoundTrips, number: int
) -> None:
    shop = Shop(pool, temporal_client, QUICK)
    await shop.stocked("CUP", number)
    labels = Labels(trips.pool, temporal_client, timedelta(minutes=1))
    reports = WaitReports(trips.pool, temporal_client)
    async with shop.working(relay=False):
        parts = await asyncio.gather(*(shop.placed(an_order(("CUP", 1))) for _ in range(number)))
        await all_wait(shop, "pick_pack_ship", number)
        for part in parts:
            await shop.warehouse.pick(part, who="picker")
            await shop.warehouse.pack(part, who="packer")
        with trips.counted() as sent:
            await labels.want()
        assert len(sent) == 1, sent
        for part in parts:
            await shop.task("handover", part)
        for part in parts:
            await shop.warehouse.hand_over(part, who="packer")
        with trips.counted() as sent:
            await reports.deliver()
        assert len(sent) == 2, sent
        await all_wait(shop, "await_delivery", number)
        for part in parts:
            await shop.scan(part, "delivered")
        with trips.counted() as sent:
            await reports.deliver()
        assert len(sent) == 2, sent
        await shop.settled()


async def test_more_than_a_batch_takes_two_statements_for_each_batch(
    pool: Pool, temporal_client: Client, trips: RoundTrips, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wait_reports, "BATCH", 10)
    bench = Bench(pool)
    await bench.stocked("TEA", MANY)
    for _ in range(MANY):
        part = await bench.at(an_order(("TEA", 1)), "confirmed")
        await bench.send(part)
        await bench.warehouse.pick(part, {"1": 0}, who="picker")
    with trips.counted() as sent:  # of workflows that Temporal does not know: asked all the same
        await WaitReports(trips.pool, temporal_client).deliver()
    assert len(sent) == 6, sent


@pytest.mark.parametrize("number", [2, MANY])
async def test_orders_that_are_started_together_take_as_many_statements_as_two(
    pool: Pool, temporal_client: Client, trips: RoundTrips, number: int
) -> None:
    """The first one goes alone: claim, outcome. Then all others, and a claim that finds none."""
    bench, shop = Bench(pool), Shop(pool, temporal_client, QUICK)
    for _ in range(number):
        await bench.take_in(an_order(("TEA", 1)))
    await pool.execute("update order_to_start set start_after = moment()")
    starts = OrderStarts(trips.pool, lambda x: start_order(temporal_client, shop.task_queue, x))
    with trips.counted() as sent:
        await starts.start()
    assert len(sent) == 5, sent
    assert await pool.fetchval("select min(start_after) > moment() from order_to_start")


@pytest.mark.parametrize("number", [1, MANY])
async def test_purchases_that_are_started_together_take_one_claim_and_one_outcome(
    pool: Pool, temporal_client: Client, trips: RoundTrips, number: int
) -> None:
    shop = Shop(pool, temporal_client, QUICK)
    skus = [f"SKU-{n}" for n in range(number)]
    async with pool.acquire() as conn:
        await suppliers.save(
            conn,
            [
                SupplierItem.model_validate(
                    {
                        "supplier": f"maker-of-{sku}",
                        "sku": sku,
                        "lead_time_days": 7,
                        "unit_price": "2.50",
                        "currency": "EUR",
                    }
                )
                for sku in skus
            ],
        )
    for sku in skus:
        await shop.stocked(sku, 1)
    async with pool.acquire() as conn:
        levels = [
            StockLevels(sku=sku, location="main", reorder_point=5, order_up_to=20) for sku in skus
        ]
        await stock_levels.set_levels(conn, levels)
        made, _ = await replenishment.run(conn, PurchasingPolicy(), today=clock.now().date())
    assert len(made) == number
    with trips.counted() as sent:
        await PurchaseStarts(trips.pool, temporal_client, shop.task_queue).start()
    # With a look for levels that were crossed, and one for what orders have bought.
    assert len(sent) == 4, sent
    assert await pool.fetchval("select count(*) from purchase_order where started_at is null") == 0
