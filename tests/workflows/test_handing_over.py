"""Reports reach the steps that wait for them, and no call to Temporal is made in vain."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from random import Random

import pytest
from temporalio.api.enums.v1 import PendingActivityState
from temporalio.client import Client

from activities import wait_reports
from domain import ids
from domain.orders.messages import CancelRequest
from store.database import Pool
from tests.support.builders import QUICK, an_order
from tests.support.runs import restless, runs_of
from tests.support.shop import Shop, Stage

CROWD = 24


def in_vain(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the relay said of calls that nobody had waited for."""
    return [one.getMessage() for one in caplog.records if one.name == wait_reports.__name__]


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
    assert in_vain(caplog) == []
    async with shop.pool.acquire() as conn:
        assert await conn.fetchval("select count(*) from wait_report") == 0


async def test_no_report_of_a_recall_is_handed_over_in_vain(
    pool: Pool, temporal_client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    """Orders that are cancelled while they wait for the picker, the packer, or the hand-over."""
    shop = Shop(pool, temporal_client, QUICK)
    caplog.set_level(logging.INFO, wait_reports.__name__)
    await shop.stocked("CUP", CROWD)
    stages: tuple[Stage, ...] = ("confirmed", "picked", "labelled")

    async def live(stage: Stage) -> None:
        order = an_order(("CUP", 1))
        await shop.drive(await shop.placed(order), stage)
        answer = await shop.aftersales.cancel(order.order_id, CancelRequest(reason="never mind"))
        assert answer.outcome == "cancelled"

    async with shop.working(stranded_after=timedelta(seconds=60)):
        await asyncio.gather(*(live(stages[n % len(stages)]) for n in range(CROWD)))
        await shop.settled()
    assert in_vain(caplog) == []


async def test_no_report_is_handed_over_in_vain_where_the_order_has_continued_as_new(
    pool: Pool, temporal_client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    shop = Shop(pool, restless(temporal_client), QUICK)
    caplog.set_level(logging.INFO, wait_reports.__name__)
    await shop.stocked("CUP", CROWD)

    async def goes_on(order_id: str, step: str) -> None:
        """Have the order continue as new, until the step waits in the new run."""
        runs = len(await runs_of(shop, order_id))
        await shop.workflow(order_id).signal("nudge")

        async def waits() -> bool:
            if len(await runs_of(shop, order_id)) == runs:
                return False
            found = (await shop.workflow(order_id).describe()).raw_description
            began = PendingActivityState.PENDING_ACTIVITY_STATE_STARTED
            # Beside the wait, a new run may still ask whether the parcel was charged.
            pending = [(each.activity_type.name, each.state) for each in found.pending_activities]
            return pending == [(step, began)]

        await shop.until(waits, f"{step} of {order_id} waits in a new run")

    async def live() -> None:
        order = an_order(("CUP", 1))
        part = await shop.placed(order)
        await goes_on(order.order_id, "pick_pack_ship")
        await shop.drive(part, "labelled")
        await goes_on(order.order_id, "pick_pack_ship")
        await shop.warehouse.hand_over(part, who="packer")
        await shop.told(order.order_id, "charged")
        await goes_on(order.order_id, "await_delivery")
        await shop.scan(part, "delivered")

    async with shop.working(stranded_after=timedelta(seconds=60)):
        await asyncio.gather(*(live() for _ in range(4)))
        await shop.settled()
    assert in_vain(caplog) == []


async def test_a_call_in_vain_is_noticed(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, wait_reports.__name__)
    await shop.stocked("CUP", 1)
    order = an_order(("CUP", 1))
    part = await shop.placed(order)
    nobody = ids.wait_id("await_delivery", part)

    async def noticed() -> bool:
        return f"nobody waits for {nobody}: try 1" in caplog.messages

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
