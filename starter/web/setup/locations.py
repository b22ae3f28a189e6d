"""Locations: their working days, and the ways of parcels from there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

from fastapi import APIRouter
from starlette.responses import Response

from domain.calendars import WEEKDAYS
from domain.errors import NotFound
from domain.stock.locations import Lane, Location
from starter.web.screens.forms import told_by
from starter.web.screens.visits import ScreenRoute, Visit, may
from starter.web.setup.documents import Documents
from starter.web.setup.fields import Field

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)

Reads = Annotated[Visit, may("locations:read")]
Writes = Annotated[Visit, may("locations:read", "locations:write")]


async def one_location(visit: Visit, code: str) -> Location:
    """Raises NotFound."""
    found = await visit.here.locations.list(code)
    if not found:
        raise NotFound(f"there is no location {code}")
    return found[0]


class _Locations(Documents[Location]):
    name = "locations"
    code = "location"
    model = Location
    writes = "locations:write"
    fields = (
        Field("seller", "choice"),
        Field("priority", "number"),
        Field("calendar.time_zone", required=True),
        Field("calendar.working_days", "ticks"),
        Field("calendar.holidays"),
        Field("calendar.cut_off", "time"),
        Field("calendar.handling_days", "number"),
        Field("parcels_a_day", "number"),
        Field("lanes", "table", columns=tuple(Lane.model_fields)),
    )

    async def all(self, visit: Visit) -> Sequence[Location]:
        return await visit.here.locations.list()

    async def get(self, visit: Visit, code: str) -> Location:
        return await one_location(visit, code)

    async def make(self, visit: Visit, wanted: Location) -> None:
        await visit.here.locations.save([wanted])

    async def change(self, visit: Visit, wanted: Location, seen: str) -> None:
        await visit.here.locations.change(wanted, seen=seen)

    async def set_retired(self, visit: Visit, code: str, *, retired: bool) -> None:
        if retired:
            await visit.here.locations.retire(code)
        else:
            await visit.here.locations.reopen(code)

    async def retired(self, visit: Visit) -> set[str]:
        return await visit.here.locations.retired()

    async def options(self, visit: Visit) -> dict[str, list[tuple[str, str]]]:
        return {
            "seller": [(one.seller, one.name) for one in await visit.here.sellers.list()],
            "calendar.working_days": [(one, visit.words(f"on_{one}")) for one in WEEKDAYS],
        }


_KIND: Final = _Locations()


@router.get("/app/setup/locations")
async def locations(visit: Reads, done: str = "") -> Response:
    """All of them."""
    return await _KIND.list_page(visit, done)


@router.get("/app/setup/locations/new")
async def new(visit: Writes) -> Response:
    """The form for another one."""
    return await _KIND.new_page(visit)


@router.post("/app/setup/locations/new")
async def add(visit: Writes) -> Response:
    """Make it."""
    return await _KIND.add(visit)


@router.get("/app/setup/locations/{code}")
async def location(visit: Reads, code: str, done: str = "") -> Response:
    """One of them."""
    return await _KIND.page(visit, code, told=told_by(visit, done))


@router.post("/app/setup/locations/{code}")
async def save(visit: Writes, code: str) -> Response:
    """Set it as a whole, unless others have changed it meanwhile."""
    return await _KIND.save(visit, code)


@router.post("/app/setup/locations/{code}/retire")
async def retire(visit: Writes, code: str) -> Response:
    """Let it take nothing new."""
    return await _KIND.retire(visit, code, retired=True)


@router.post("/app/setup/locations/{code}/reopen")
async def reopen(visit: Writes, code: str) -> Response:
    """Let it take new things again."""
    return await _KIND.retire(visit, code, retired=False)
