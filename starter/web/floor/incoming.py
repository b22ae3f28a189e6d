"""Goods that come in, are counted or moved: what is due at a location, and one field to begin.

Whatever is scanned there begins its work: a purchase order, a transfer, a parcel that came back,
the location that goods go to, or a command.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Annotated, Final

from fastapi import APIRouter
from starlette.responses import Response

from domain.warehouse.counts import CYCLES, ToCount
from domain.warehouse.scans import CODE_MAX
from starter.web.floor.begins import by_command, check, command
from starter.web.floor.home import HOME, Works
from starter.web.screens.forms import NotAsked, met
from starter.web.screens.visits import ScreenRoute, Visit, may

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)

Counts = Annotated[Visit, may("warehouse:read", "warehouse:write", "stock:write")]
_PAGE: Final = f"{HOME}/incoming"
KINDS: Final = ("receive", "arrive", "returns", "send", "count", "move")
"""The kinds of work that begin here."""
_RETURNS: Final = "returns"
_BESIDES: Final = ("part", "blind")


@router.get("/app/floor/incoming")
async def incoming(visit: Works) -> Response:
    """What is due at somebody's location."""
    return await _page(visit)


async def _page(visit: Visit, *, status: int = 200, trouble: Sequence[str] = ()) -> Response:
    person, floor = visit.person, visit.here.floor
    location = await floor.location_of(person)
    if location is None:
        return visit.lead(HOME)
    return visit.show(
        "floor/incoming",
        status=status,
        trouble=trouble,
        location=location,
        may=[kind for kind in KINDS if not floor.lacking(person, kind)],
        expected=await floor.expected(person, location),
        others=await floor.others(location),
        code=visit.field("code"),
    )


@router.get("/app/floor/counts")
async def counts(visit: Counts) -> Response:
    """What is to be counted next at somebody's location."""
    location = await visit.here.floor.location_of(visit.person)
    if location is None:
        return visit.lead(HOME)
    found: dict[str, list[ToCount]] = {}
    for one in await visit.here.floor_goods.to_count(location):
        found.setdefault(one.place or one.sku, []).append(one)
    return visit.show(
        "floor/counts", location=location, found=found, cycles=CYCLES, request_id=uuid.uuid4().hex
    )


@router.post("/app/floor/incoming")
async def begin(visit: Works) -> Response:
    """Begin a run with what was scanned or chosen, and go to it."""
    began: list[int] = []

    async def act() -> str:
        location = await visit.here.floor.location_of(visit.person)
        if location is None:
            raise NotAsked("choose_location")
        kind, said = visit.field("kind"), {name: visit.field(name) for name in _BESIDES}
        code = visit.field("code").strip()[:CODE_MAX]
        if wanted := command(code):
            began.append(await by_command(visit, location, wanted))
            return "begun"
        if code:
            # What is nothing of these may be on a parcel that came back.
            found = await visit.here.floor_goods.begins(location, code)
            kind, said["part"] = found or (_RETURNS, code)
            if kind == _RETURNS and visit.here.floor.lacking(visit.person, kind):
                raise NotAsked("why_nothing_begins_so")
        if kind not in KINDS:
            raise NotAsked("why_nothing_begins_so")
        check(visit, kind)
        began.append(await visit.here.floor.begin(visit.person, location, kind, said))
        return "begun"

    async def again(status: int, trouble: Sequence[str]) -> Response:
        return await _page(visit, status=status, trouble=trouble)

    answer = await met(visit, act, HOME, again)
    return visit.lead(f"{HOME}/runs/{began[0]}") if began else answer
