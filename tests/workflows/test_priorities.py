"""Whose work is taken first where work waits for workers: express, then usual, then bulk."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from temporalio.client import Client

from domain.orders.order import Order
from store.database import Pool
from tests.support.builders import QUICK, an_order, shipping
from tests.support.shop import Shop

IN_BULK = 40


async def test_an_express_order_overtakes_an_import_and_a_single_order_too(
    pool: Pool, temporal_client: Client
) -> None:
    shop = Shop(pool, temporal_client, QUICK)
    await shop.stocked("TEA", 100)

    async def accept(order: Order, *, bulk: bool = False) -> None:
        soon = timedelta(milliseconds=100)
        placement = await shop.orders.place(order, answer_within=soon, bulk=bulk)
        assert placement.outcome == "in_progress"  # nobody works yet

    imported = [an_order(("TEA", 1)) for _ in range(IN_BULK)]
    single = an_order(("TEA", 1))
    express = an_order(("TEA", 1), shipping=shipping("9.00", service="express"))
    await asyncio.gather(*(accept(order, bulk=True) for order in imported))
    await accept(single)
    await accept(express)
    async with shop.working(max_concurrent_workflow_tasks=2):
        for order in (*imported, single, express):
            await shop.placed(order)
    async with pool.acquire() as conn:
        rows = await conn.fetch(
            "select order_id from order_event join customer_order using (order_no) "
            "where effect = 'reserve_stock' order by event_id"
        )
    taken = [row["order_id"] for row in rows]
    # A worker asks for more than one task at a time: who asks first may get some of the bulk.
    assert taken.index(express.order_id) < IN_BULK / 2
    assert taken.index(single.order_id) < IN_BULK / 2
