"""Jobs as a caller may see them: of what the key may do itself, and no wider than it."""

from __future__ import annotations

from typing import Any, Final

from starlette.responses import Response

from domain.errors import NotFound
from domain.fields import Document
from domain.jobs.jobs import KINDS, NEEDS, Job, Kind, Maker
from starter.http.callers import Caller
from starter.http.once import Once

MAKES_A_JOB: Final[dict[str, Any]] = {
    "status_code": 202,
    "response_model": None,
    "responses": {202: {"model": Job, "description": "The job is safe, and is begun by itself."}},
}
"""What a route says of itself that makes a job."""


def may_know(caller: Caller) -> list[Kind]:
    """The kinds of jobs that the key may make."""
    return [kind for kind in KINDS if NEEDS[kind] <= caller.grant.scopes]


async def mine(caller: Caller, job_id: str) -> Job:
    """A job of the caller's. Raises NotFound, alike for one that is somebody else's."""
    try:
        job = await caller.here.jobs.get(job_id)
    except NotFound:
        job = None
    if job is None or job.kind not in may_know(caller) or not maker_of(caller).sees_all_of(job):
        raise NotFound(f"there is no job {job_id}")
    return job


def maker_of(caller: Caller, by: str | None = None) -> Maker:
    """Who makes a job with this key, and what they see."""
    channels, sellers = caller.channels, caller.sellers
    return Maker(
        caller.who(by),
        caller.grant.key_id,
        None if channels is None else tuple(channels),
        None if sellers is None else tuple(sellers),
    )


async def made(
    caller: Caller,
    once: Once,
    kind: Kind,
    options: Document,
    *,
    by: str | None = None,
    data: bytes = b"",
) -> Response:
    """Make a job, once, and answer where it is."""
    job_id = caller.here.jobs.new_id()
    maker = maker_of(caller, by)
    return await once.in_database(
        lambda here: here.jobs.make(job_id, kind, options, maker, data=data),
        status=202,
        location=f"/v1/jobs/{job_id}",
    )
