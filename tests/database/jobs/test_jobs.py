"""The rows of long work: who sees them, who works on them, and when they go."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from activities.jobs import retention
from activities.jobs.retention import OldJobs
from activities.jobs.starts import LEASE
from domain.errors import IllegalTransition, NotFound, Refused
from domain.jobs.jobs import FilePart, ItemFault, Job, Kind, Maker, NewItem, ResultFile, Told
from domain.jobs.options import ManyCancellations, NoOptions
from starter.service.job_work import JobWork
from starter.service.jobs import Jobs
from store.database import Pool
from store.jobs import jobs as rows
from store.jobs import work as work_rows

ANNA = Maker("anna")
FILE = ResultFile(name="a.csv", media_type="text/csv", bytes=0)


async def make(
    pool: Pool,
    *,
    kind: Kind = "cancel_orders",
    items: int | None = 5,
    maker: Maker = ANNA,
    data: bytes = b"",
) -> Job:
    here = Jobs(pool)
    named = tuple(f"web-{n}" for n in range(1, (items or 0) + 1))
    options = ManyCancellations(order_ids=named, reason="x") if named else NoOptions()
    return await here.make(here.new_id(), kind, options, maker, data=data)


def numbers(items: Any) -> list[int]:
    return [one.number for one in items]


async def outcomes(pool: Pool, job: Job) -> list[str]:
    return [one.outcome for one in await Jobs(pool).items(job.job_id)]


async def counts(pool: Pool, job: Job) -> tuple[str, int, int, int]:
    now = await Jobs(pool).get(job.job_id)
    return now.state, now.done, now.refused, now.skipped


async def test_jobs_are_listed_newest_first_within_what_somebody_sees(pool: Pool) -> None:
    here = Jobs(pool)
    whole = await make(pool)
    web = await make(pool, maker=Maker("a", channels=("web",)))
    both = await make(pool, maker=Maker("a", channels=("web", "b2b")))
    of_seller = await make(pool, kind="export_orders", maker=Maker("a", sellers=("main",)))
    at_shop = await make(pool, maker=Maker("a", locations=("shop",)))
    everything = [at_shop, of_seller, both, web, whole]
    assert await here.list() == everything
    first = await here.list(at_most=2)
    rest = await here.list(after=(first[1].made_at, first[1].job_id))
    assert [*first, *rest] == everything
    assert await here.list(channels=["web"]) == [web]
    assert await here.list(channels=["b2b", "web", "pos"]) == [both, web]
    assert await here.list(sellers=["main"]) == [of_seller]
    assert await here.list(locations=["shop", "main"]) == [at_shop]
    assert await here.list(locations=["main"]) == []
    assert await here.list(kinds=["export_orders"]) == [of_seller]
    assert await here.list(state="running") == []
    with pytest.raises(NotFound):
        await here.get("job_none")


async def test_a_key_has_so_many_open_jobs_at_most(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "OPEN_MAX", 2)
    mine = Maker("my shop", "abcdefghij12")
    first = await make(pool, maker=mine)
    await make(pool, maker=mine)
    with pytest.raises(Refused, match="2 jobs"):
        await make(pool, maker=mine)
    await make(pool, maker=Maker("other", "abcdefghij34"))
    await make(pool)
    await JobWork(pool).finish(first.job_id)
    await make(pool, maker=mine)


async def test_an_item_is_claimed_once_and_again_by_an_attempt_that_comes_after(
    pool: Pool,
) -> None:
    job, work = await make(pool), JobWork(pool)
    await work.begin(job.job_id)
    assert numbers(await work.claim(job.job_id, 2)) == [1, 2]
    await work.tell(job.job_id, [Told(1, "done", answer="cancelled")])
    # What has begun and was not told may have been done: it comes first.
    assert numbers(await work.claim(job.job_id, 1)) == [2, 3]
    assert (await counts(pool, job)) == ("running", 1, 0, 0)


async def test_items_of_a_large_job_are_claimed_and_told_without_reading_the_others(
    pool: Pool,
) -> None:
    job = await make(pool)
    read = "select seq_tup_read + idx_tup_fetch from pg_stat_xact_user_tables where relname = $1"
    async with pool.acquire() as conn:
        await conn.execute(
            "insert into job_item (job_id, number, content) "
            "select $1, number, '{}' from generate_series(6, 20000) number",
            job.job_id,
        )
        await conn.execute("update job set total = 20000")
        await conn.execute("analyze job_item")
    async with pool.acquire() as conn, conn.transaction():
        before = await conn.fetchval(read, "job_item")
        claimed = await work_rows.claim(conn, job.job_id, 16)
        await work_rows.tell(conn, job.job_id, [Told(one.number, "done") for one in claimed])
        assert len(claimed) == 16
        assert await conn.fetchval(read, "job_item") - before < 100


async def test_two_attempts_at_once_tell_each_item_once(pool: Pool) -> None:
    job, work = await make(pool, items=40), JobWork(pool)
    await work.begin(job.job_id)
    claimed = await asyncio.gather(*(work.claim(job.job_id, 10) for _ in range(4)))
    assert sorted({n for some in claimed for n in numbers(some)}) == [*range(1, 41)]
    told = [Told(n, "done") for n in range(1, 41)]
    refused = [Told(n, "refused", code="refused") for n in range(40, 0, -1)]
    await asyncio.gather(
        *(work.tell(job.job_id, some) for some in (told, refused, told[:20], refused[20:]))
    )
    state, done, not_done, skipped = await counts(pool, job)
    assert (state, done + not_done, skipped) == ("running", 40, 0)
    found = await outcomes(pool, job)
    assert (found.count("done"), found.count("refused")) == (done, not_done)
    assert await work.claim(job.job_id, 10) == []
    await work.finish(job.job_id)
    assert await work.claim(job.job_id, 10) is None


async def test_what_has_begun_is_finished_and_the_rest_is_skipped_when_it_is_cancelled(
    pool: Pool,
) -> None:
    job, work, here = await make(pool), JobWork(pool), Jobs(pool)
    await work.begin(job.job_id)
    await work.claim(job.job_id, 2)
    asked = await here.cancel(job.job_id)
    assert (asked.state, asked.cancel_asked) == ("running", True)
    # Another attempt is told what the first one has begun, and nothing new.
    assert numbers(await work.claim(job.job_id, 10) or ()) == [1, 2]
    await work.tell(job.job_id, [Told(1, "done"), Told(2, "refused", code="conflict")])
    assert await work.claim(job.job_id, 10) is None
    assert await outcomes(pool, job) == ["done", "refused", "skipped", "skipped", "skipped"]
    assert await counts(pool, job) == ("cancelled", 1, 1, 3)
    assert (await here.cancel(job.job_id)).state == "cancelled"


async def test_who_cancels_and_who_finishes_at_once_agree(pool: Pool) -> None:
    for _ in range(10):
        job, work, here = await make(pool, items=1), JobWork(pool), Jobs(pool)
        await work.begin(job.job_id)
        await work.claim(job.job_id, 1)

        async def finish(job_id: str = job.job_id, work: JobWork = work) -> None:
            await work.tell(job_id, [Told(1, "done")])
            if await work.claim(job_id, 1) == []:
                await work.finish(job_id)

        async def cancel(job_id: str = job.job_id, here: Jobs = here) -> bool:
            try:
                await here.cancel(job_id)
            except IllegalTransition:
                return False
            return True

        _, cancelled = await asyncio.gather(finish(), cancel())
        await work.claim(job.job_id, 1)
        state, done, _, _ = await counts(pool, job)
        assert done == 1
        assert state in (("cancelled", "done") if cancelled else ("done",))


async def test_a_file_is_kept_until_its_items_have_rows(pool: Pool) -> None:
    data = bytes(range(256)) * 3000
    job, work = await make(pool, kind="import_items", items=None, data=data), JobWork(pool)
    assert job.result is None
    standing = await work.begin(job.job_id)
    assert await work.file(job.job_id) == data
    wrong = NewItem(None, line=3, faults=(ItemFault(line=3, field="sku", detail="is missing"),))
    some = [NewItem({"sku": "TEA"}, "TEA", 2), wrong]
    # Two attempts read the same file.
    await asyncio.gather(*(work.found(standing, 1, some, None, is_last=False) for _ in range(2)))
    assert await work.latest(job.job_id) == 2
    assert not await work.found(standing, 3, [], None, is_last=True)
    assert await work.file(job.job_id) == b""
    (one, other) = await Jobs(pool).items(job.job_id)
    assert (one.outcome, other.outcome, other.code) == ("waiting", "refused", "invalid_input")
    assert (other.detail, other.faults) == ("sku: is missing", wrong.faults)
    now = await Jobs(pool).get(job.job_id)
    assert (now.total, now.refused) == (2, 1)


async def test_a_part_of_a_file_is_written_by_one_attempt_alone(pool: Pool) -> None:
    job, work = await make(pool, kind="export_stock", items=None), JobWork(pool)
    standing = await work.begin(job.job_id)
    part = FilePart(b"a\n" * 200_000, rows=3, reached=["a", "b"], is_last=False)
    assert await asyncio.gather(*(work.write(standing, part, FILE) for _ in range(3))) == [True] * 3
    later = await work.begin(job.job_id)
    assert later.reached == ["a", "b"]
    last = FilePart(b"end\n", rows=1, reached=["c", "d"], is_last=True)
    assert await work.write(later, last, FILE) is False
    assert await work.write(later, last, FILE) is False
    done, parts = await Jobs(pool).result(job.job_id)
    assert b"".join([part async for part in parts]) == b"a\n" * 200_000 + b"end\n"
    assert (done.state, done.done, done.total) == ("done", 4, 4)
    assert done.result == ResultFile(name="a.csv", media_type="text/csv", bytes=400_004)


async def test_a_file_that_is_not_whole_is_none(pool: Pool) -> None:
    job, work = await make(pool, kind="export_stock", items=None), JobWork(pool)
    standing = await work.begin(job.job_id)
    part = FilePart(b"a\n", rows=1, reached=["a", "b"], is_last=False)
    await work.write(standing, part, FILE)
    with pytest.raises(NotFound, match="has not ended"):
        await Jobs(pool).result(job.job_id)
    await Jobs(pool).cancel(job.job_id)
    assert await work.write(await work.begin(job.job_id), part, FILE) is False
    with pytest.raises(NotFound, match="gone"):
        await Jobs(pool).result(job.job_id)
    assert await pool.fetchval("select count(*) from job_part") == 0


async def test_a_job_that_failed_keeps_what_was_done_and_skips_the_rest(pool: Pool) -> None:
    job, work = await make(pool), JobWork(pool)
    await work.begin(job.job_id)
    await work.claim(job.job_id, 3)
    await work.tell(job.job_id, [Told(1, "done")])
    fault = ItemFault(detail="line 7 cannot be read")
    assert await work.fail(await work.begin(job.job_id), fault, "refused") is False
    assert await counts(pool, job) == ("failed", 1, 0, 4)
    # What another attempt tells of it comes too late.
    await work.tell(job.job_id, [Told(2, "done")])
    await work.finish(job.job_id)
    assert await counts(pool, job) == ("failed", 1, 0, 4)
    now = await Jobs(pool).get(job.job_id)
    assert now.failure == fault


async def test_a_job_is_called_for_by_one_and_again_after_a_while(pool: Pool) -> None:
    jobs = [await make(pool) for _ in range(3)]
    async with pool.acquire() as one, pool.acquire() as other:
        first, second = await asyncio.gather(
            rows.to_call(one, LEASE, 2), rows.to_call(other, LEASE, 2)
        )
        called = [*first, *second, *await rows.to_call(one, LEASE, 9)]
        assert sorted(called) == sorted((job.job_id, job.kind) for job in jobs)
        assert await rows.to_call(one, LEASE, 9) == []
        await rows.not_called(one, [jobs[0].job_id])
        assert await rows.to_call(one, timedelta(0), 9) == [(jobs[0].job_id, "cancel_orders")]
        await JobWork(pool).finish(jobs[0].job_id)
        assert await rows.to_call(one, LEASE, 9) == []


async def test_an_old_job_goes_with_all_of_its_rows(pool: Pool) -> None:
    work = JobWork(pool)
    old, young, running = [await make(pool) for _ in range(3)]
    for job in (old, young):
        await work.finish(job.job_id)
    await pool.execute("update job set made_at = made_at - interval '31 days'")
    await pool.execute(
        "update job set ended_at = ended_at - interval '31 days' where job_id = $1", old.job_id
    )
    await OldJobs(pool).forget()
    assert {job.job_id for job in await Jobs(pool).list()} == {young.job_id, running.job_id}
    assert await pool.fetchval("select count(distinct job_id) from job_item") == 2


async def test_items_of_old_jobs_go_some_at_a_time(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "ITEMS_TOGETHER", 2)
    monkeypatch.setattr(retention, "JOBS_TOGETHER", 2)
    for items in (5, 1, 3):
        await JobWork(pool).finish((await make(pool, items=items)).job_id)
    await pool.execute("update job set ended_at = ended_at - interval '31 days'")
    async with pool.acquire() as conn:
        assert await rows.forget_items(conn, timedelta(days=30), 2) == 2
    await OldJobs(pool).forget()
    assert await Jobs(pool).list() == []
