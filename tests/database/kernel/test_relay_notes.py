"""What the relay notes for itself does not wait for the disk: where it is lost, it is repeated."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import TypeVar

from domain.purchasing.purchase_orders import PurchasingPolicy, SupplierItem
from domain.stock.stock_levels import StockLevels
from store import clock, waits
from store.database import Connection, Pool
from store.fulfilment import fulfilments
from store.orders import intake
from store.purchasing import purchase_reads, replenishment, suppliers
from store.stock import stock_levels
from tests.support.bench import Bench
from tests.support.builders import an_order

T = TypeVar("T")

TEA = {
    "supplier": "assam",
    "sku": "TEA",
    "lead_time_days": 7,
    "unit_price": "2.50",
    "currency": "EUR",
}


async def done(conn: Connection, act: Callable[[], Awaitable[T]]) -> tuple[T, str]:
    """Do it in a transaction: its answer, and whether its commit waits for the disk."""
    async with conn.transaction():
        return await act(), await conn.fetchval("show synchronous_commit")


async def test_claims_and_their_outcomes_do_not_wait_for_the_disk(pool: Pool) -> None:
    bench = Bench(pool)
    await bench.stocked("TEA", 3)
    await bench.take_in(an_order(("TEA", 1)))
    part = await bench.at(an_order(("TEA", 2)), "picked")
    await bench.send(part)
    await bench.warehouse.pack(part, who="packer")
    async with pool.acquire() as conn:
        await suppliers.save(conn, [SupplierItem.model_validate(TEA)])
        level = StockLevels(sku="TEA", location="main", reorder_point=5, order_up_to=20)
        await stock_levels.set_levels(conn, [level])
        await replenishment.run(conn, PurchasingPolicy(), today=clock.now().date())
        await conn.execute("update order_to_start set start_after = moment()")
        await conn.execute("set synchronous_commit = on")  # the tests' server does without

        to_label = partial(fulfilments.to_label, conn, timedelta(minutes=1), 10)
        parcels, commit = await done(conn, to_label)
        assert ([row["fulfilment_id"] for row in parcels], commit) == ([part], "off")
        assert await done(conn, partial(fulfilments.not_woken, conn, [part])) == (None, "off")

        starts, commit = await done(conn, partial(intake.claim_to_start, conn, 10))
        assert (len(starts), commit) == (1, "off")
        (order_id,) = (start.order_id for start in starts)
        assert await done(conn, partial(intake.started, conn, [order_id])) == (None, "off")
        assert await done(conn, partial(intake.leave, conn, [order_id])) == (None, "off")

        purchases, commit = await done(conn, partial(purchase_reads.claim_to_start, conn, 10))
        assert (len(purchases), commit) == (1, "off")
        begun = partial(purchase_reads.started, conn, [purchases[0].po_id])
        assert await done(conn, begun) == (None, "off")

        fact = partial(waits.report, conn, order_id, "a step", {})
        assert await done(conn, fact) == (None, "on")
