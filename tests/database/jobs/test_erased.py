"""What jobs say of a person goes with that person, also while a job is at work."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from activities.orders.order_records import CloseOrder
from domain.errors import NotFound
from domain.fields import Document
from domain.jobs.jobs import FilePart, Kind, Maker, NewItem, ResultFile, Told
from domain.jobs.options import ManyCancellations
from domain.orders.order import Order
from domain.views.order_filters import OrderFilters
from starter.service.customers import Customers
from starter.service.job_work import JobWork, Standing
from starter.service.jobs import Jobs
from store.customers import people
from store.database import Pool
from tests.support.bench import Bench, until_one_waits
from tests.support.builders import an_order
from tests.support.planted import CUSTOMER, SAID, left_of_it, planted

ASKED: Any = {"documents_years": -1, "who": "dpo", "why": "asked for by letter"}
FILE = ResultFile(name="a.jsonl", media_type="application/jsonl", bytes=0)


async def over(pool: Pool) -> Order:
    """An order of the planted person that has ended."""
    bench = Bench(pool)
    await bench.stocked("TEA", 3)
    order = an_order(("TEA", 2), **planted())
    await bench.charged(await bench.at(order, "delivered"))
    await bench.records.close_order(
        CloseOrder(order_id=order.order_id, decision="closed", reason="all of it arrived")
    )
    return order


async def begun(pool: Pool, kind: Kind, options: Document) -> Standing:
    here = Jobs(pool)
    job = await here.make(here.new_id(), kind, options, Maker("anna"))
    await JobWork(pool).begin(job.job_id)
    return await JobWork(pool).begin(job.job_id)


async def part_of(pool: Pool, order: Order, *, is_last: bool = False) -> FilePart:
    """A part of an export that was read with what somebody typed of this order."""
    at = await pool.fetchval(
        "select received_at from customer_order where order_id = $1", order.order_id
    )
    reached = [at.isoformat(), order.order_id]
    return FilePart(SAID[0].encode(), 1, reached, is_last=is_last, first=at, last=at)


async def erase(pool: Pool) -> None:
    done = await Customers(pool).erase(CUSTOMER["id"], **ASKED)
    assert [one.outcome for one in done.orders] == ["erased"]


async def test_what_was_read_before_somebody_was_erased_is_read_anew(pool: Pool) -> None:
    order, work = await over(pool), JobWork(pool)
    job = await begun(pool, "export_orders", OrderFilters())
    stale = await part_of(pool, order, is_last=True)
    await erase(pool)
    assert await work.write(job, stale, FILE) is True
    assert await left_of_it(pool) == {}
    now = await work.begin(job.job_id)
    assert await work.write(now, FilePart(b"{}\n", 1, ["t"], is_last=True), FILE) is False
    assert (await Jobs(pool).get(job.job_id)).state == "done"


async def test_who_begins_to_read_waits_for_an_erasing_that_is_under_way(pool: Pool) -> None:
    """What it read before the erasing is committed would be written after it."""
    order, work = await over(pool), JobWork(pool)
    job = await begun(pool, "export_orders", OrderFilters())
    async with pool.acquire() as conn, conn.transaction():
        number = await conn.fetchval("select order_no_of($1)", order.order_id)
        assert await people.erase(conn, number, years=-1, who="dpo", why="")
        reading = asyncio.create_task(work.begin(job.job_id))
        await until_one_waits(pool)
    assert ((await reading).erased, job.erased) == (1, 0)


async def test_an_export_that_has_lost_a_part_of_its_file_fails_and_says_why(pool: Pool) -> None:
    order, work = await over(pool), JobWork(pool)
    job = await begun(pool, "export_orders", OrderFilters())
    assert await work.write(job, await part_of(pool, order), FILE) is True
    late = await work.begin(job.job_id)
    await erase(pool)
    assert await left_of_it(pool) == {}
    failed = await Jobs(pool).get(job.job_id)
    assert failed.state == "failed"
    assert failed.failure is not None
    assert "export once more" in failed.failure.detail
    assert await work.write(late, FilePart(b"the rest\n", 1, ["t"], is_last=True), FILE) is False
    with pytest.raises(NotFound):
        await Jobs(pool).result(job.job_id)


async def test_a_file_that_is_whole_goes_and_its_job_stays_done(pool: Pool) -> None:
    order, work = await over(pool), JobWork(pool)
    job = await begun(pool, "export_orders", OrderFilters(customer_id=CUSTOMER["id"]))
    await work.write(job, await part_of(pool, order, is_last=True), FILE)
    await erase(pool)
    assert await left_of_it(pool) == {}
    done = await Jobs(pool).get(job.job_id)
    assert (done.state, done.result) == ("done", None)
    assert done.options == {"customer_id": "[erased]"}


async def test_reasons_and_answers_of_a_bulk_request_go(pool: Pool) -> None:
    order, work = await over(pool), JobWork(pool)
    wanted = ManyCancellations(where=OrderFilters(customer_id=CUSTOMER["id"]), reason=SAID[1])
    job = await begun(pool, "cancel_orders", wanted)
    await work.found(job, 1, [NewItem({}, order.order_id)], ["t"], is_last=True)
    await work.claim(job.job_id, 1)
    await work.tell(job.job_id, [Told(1, "refused", code="refused", detail=SAID[2])])
    await work.finish(job.job_id)
    await erase(pool)
    assert await left_of_it(pool) == {}
    done = await Jobs(pool).get(job.job_id)
    assert done.options == {"where": {"customer_id": "[erased]"}, "reason": "[erased]"}
    (item,) = await Jobs(pool).items(job.job_id)
    assert (item.code, item.detail) == ("refused", "[erased]")
