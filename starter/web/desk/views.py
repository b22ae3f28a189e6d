"""Lists with a name: saved, renamed, shared and removed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter
from starlette.datastructures import QueryParams
from starlette.responses import Response

from starter.web.desk.order_list import asked_of
from starter.web.screens.forms import NotAsked, met, told_by
from starter.web.screens.visits import Number, ScreenRoute, Visit, apart, may

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)

Sees = Annotated[Visit, may("orders:read")]
_VIEWS = "app/orders/views"


@router.get("/app/orders/views")
async def views(visit: Sees, done: str = "") -> Response:
    """One's own, and those that others share."""
    return await _page(visit, told=told_by(visit, done))


@router.post("/app/orders/views")
async def save(visit: Sees) -> Response:
    """Give the list of an address a name."""
    asked = await asked_of(visit, QueryParams(visit.field("query")))
    query = asked.query()

    async def act() -> str:
        if asked.wrong:
            raise NotAsked("view_is_wrong")
        await visit.here.saved_views.save(
            visit.person.login,
            visit.field("name"),
            query,
            shared=visit.field("shared") == "1",
        )
        return "view_saved"

    async def again(status: int, trouble: Sequence[str]) -> Response:
        return apart(visit.request, status, *trouble)

    return await met(visit, act, f"app/orders?{query}", again)


@router.post("/app/orders/views/{view_no}")
async def change(visit: Sees, view_no: Number) -> Response:
    """Rename one, share it or not, or remove it."""
    login, here = visit.person.login, visit.here.saved_views

    async def act() -> str:
        if visit.field("remove") == "1":
            await here.remove(login, view_no)
            return "view_removed"
        shared = visit.field("shared") == "1"
        await here.rename(login, view_no, visit.field("name"), shared=shared)
        return "view_saved"

    async def again(status: int, trouble: Sequence[str]) -> Response:
        return await _page(visit, status=status, trouble=trouble)

    return await met(visit, act, _VIEWS, again)


async def _page(
    visit: Visit, *, status: int = 200, told: str = "", trouble: Sequence[str] = ()
) -> Response:
    found = await visit.here.saved_views.seen_by(visit.person.login)
    return visit.show("desk/views", status=status, told=told, trouble=trouble, views=found)
