"""Long work goes on whatever dies, does each thing once, and tells nobody about persons."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.testing import ActivityEnvironment

from domain.jobs.jobs import Maker, WorkOnJob
from domain.jobs.options import ManyCancellations, NoOptions, Print, StockImport
from domain.views.order_filters import OrderFilters
from starter.jobs import host, working
from starter.jobs.working import JobActivities
from starter.service.customers import Customers
from store.database import Pool
from tests.support.api import sent
from tests.support.builders import QUICK, a_document, an_order
from tests.support.jobs import ended, jobs_at_work
from tests.support.planted import CUSTOMER, SAID, WORDS, found_in, left_of_it, planted
from tests.support.shop import Shop
from workflows import job as job_workflow

ANNA = Maker("anna")


async def imported(shop: Shop, orders: list[Any]) -> str:
    """Have orders imported as a job. Returns its id."""
    data = "\n".join(json.dumps(one) for one in orders).encode()
    made = await shop.jobs.make(shop.jobs.new_id(), "import_orders", NoOptions(), ANNA, data=data)
    return made.job_id


async def test_a_job_goes_on_when_who_works_on_it_stops(
    pool: Pool, temporal_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = Shop(pool, temporal_client, QUICK)
    await shop.stocked("TEA", 100)
    monkeypatch.setattr(working, "ITEMS_A_ROUND", 4)
    monkeypatch.setattr(host, "GRACE", timedelta(0))
    orders = [a_document(("TEA", 1)) for _ in range(60)]
    job_id = await imported(shop, orders)

    async def some_are_done() -> bool:
        return (await shop.jobs.get(job_id)).done >= 4

    async with shop.working(), jobs_at_work(shop):
        await shop.until(some_are_done, "some orders are placed")
    assert (await shop.jobs.get(job_id)).state == "running"
    async with shop.working(), jobs_at_work(shop):
        job = await ended(shop, job_id)
        assert (job["state"], job["done"], job["refused"]) == ("done", 60, 0)
        assert len(await shop.orders.list(at_most=100)) == 60
        assert (await shop.level("TEA")).allocated <= 60
    assert await pool.fetchval("select count(*) from customer_order") == 60


async def test_two_attempts_at_once_do_each_thing_once(shop: Shop) -> None:
    await shop.stocked("TEA", 100)
    orders = await imported(shop, [a_document(("TEA", 1)) for _ in range(20)])
    rows = "sku,location,quantity\n" + "TEA,main,1\nPOT,main,2\n" * 20
    stock = await shop.jobs.make(
        *(shop.jobs.new_id(), "import_stock", StockImport(), ANNA), data=rows.encode()
    )

    async def attempt(job_id: str) -> None:
        env = ActivityEnvironment()
        while (await env.run(JobActivities(shop).work_on_job, WorkOnJob(job_id=job_id))).more:
            pass

    await asyncio.gather(*(attempt(one) for one in (orders, stock.job_id) for _ in range(3)))
    for job_id, count in ((orders, 20), (stock.job_id, 40)):
        job = await shop.jobs.get(job_id)
        assert (job.state, job.done, job.refused) == ("done", count, 0)
    assert (await shop.level("POT")).on_hand == 40
    assert (await shop.level("TEA")).on_hand == 120
    assert len(await shop.orders.list(at_most=100)) == 20


async def test_a_long_job_continues_as_new(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working, "TURN_S", 0.0)
    monkeypatch.setattr(working, "ITEMS_A_ROUND", 1)
    monkeypatch.setattr(job_workflow, "TURNS_A_RUN", 3)
    await shop.stocked("TEA", 100)
    job_id = await imported(shop, [a_document(("TEA", 1)) for _ in range(8)])
    async with jobs_at_work(shop):
        assert (await ended(shop, job_id))["done"] == 8
        runs = [run async for run in shop.temporal.list_workflows(f"WorkflowId = 'job:{job_id}'")]
    statuses = [run.status for run in runs]
    assert WorkflowExecutionStatus.CONTINUED_AS_NEW in statuses


async def test_a_job_is_cancelled_in_the_middle(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(working, "ITEMS_A_ROUND", 2)
    await shop.stocked("TEA", 100)
    job_id = await imported(shop, [a_document(("TEA", 1)) for _ in range(80)])

    async def some_are_done() -> bool:
        return (await shop.jobs.get(job_id)).done >= 2

    async with jobs_at_work(shop):
        await shop.until(some_are_done, "some orders are placed")
        await shop.jobs.cancel(job_id)
        job = await ended(shop, job_id)
    assert job["state"] == "cancelled"
    assert job["skipped"] > 0
    assert job["done"] + job["skipped"] == 80
    assert len(await shop.orders.list(at_most=100)) == job["done"]


@pytest.fixture
async def named(shop: Shop, caplog: pytest.LogCaptureFixture) -> AsyncIterator[str]:
    """An order of a person whose names are looked for, imported, printed and exported."""
    caplog.set_level(logging.DEBUG)
    await shop.stocked("TEA", 10)
    order = an_order(("TEA", 1), **planted())
    async with jobs_at_work(shop):
        job_id = await imported(shop, [sent(order), {**sent(order), "currency": SAID[0]}])
        assert (await ended(shop, job_id))["done"] == 1
        await shop.task("pick", f"{order.order_id}:1")
        ids = (order.order_id,)
        for kind, options in (
            ("print_packing_slips", Print(order_ids=ids)),
            ("export_orders", OrderFilters()),
            ("cancel_orders", ManyCancellations(order_ids=ids, reason="closed")),
        ):
            made = await shop.jobs.make(
                *(shop.jobs.new_id(), kind, options, ANNA),  # type: ignore[arg-type]  # a kind
            )
            assert (await ended(shop, made.job_id))["done"] == 1
        yield order.order_id


async def test_nothing_of_a_person_is_in_the_history_of_a_job_or_in_a_log(
    shop: Shop, named: str, caplog: pytest.LogCaptureFixture
) -> None:
    for job in await shop.jobs.list():
        history = await shop.temporal.get_workflow_handle(f"job:{job.job_id}").fetch_history()
        assert found_in(b"".join(one.SerializeToString() for one in history.events)) == []
    # The jobs were done while the test was made ready.
    records = caplog.get_records("setup")
    assert any("jobs" in one.name or "worker" in one.name for one in records)
    assert found_in("\n".join(logging.Formatter().format(one) for one in records)) == []
    assert "job_item" not in await left_of_it(shop.pool, WORDS)


async def test_files_and_results_go_with_the_person(shop: Shop, named: str) -> None:
    await shop.result(named)
    assert await shop.pool.fetchval("select count(distinct job_id) from job_part") == 2
    await shop.pool.execute("update job_item set detail = $1 where reference = $2", SAID[1], named)
    await Customers(shop.pool).erase(CUSTOMER["id"], who="dpo", why="asked for by letter")
    assert await shop.pool.fetchval("select count(*) from job_part") == 0
    assert {"job", "job_item", "job_part"} & (await left_of_it(shop.pool)).keys() == set()
    (told,) = [job for job in await shop.jobs.list() if job.kind == "export_orders"]
    assert (told.state, told.result) == ("done", None)
