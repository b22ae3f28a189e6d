"""Where somebody on the floor begins: their location, what waits there, and what is under way."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Annotated, Final

from fastapi import APIRouter
from starlette.responses import Response

from domain.warehouse.scans import CODE_MAX, Scan
from starter.web.floor.begins import by_code
from starter.web.screens.forms import NotAsked, met
from starter.web.screens.visits import ScreenRoute, Visit, may

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)

Works = Annotated[Visit, may("warehouse:read", "warehouse:write")]
HOME: Final = "app/floor"
_BESIDES: Final = ("part", "style", "parcels", "zone", "due", "request_id")
"""What the forms of this page say besides the kind of work."""


@router.get("/app/floor")
async def home(visit: Works, change: str = "") -> Response:
    """The work at somebody's location. `change`: they want to choose another one."""
    return await _page(visit, change=bool(change))


async def _page(
    visit: Visit, *, change: bool = False, status: int = 200, trouble: Sequence[str] = ()
) -> Response:
    person, floor = visit.person, visit.here.floor
    location = None if change else await floor.location_of(person)
    if location is None:
        return visit.show(
            "floor/locations",
            status=status,
            trouble=trouble,
            locations=await floor.locations(person),
            request_id=uuid.uuid4().hex,
        )
    return visit.show(
        "floor/home",
        status=status,
        trouble=trouble,
        location=location,
        work=await floor.waiting(person, location),
        open_runs=await floor.open_runs(person, location),
        zones=await floor.zones(location),
        said={name: visit.field(name) for name in _BESIDES},
        request_id=uuid.uuid4().hex,
    )


@router.post("/app/floor/location")
async def work_at(visit: Works) -> Response:
    """Work at another location from now on."""

    async def act() -> str:
        await visit.here.floor.work_at(visit.person, visit.field("location"))
        return "location"

    async def again(status: int, trouble: Sequence[str]) -> Response:
        return await _page(visit, change=True, status=status, trouble=trouble)

    return await met(visit, act, HOME, again)


@router.post("/app/floor/begin")
async def begin(visit: Works) -> Response:
    """Begin a run, and go to it."""
    began: list[int] = []

    async def act() -> str:
        location = await visit.here.floor.location_of(visit.person)
        if location is None:
            raise NotAsked("choose_location")
        said = {name: visit.field(name) for name in _BESIDES}
        began.append(
            await visit.here.floor.begin(visit.person, location, visit.field("kind"), said)
        )
        return "begun"

    async def again(status: int, trouble: Sequence[str]) -> Response:
        return await _page(visit, status=status, trouble=trouble)

    answer = await met(visit, act, HOME, again)
    return visit.lead(f"{HOME}/runs/{began[0]}") if began else answer


@router.post("/app/floor/find")
async def find(visit: Works) -> Response:
    """Go to the work that a scan begins or waits for; a parcel is scanned there, too.

    Where nobody has said yet where they work, it is the name of a location.
    """
    run_no: list[int] = []

    async def act() -> str:
        floor, person = visit.here.floor, visit.person
        location, code = await floor.location_of(person), visit.field("code").strip()[:CODE_MAX]
        if location is None:
            await floor.work_at(person, code)
            return "location"
        number, part = await by_code(visit, location, code, visit.field("request_id"))
        run_no.append(number)
        shown = await floor.show(person, number) if part else None
        if shown and shown.is_mine and part not in shown.state.held:
            scan = Scan(seq=shown.run.last_seq + 1, scan_id=f"found-{uuid.uuid4().hex}", code=part)
            await floor.scan(person, number, scan)
        return "begun"

    async def again(status: int, trouble: Sequence[str]) -> Response:
        return await _page(visit, status=status, trouble=trouble)

    answer = await met(visit, act, HOME, again)
    return visit.lead(f"{HOME}/runs/{run_no[0]}") if run_no else answer
