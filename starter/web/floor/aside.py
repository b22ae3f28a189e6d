"""Parcels that nobody announced, and lie aside: whose they are, and a return of each."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Final

from fastapi import APIRouter
from starlette.responses import Response

from domain.errors import NotFound
from domain.fields import Document, Reason
from domain.warehouse.scans import CODE_MAX
from starter.web.desk.access import theirs
from starter.web.desk.reasons import IN_TEMPLATES
from starter.web.floor.home import HOME
from starter.web.screens.forms import NotAsked, met, told_by
from starter.web.screens.visits import Number, ScreenRoute, Visit, may
from store.aftersales.unannounced import Unannounced

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)

Takes = Annotated[Visit, may("warehouse:read", "warehouse:write", "aftersales:write")]
_PAGE: Final = f"{HOME}/aside"


class _Settled(Document):
    """What became of a parcel."""

    note: Reason


@router.get("/app/floor/aside")
async def parcels(visit: Takes, done: str = "") -> Response:
    """What lies aside at somebody's location."""
    location = await visit.here.floor.location_of(visit.person)
    if location is None:
        return visit.lead(HOME)
    found = await visit.here.unannounced.at(location, **theirs(visit))
    told = told_by(visit, done)
    request_id = uuid.uuid4().hex
    return visit.show(
        "floor/aside_list", location=location, parcels=found, told=told, request_id=request_id
    )


@router.get("/app/floor/aside/{number}")
async def parcel(visit: Takes, number: Number, done: str = "") -> Response:
    """One of them, with the orders that it may be of."""
    return await _page(visit, await _found(visit, number), told=told_by(visit, done))


async def _found(visit: Visit, number: int) -> Unannounced:
    """Raises NotFound for one that is not there, or not theirs: nobody can tell."""
    location = await visit.here.floor.location_of(visit.person) or ""
    found = await visit.here.unannounced.at(location, **theirs(visit), parcel_no=number)
    if not found:
        raise NotFound(f"there is no unannounced parcel {number}", reason="no_parcel")
    return found[0]


async def _page(
    visit: Visit,
    found: Unannounced,
    *,
    status: int = 200,
    trouble: Sequence[str] = (),
    told: str = "",
) -> Response:
    is_open = found.ended_at is None and found.return_id is None
    orders = visit.here.unannounced.could_be_of
    return visit.show(
        "floor/aside",
        status=status,
        trouble=trouble,
        told=told,
        parcel=found,
        is_open=is_open,
        candidates=await orders(found.parcel_no, **theirs(visit)) if is_open else (),
        typed={name: visit.field(name) for name in ("code", "late", "note")},
        **IN_TEMPLATES,
    )


@router.post("/app/floor/aside/{number}/take")
async def take(visit: Takes, number: Number) -> Response:
    """Ask an order to take it back. Sent twice, it is one return."""
    found = await _found(visit, number)

    async def act() -> str:
        code = visit.field("order") or visit.field("code").strip()[:CODE_MAX]
        order_id = await visit.here.floor_goods.order_of(visit.person, found.location, code)
        if order_id is None:
            raise NotAsked("why_no_order_of_code")
        late, who = bool(visit.field("late")), visit.person.who
        taken = await visit.here.unannounced.take(number, order_id, late=late, who=who)
        return "parcel_is_return" if taken.return_id is not None else "parcel_is_asked"

    return await _met(visit, number, act)


@router.post("/app/floor/aside/{number}/settle")
async def settle(visit: Takes, number: Number) -> Response:
    """It is dealt with in another way."""
    await _found(visit, number)

    async def act() -> str:
        told = _Settled.model_validate({"note": visit.field("note")})
        await visit.here.unannounced.settle(number, told.note)
        return "parcel_settled"

    return await _met(visit, number, act)


async def _met(visit: Visit, number: int, act: Callable[[], Awaitable[str]]) -> Response:
    async def again(status: int, trouble: Sequence[str]) -> Response:
        # What its order said stands at the parcel by now.
        return await _page(visit, await _found(visit, number), status=status, trouble=trouble)

    return await met(visit, act, f"{_PAGE}/{number}", again)
