"""Long work on a page: how far it is, and what became of each order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final, get_args

from fastapi import APIRouter
from starlette.responses import Response, StreamingResponse

from domain.errors import NotFound
from domain.jobs.jobs import KINDS, NEEDS, Job, Kind, Outcome
from starter.web.desk.bulk import maker_of
from starter.web.guards import HEADERS
from starter.web.screens.addresses import moment_in
from starter.web.screens.forms import met, told_by, whole
from starter.web.screens.visits import ScreenRoute, Visit, apart, may

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)

_PAGE: Final = 50
_ITEMS: Final = 100
_OUTCOMES: Final[tuple[Outcome, ...]] = get_args(Outcome)
OF_ORDERS: Final[frozenset[Kind]] = frozenset(
    {
        *("cancel_orders", "hold_orders", "release_orders", "charge_orders", "resolve_steps"),
        *("print_pick_list", "print_packing_slips", "print_labels", "print_documents"),
        "import_orders",
    }
)
"""What their items are called is an order's id."""

Works = Annotated[Visit, may("orders:read")]


@router.get("/app/jobs")
async def jobs(visit: Works, after: str = "") -> Response:
    """Those that somebody could make themselves, newest first. `after`: behind this one."""
    moment, mark, job_id = after.partition("~")
    at = moment_in(moment)
    maker = maker_of(visit)
    found = await visit.here.jobs.list(
        kinds=_kinds(visit),
        channels=maker.channels,
        sellers=maker.sellers,
        locations=maker.locations,
        after=(at, job_id) if mark and at is not None else None,
        at_most=_PAGE + 1,
    )
    shown = found[:_PAGE]
    more = ""
    if len(found) > _PAGE:
        more = f"{shown[-1].made_at.isoformat()}~{shown[-1].job_id}"
    return visit.show("desk/jobs", jobs=shown, more=more)


@router.get("/app/jobs/{job_id}")
async def job(
    visit: Works, job_id: str, outcome: str = "", after: str = "", done: str = ""
) -> Response:
    """How far it is, and its items by their numbers. `outcome`: only these."""
    found = await _theirs(visit, job_id)
    only = next((one for one in (*_OUTCOMES, "waiting") if one == outcome), None)
    items = await visit.here.jobs.items(
        job_id, outcome=only, after=whole(after), at_most=_ITEMS + 1
    )
    return visit.show(
        "desk/job",
        told=told_by(visit, done),
        job=found,
        version=_version(found),
        items=items[:_ITEMS],
        more=items[_ITEMS - 1].number if len(items) > _ITEMS else 0,
        outcome=only or "",
        are_orders=found.kind in OF_ORDERS,
    )


@router.get("/app/jobs/{job_id}/version")
async def version(visit: Works, job_id: str) -> Response:
    """What the page compares with what it shows: a short text."""
    found = await _theirs(visit, job_id)
    return Response(_version(found), media_type="text/plain", headers=HEADERS)


@router.get("/app/jobs/{job_id}/file")
async def file(visit: Works, job_id: str) -> Response:
    """The file that it has written."""
    await _theirs(visit, job_id)
    found, parts = await visit.here.jobs.result(job_id)
    assert found.result is not None
    flows = getattr(visit.request.state, "flows", None)
    if flows is not None:
        flows()  # A large file takes its reader longer than an answer may.
    return StreamingResponse(
        parts,
        media_type=found.result.media_type,
        headers={
            **HEADERS,
            "Content-Disposition": f'attachment; filename="{found.result.name}"',
            "Content-Length": str(found.result.bytes),
        },
    )


@router.post("/app/jobs/{job_id}/cancel")
async def cancel(visit: Works, job_id: str) -> Response:
    """Skip what has not begun."""
    await _theirs(visit, job_id)

    async def act() -> str:
        await visit.here.jobs.cancel(job_id)
        return "job_cancelled"

    async def again(status: int, trouble: Sequence[str]) -> Response:
        return apart(visit.request, status, *trouble)

    return await met(visit, act, f"app/jobs/{job_id}", again)


def _kinds(visit: Visit) -> list[Kind]:
    return [kind for kind in KINDS if NEEDS[kind] <= visit.person.grant.scopes]


async def _theirs(visit: Visit, job_id: str) -> Job:
    """Raises NotFound, alike for one that is somebody else's."""
    found = await visit.here.jobs.get(job_id)
    if found.kind not in _kinds(visit) or not maker_of(visit).sees_all_of(found):
        raise NotFound(f"there is no job {job_id}")
    return found


def _version(job: Job) -> str:
    return f"{job.state} {job.done} {job.refused} {job.skipped} {job.total}"
