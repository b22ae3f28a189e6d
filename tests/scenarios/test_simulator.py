"""The simulated outside drives orders to their end, through interruptions, and tells one story."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from temporalio.client import Client

from domain.orders.order import Order
from domain.purchasing.purchase_orders import SupplierItem
from domain.stock.locations import Location
from domain.stock.stock_levels import StockLevels
from starter.service.audit import audit
from starter.simulation.outcomes import Fate
from starter.simulation.simulator import SimulateOptions, SimulationReport, simulate
from starter.simulation.supply import deliveries
from starter.stack.postgres import embedded_postgres
from store.database import Pool, open_pool
from store.migrate import migrate
from tests.support.builders import a_policy, an_order
from tests.support.servers import temporary_folder
from tests.support.shop import Shop

OPTIONS = SimulateOptions(
    speed=200_000, short_pick_rate=0.2, undeliverable_rate=0.2, late_scan_rate=0.5
)
ENDS = {"delivered": "delivered", "undeliverable": "return_to_sender", "lost": "failure"}


def a_shop(pool: Pool, temporal: Client) -> Shop:
    return Shop(pool, temporal, a_policy(give_up_after=60))


async def some_placed(shop: Shop, count: int) -> list[Order]:
    await shop.stocked("TEA", count * 3)
    orders = [an_order(("TEA", 3)) for _ in range(count)]
    await asyncio.gather(*(shop.placed(order) for order in orders))
    return orders


async def all_ended(shop: Shop, orders: Sequence[Order]) -> None:
    await asyncio.gather(*(shop.result(order.order_id) for order in orders))


async def as_fate_has_it(shop: Shop, orders: Sequence[Order]) -> None:
    """Every pick and every journey came out as it had to, and was told once."""
    fate = Fate(OPTIONS)
    for order in orders:
        story = await shop.orders.events(order.order_id)
        for event in story:
            part = event.data.get("fulfilment_id", "")
            if event.what in ("picked", "short pick"):
                assert event.data["picked"] == fate.found(part, {"1": 3})
            if event.what in ENDS:
                assert ENDS[event.what] in [scan.status for scan in fate.journey(part)]
        parts = [(event.what, str(event.data.get("fulfilment_id"))) for event in story]
        once = [told for told in parts if told[0] in ("picked", "packed", "shipped", "delivered")]
        assert len(once) == len(set(once))


async def test_a_task_that_is_refused_each_time_keeps_nobody_busy(
    pool: Pool, temporal_client: Client
) -> None:
    """The authorization ended, and is not renewed yet: the parcel stays, told as refused once."""
    shop = a_shop(pool, temporal_client)
    told: list[SimulationReport] = []
    options = SimulateOptions(speed=200_000, until_idle=True, short_pick_rate=0)
    await shop.stocked("TEA", 1)
    order = an_order(("TEA", 1))
    async with shop.working(stranded_after=timedelta(seconds=60)):  # nor begins it anew
        await shop.drive(await shop.placed(order), "labelled")
        # Its order has been told that, so nobody tells it again.
        await pool.execute("update shipment set unpaid_at = now()")
        await pool.execute(
            "update payment_authorization set expires_at = now() - interval '1 hour'"
        )
        running = simulate(shop, options, asyncio.Event(), told=told.append)
        report = await asyncio.wait_for(running, 60)
    assert (report.refused, report.handed_over) == (1, 0)
    assert len(told) == 1


async def test_it_ends_by_itself_when_there_is_nothing_left_to_do(
    pool: Pool, temporal_client: Client
) -> None:
    shop = a_shop(pool, temporal_client)
    told: list[SimulationReport] = []
    async with shop.working():
        orders = await some_placed(shop, 6)
        report = await asyncio.wait_for(
            simulate(
                shop,
                OPTIONS.model_copy(update={"until_idle": True}),
                asyncio.Event(),
                told=told.append,
            ),
            60,
        )
        await all_ended(shop, orders)
    assert report.picked >= 6
    assert report.refused == 0
    assert told[-1] == report
    await as_fate_has_it(shop, orders)


async def test_two_at_once_and_one_that_is_started_again_tell_the_same_story_once(
    pool: Pool, temporal_client: Client
) -> None:
    shop = a_shop(pool, temporal_client)
    stops = [asyncio.Event() for _ in range(3)]
    async with shop.working():
        orders = await some_placed(shop, 10)
        first, second = (asyncio.create_task(simulate(shop, OPTIONS, stop)) for stop in stops[:2])
        await asyncio.sleep(0.7)
        stops[0].set()
        await first
        third = asyncio.create_task(simulate(shop, OPTIONS, stops[2]))
        await all_ended(shop, orders)
        stops[1].set()
        stops[2].set()
        await asyncio.gather(second, third)
    await as_fate_has_it(shop, orders)
    report = await audit(pool, temporal_client, task_queue=shop.task_queue)
    assert report.clean, report.lines()


async def test_it_waits_for_what_is_held_back(pool: Pool, temporal_client: Client) -> None:
    shop = a_shop(pool, temporal_client)
    stop, held = asyncio.Event(), {"pack"}
    async with shop.working():
        (order,) = await some_placed(shop, 1)
        outside = asyncio.create_task(
            simulate(shop, OPTIONS, stop, holds=lambda step, _: step in held)
        )
        await shop.until(lambda: _told_of(shop, order, "picked", "short pick"), "the pick")
        await asyncio.sleep(1)
        assert "packed" not in await shop.story(order.order_id)
        held.clear()
        await all_ended(shop, [order])
        stop.set()
        await outside


async def test_it_goes_on_after_postgresql_was_restarted(temporal_client: Client) -> None:
    with temporary_folder() as folder:
        async with embedded_postgres(folder) as server:  # what it has committed must stay
            await migrate(url := await server.create_database(), sandbox=True)
            pool = await open_pool(url)
            try:
                shop = a_shop(pool, temporal_client)
                stop = asyncio.Event()
                async with shop.working():
                    orders = await some_placed(shop, 10)
                    outside = asyncio.create_task(simulate(shop, OPTIONS, stop))
                    for _ in range(2):
                        await asyncio.sleep(0.6)
                        await server.program.kill()
                        await asyncio.sleep(0.6)
                        assert not outside.done()
                        await server.start()
                    await all_ended(shop, orders)
                    stop.set()
                    await outside
                await as_fate_has_it(shop, orders)
                report = await audit(pool, temporal_client, task_queue=shop.task_queue)
                assert report.clean, report.lines()
            finally:
                pool.terminate()


async def _told_of(shop: Shop, order: Order, *what: str) -> bool:
    return any(told in what for told in await shop.story(order.order_id))


async def test_suppliers_are_played_too_and_what_they_bring_is_what_is_received(
    pool: Pool, temporal_client: Client
) -> None:
    shop = a_shop(pool, temporal_client)
    options = OPTIONS.model_copy(
        update={
            "refused_order_rate": 0.2,
            "short_supply_rate": 0.4,
            "slip_rate": 0.4,
            "part_delivery_rate": 0.5,
            "late_paper_rate": 0.4,
            "repeated_report_rate": 0.5,
            "until_idle": True,
            "idle_after": timedelta(seconds=1.5),
        }
    )
    terms = {"lead_time_days": 7, "unit_price": "1", "currency": "EUR", "minimum": 10}
    skus = [f"SKU-{number}" for number in range(10)]
    async with shop.working():
        await shop.locations.save([Location(location="main")])
        await shop.purchasing.set_terms(
            [
                SupplierItem.model_validate({"supplier": f"s-{sku}", "sku": sku, **terms})
                for sku in skus
            ]
        )
        await shop.stock.set_levels(
            [StockLevels(sku=sku, location="main", reorder_point=4, order_up_to=20) for sku in skus]
        )

        async def all_sent() -> bool:
            orders = await shop.purchasing.orders()
            return len(orders) == len(skus) and all(one.state == "sent" for one in orders)

        await shop.until(all_sent, "an order with every supplier")
        report = await asyncio.wait_for(simulate(shop, options, asyncio.Event()), 60)

        async def all_ended() -> bool:
            return not await shop.purchasing.orders(only_open=True)

        await shop.until(all_ended, "the end of every purchase order")
        orders = await shop.purchasing.orders()
        assert (
            sum(line.received for order in orders for line in order.lines) == report.units_received
        )
        for order in orders:
            for line in order.lines:
                sent = sum(
                    one.units.get(line.sku, 0)
                    for one in deliveries(order, options)
                    if one.what == "receive"
                )
                assert (line.received, line.outstanding) == (sent, 0)
        assert report.orders_refused > 0
        assert report.receipts >= len(skus)
        await shop.settled()
