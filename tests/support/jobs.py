"""Long work in a test: who does it, and how it is sent and waited for."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from starter.jobs.host import jobs_worker
from tests.support.api import Caller
from tests.support.shop import Shop


@asynccontextmanager
async def jobs_at_work(shop: Shop) -> AsyncIterator[None]:
    """Inside, somebody works on the shop's jobs, as `orderloom serve` does."""
    async with jobs_worker(shop.temporal, shop, shop.task_queue):
        yield


async def send_file(
    caller: Caller, path: str, data: bytes | str, kind: str = "text/csv", *, key: str | None = None
) -> httpx.Response:
    """Send a file to be imported."""
    return await caller.post(
        path,
        content=data,
        headers={"Content-Type": kind, "Idempotency-Key": key or uuid.uuid4().hex},
    )


async def ended(shop: Shop, job_id: str) -> dict[str, Any]:
    """A job, when it has ended."""

    async def find() -> dict[str, Any] | None:
        job = await shop.jobs.get(job_id)
        return job.model_dump(mode="json") if job.has_ended else None

    return await shop.until(find, f"{job_id} has ended")


def made(answer: httpx.Response) -> str:
    """The id of the job that was made."""
    assert answer.status_code == 202, answer.text
    job_id: str = answer.json()["job_id"]
    assert answer.headers["location"] == f"/v1/jobs/{job_id}"
    return job_id
