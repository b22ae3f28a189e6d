"""Jobs: how far each of them is, what came of its items, and its file."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from domain.jobs.jobs import Job, JobItem, Kind, State
from starter.http.callers import Caller, anybody
from starter.http.once import Keyed
from starter.http.paging import Page, Paged
from starter.http.reading import StrictRoute
from starter.http.shown_jobs import maker_of, may_know, mine

router = APIRouter(prefix="/v1", tags=["jobs"], route_class=StrictRoute)

Anybody = Annotated[Caller, anybody()]

_FILE: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The file.",
        "content": {
            "application/jsonl": {"schema": {"type": "string"}},
            "text/csv": {"schema": {"type": "string"}},
            "text/plain": {"schema": {"type": "string"}},
            "application/json": {"schema": {"type": "object"}},
            "application/pdf": {"schema": {"type": "string", "format": "binary"}},
        },
    }
}


@router.get("/jobs", operation_id="listJobs", summary="List jobs, newest first")
async def list_jobs(
    caller: Anybody,
    paged: Paged,
    kind: Kind | None = None,
    state: State | None = None,
) -> Page[Job]:
    """Those that the key may make itself, and that tell nothing but what it may see."""
    maker = maker_of(caller)
    asked: dict[str, Any] = {
        "kind": kind,
        "state": state,
        "kinds": may_know(caller),
        "channels": maker.channels,
        "sellers": maker.sellers,
    }
    place = paged.after(asked)
    after = None if place is None else (datetime.fromisoformat(place[0]), str(place[1]))
    found = await caller.here.jobs.list(**asked, after=after, at_most=paged.at_most)
    return paged.page(
        asked, found, place=lambda one: (one.made_at.isoformat(), one.job_id), show=lambda one: one
    )


@router.get("/jobs/{job_id}", operation_id="getJob", summary="Ask how far a job is")
async def get_job(job_id: str, caller: Anybody) -> Job:
    """Ask again until it has ended. It takes a key that may do what the job does."""
    return await mine(caller, job_id)


@router.get(
    "/jobs/{job_id}/items",
    operation_id="listJobItems",
    summary="List what became of each item of a job",
)
async def list_items(
    job_id: str,
    caller: Anybody,
    paged: Paged,
    outcome: Literal["waiting", "done", "refused", "skipped"] | None = None,
) -> Page[JobItem]:
    """In the sequence of the file. An export has none: its result tells all."""
    await mine(caller, job_id)
    asked: dict[str, Any] = {"outcome": outcome}
    place = paged.after(asked)
    found = await caller.here.jobs.items(
        job_id, outcome=outcome, after=int(place[0]) if place else 0, at_most=paged.at_most
    )
    return paged.page(asked, found, place=lambda one: (one.number,), show=lambda one: one)


@router.get(
    "/jobs/{job_id}/result",
    operation_id="getJobResult",
    summary="Download the file that a job has written",
    response_class=Response,
    responses=_FILE,
)
async def get_result(request: Request, job_id: str, caller: Anybody) -> Response:
    """It is kept for 30 days, or until a customer of its orders is erased."""
    await mine(caller, job_id)
    job, parts = await caller.here.jobs.result(job_id)
    assert job.result is not None
    request.state.flows()  # A large file takes its reader longer than an answer may.
    return StreamingResponse(
        parts,
        media_type=job.result.media_type,
        headers={
            "Content-Disposition": f'attachment; filename="{job.result.name}"',
            "Content-Length": str(job.result.bytes),
        },
    )


@router.post(
    "/jobs/{job_id}/cancel",
    operation_id="cancelJob",
    summary="Cancel a job",
    response_model=Job,
)
async def cancel_job(job_id: str, caller: Anybody, once: Keyed) -> Response:
    """What has begun is finished, and the rest is skipped. What was done stays done."""
    await mine(caller, job_id)
    return await once.in_database(lambda here: here.jobs.cancel(job_id))
