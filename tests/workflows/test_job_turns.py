"""Turns of work on a job: what a server that is away costs, and what a poisoned item."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from temporalio.api.failure.v1 import Failure
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import ActivityEnvironment

from domain.errors import Unreachable
from domain.jobs.jobs import Job, Kind, Maker, WorkOnJob
from domain.jobs.options import NoOptions
from domain.orders.policy import Policy
from starter.jobs import working
from starter.jobs.working import JobActivities
from starter.service.service import Service
from store.client_pool import open_client_pool
from store.database import Pool
from tests.support.builders import a_document
from tests.support.planted import found_in, planted
from tests.support.shop import Shop

LONG_OUTAGE = 500
"""The attempt at a turn that comes after an hour without a server."""


@pytest.fixture
async def served(database_url: str) -> AsyncIterator[Pool]:
    """Connections as `orderloom serve` has them: each fault of the database is Unreachable."""
    async with await open_client_pool(database_url) as pool:
        yield pool


@pytest.fixture
def here(shop: Shop, served: Pool) -> Service:
    return Service(served, shop.temporal, task_queue=shop.task_queue, policy=Policy())


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working, "AGAIN_AFTER_S", 0.01)


async def make(here: Service, kind: Kind, data: str) -> Job:
    maker = Maker("anna")
    return await here.jobs.make(here.jobs.new_id(), kind, NoOptions(), maker, data=data.encode())


async def turn(here: Service, job: Job, *, attempt: int = 1) -> bool:
    environment = ActivityEnvironment()
    environment.info = replace(environment.info, attempt=attempt)
    ask = WorkOnJob(job_id=job.job_id)
    worked = await environment.run(JobActivities(here).work_on_job, ask)
    return worked.more


async def test_a_hiccup_after_a_long_outage_refuses_nothing(shop: Shop, here: Service) -> None:
    """The first statement of the first item breaks its connection, as a restarted server does."""
    await shop.pool.execute(
        """
        create sequence hiccups;
        create function hiccup() returns trigger language plpgsql as $$
        begin
            if nextval('hiccups') = 1 then
                perform pg_terminate_backend(pg_backend_pid());
            end if;
            return new;
        end $$;
        create trigger hiccup before insert on item for each row execute function hiccup();
        """
    )
    job = await make(here, "import_items", "sku,name\nTEA,Tea\nPOT,Pot\n")
    assert not await turn(here, job, attempt=LONG_OUTAGE)
    now = await here.jobs.get(job.job_id)
    assert (now.state, now.done, now.refused) == ("done", 2, 0)


async def test_an_item_that_never_works_is_refused_and_stops_no_other(
    shop: Shop, here: Service
) -> None:
    await shop.pool.execute("alter table item add constraint no_pots check (sku <> 'POT')")
    job = await make(here, "import_items", "sku,name\nTEA,Tea\nPOT,Pot\nCUP,Cup\n")
    assert not await turn(here, job)
    now = await here.jobs.get(job.job_id)
    assert (now.state, now.done, now.refused) == ("done", 2, 1)


async def test_an_item_that_hangs_is_refused_and_stops_no_other(
    shop: Shop, here: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(working, "ITEM_SECONDS_MAX", 0.5)
    async with shop.pool.acquire() as conn, conn.transaction():
        await conn.execute("lock table item in exclusive mode")
        job = await make(here, "import_items", "sku,name\nTEA,Tea\n")
        assert not await turn(here, job)
    now = await here.jobs.get(job.job_id)
    assert (now.state, now.refused) == ("done", 1)


async def test_a_job_that_cannot_go_on_ends_and_says_so(shop: Shop, here: Service) -> None:
    await shop.pool.execute("alter table job_item add constraint none_at_all check (number < 2)")
    job = await make(here, "import_items", "sku,name\nTEA,Tea\nPOT,Pot\n")
    assert not await turn(here, job)
    now = await here.jobs.get(job.job_id)
    assert now.state == "failed"
    assert now.failure is not None
    assert "fault of Orderloom" in now.failure.detail


async def test_neither_temporal_nor_a_log_is_told_what_a_row_says(
    shop: Shop, here: Service, served: Pool, caplog: pytest.LogCaptureFixture
) -> None:
    """A fault of the database quotes the row, and the library tells Temporal how a turn failed."""
    await shop.pool.execute("alter table job_item add constraint none_at_all check (number < 0)")
    document = a_document(("TEA", 1), **planted())
    job = await make(here, "import_orders", json.dumps(document))
    away = await Client.connect("127.0.0.1:1", lazy=True)
    unserved = Service(served, away, task_queue=shop.task_queue, policy=Policy())
    with pytest.raises(Unreachable) as failed:
        await turn(unserved, job)
    failure = Failure()
    await pydantic_data_converter.encode_failure(failed.value, failure)
    assert b"does not answer" in failure.SerializeToString()
    assert found_in(failure.SerializeToString()) == []
    # While Temporal is away nobody says that the job cannot go on.
    assert (await here.jobs.get(job.job_id)).state == "running"
    await turn(here, job)
    assert (await here.jobs.get(job.job_id)).state == "failed"
    assert caplog.records
    assert found_in(caplog.text) == []


async def test_rows_of_items_are_set_together_and_a_sku_that_comes_twice_ends_as_the_last(
    here: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(working, "ITEMS_TOGETHER", 4)
    rows = [f"SKU-{n},Name {n}\n" for n in range(10)]
    job = await make(here, "import_items", f"sku,name\n{''.join(rows)}SKU-9,Last\n")
    assert not await turn(here, job)
    now = await here.jobs.get(job.job_id)
    assert (now.state, now.done, now.refused) == ("done", 11, 0)
    found = {one.sku: one.name for one in await here.catalogue.items()}
    assert found == {**{f"SKU-{n}": f"Name {n}" for n in range(9)}, "SKU-9": "Last"}
