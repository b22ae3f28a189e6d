"""Two attempts at one job, of which the first is thought to be dead: nothing is done twice."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from domain.errors import NotFound
from domain.jobs.jobs import FilePart, ItemFault, Kind, Maker, NewItem, ResultFile, Told
from domain.jobs.options import ManyCancellations, NoOptions
from starter.jobs.items import set_items
from starter.service.job_work import JobWork, Standing
from starter.service.jobs import Jobs
from starter.service.service import Records, Service
from store.database import Pool

FILE = ResultFile(name="a.jsonl", media_type="application/jsonl", bytes=0)


async def begun(pool: Pool, kind: Kind, data: bytes = b"") -> Standing:
    here = Jobs(pool)
    job = await here.make(here.new_id(), kind, NoOptions(), Maker("anna"), data=data)
    await JobWork(pool).begin(job.job_id)
    return await JobWork(pool).begin(job.job_id)


def named(*references: str) -> list[NewItem]:
    return [NewItem({}, one) for one in references]


async def test_a_page_of_orders_that_both_have_found_is_written_once(pool: Pool) -> None:
    work = JobWork(pool)
    first = second = await begun(pool, "cancel_orders")
    assert await work.found(first, 1, named("web-1", "web-2"), ["t", "web-2"], is_last=False)
    # The second has asked where the items end after the first one wrote, and where to read before.
    number = await work.latest(second.job_id)
    page = named("web-1", "web-2")
    assert not await work.found(second, number + 1, page, ["t", "web-2"], is_last=False)
    now = await work.begin(second.job_id)
    assert not await work.found(now, number + 1, named("web-3"), ["t", "web-3"], is_last=True)
    items = await Jobs(pool).items(first.job_id)
    assert [one.reference for one in items] == ["web-1", "web-2", "web-3"]


async def test_a_row_that_another_attempt_has_set_is_not_set_again(pool: Pool) -> None:
    here = cast("Service", Records(pool))
    job = await begun(pool, "import_items", b"sku,name\n")
    rows = [
        NewItem({"sku": "TEA", "name": name}, "TEA", line) for line, name in ((2, "a"), (3, "b"))
    ]
    await here.job_work.found(job, 1, rows, None, is_last=True)
    first, second = await here.job_work.claim(job.job_id, 2) or ()
    await set_items(here, job, [first])
    await set_items(here, job, [second])
    # A stalled attempt at the first row goes on now.
    await set_items(here, job, [first])
    (item,) = await here.catalogue.items()
    assert item.name == "b"
    now = await here.jobs.get(job.job_id)
    assert (now.done, now.total) == (2, 2)


async def test_an_attempt_that_found_the_file_gone_fails_nothing(pool: Pool) -> None:
    work = JobWork(pool)
    late = await begun(pool, "import_items", b"sku,name\nTEA,Tea\n")
    await work.found(late, 1, [NewItem({"sku": "TEA"}, "TEA", 2)], None, is_last=True)
    assert await work.file(late.job_id) == b""
    assert await work.fail(late, ItemFault(detail="is empty"), "invalid_input") is True
    assert (await Jobs(pool).get(late.job_id)).state == "running"
    now = await work.begin(late.job_id)
    assert await work.fail(now, ItemFault(detail="it is so"), "refused") is False
    assert (await Jobs(pool).get(late.job_id)).state == "failed"


async def test_a_file_that_one_attempt_has_written_is_kept_by_the_other(pool: Pool) -> None:
    work = JobWork(pool)
    job = await begun(pool, "print_pick_list")
    part = FilePart(b"%PDF", rows=0, reached="all", is_last=True)
    assert await work.write(job, part, FILE) is False
    # The other found nothing to print, because all of it was picked meanwhile.
    await work.finish(job.job_id)
    _, parts = await Jobs(pool).result(job.job_id)
    assert [one async for one in parts] == [b"%PDF"]


async def test_a_file_that_goes_while_it_is_read_is_not_taken_for_whole(pool: Pool) -> None:
    work = JobWork(pool)
    job = await begun(pool, "export_stock")
    part = FilePart(b"a" * 600_000, rows=1, reached="all", is_last=True)
    await work.write(job, part, FILE)
    _, parts = await Jobs(pool).result(job.job_id)
    read = await anext(parts)
    await pool.execute("delete from job_part")
    with pytest.raises(NotFound, match="not whole"):
        read += b"".join([one async for one in parts])
    assert len(read) < 600_000


async def test_an_outcome_is_counted_for_the_attempt_that_told_it(pool: Pool) -> None:
    work, here = JobWork(pool), Jobs(pool)
    wanted = ManyCancellations(order_ids=("web-1", "web-2"), reason="closed")
    made = await here.make(here.new_id(), "cancel_orders", wanted, Maker("anna"))
    await work.begin(made.job_id)
    told: list[Any] = [Told(1, "done"), Told(2, "done")]
    counted = await asyncio.gather(*(work.tell(made.job_id, told) for _ in range(3)))
    assert sorted(counted) == [0, 0, 2]
