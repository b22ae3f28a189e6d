"""Reports reach the steps that wait for them, and no call to Temporal is made in vain."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from random import Random

import pytest
from temporalio.client import Client

from activities import wait_reports
from domain import ids
from store.database import Pool
from tests.support.builders import QUICK, an_order
from tests.support.shop import Shop

CROWD = 24


async def test_in_a_crowd_every_report_is_handed_over_once_and_none_in_vain(
    pool: Pool, temporal_client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    """Reports come as soon as they can: many before the step begins to which they are told."""
    shop = Shop(pool, temporal_client, QUICK)
    caplog.set_level(logging.INFO, wait_reports.__name__)
    await shop.stocked("CUP", CROWD)
    random = Random(13)

    async def live() -> None:
        order = an_order(("CUP", 1))
        part = await shop.placed(order)
        await shop.warehouse.pick(part, who="picker")
        await asyncio.sleep(random.random() / 4)
        await shop.warehouse.pack(part, who="packer")
        await shop.task("handover", part)
        await shop.warehouse.hand_over(part, who="packer")
        for status in ("in_transit", "delivered"):
            await shop.scan(part, status)
        await shop.result(order.order_id)

    # On a busy machine a label may take longer than other tests give an attempt to buy it.
    async with shop.working(stranded_after=timedelta(seconds=60)):
        await asyncio.gather(*(live() for _ in range(CROWD)))
        await shop.settled()
    told = [one for one in caplog.records if one.name == wait_reports.__name__]
    assert [one.getMessage() for one in told] == []
    async with shop.pool.acquire() as conn:
        assert await conn.fetchval("select count(*) from wait_report") == 0


async def test_a_call_in_vain_is_noticed(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, wait_reports.__name__)
    await shop.stocked("CUP", 1)
    order = an_order(("CUP", 1))
    part = await shop.placed(order)
    nobody = ids.wait_id("await_delivery", part)

    async def noticed() -> bool:
        return f"nobody waits for {nobody}" in caplog.messages

    async with shop.pool.acquire() as conn:
        await conn.execute(
            """
            insert into wait_report (activity_id, order_no, waits_since, outcome, reported_at)
            values ($1, order_no_of($2), now(), '{}', now())
            """,
            nobody,
            order.order_id,
        )
    await shop.until(noticed, "the relay finds nobody")
