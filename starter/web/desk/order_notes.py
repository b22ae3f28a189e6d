"""Notes on an order: written, put on top of its page, and taken from there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter
from starlette.responses import Response

from domain.orders.notes import NewOrderNote
from starter.service.service import Records
from starter.web.desk.access import check_order
from starter.web.desk.order_page import show
from starter.web.screens.forms import met
from starter.web.screens.once import once
from starter.web.screens.visits import Number, ScreenRoute, Visit, may

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)

_MARK = "-note"
"""What the form of a note has behind the request id of its page."""

Writes = Annotated[Visit, may("orders:read", "orders:write")]


@router.post("/app/orders/{order_id}/notes")
async def write(visit: Writes, order_id: str) -> Response:
    """Write one, once."""
    await check_order(visit, order_id)

    async def work(here: Records) -> str:
        said = {"note": visit.field("note"), "pinned": bool(visit.field("pinned"))}
        await here.orders.note(order_id, NewOrderNote.model_validate(said), who=visit.person.who)
        return "order_noted"

    async def act() -> str:
        return await once(visit, work)

    async def again(status: int, trouble: Sequence[str]) -> Response:
        return await show(
            visit,
            order_id,
            status=status,
            trouble=trouble,
            typed_note=visit.field("note"),
            request_id=visit.field("request_id").removesuffix(_MARK),
        )

    return await met(visit, act, f"app/orders/{quote(order_id)}", again)


@router.post("/app/orders/{order_id}/notes/{number}/pin")
async def pin(visit: Writes, order_id: str, number: Number) -> Response:
    """On top of the page; once more changes nothing."""
    await check_order(visit, order_id)
    await visit.here.orders.pin_note(order_id, number, pinned=True)
    return visit.lead(f"app/orders/{quote(order_id)}?done=note_pinned")


@router.post("/app/orders/{order_id}/notes/{number}/unpin")
async def unpin(visit: Writes, order_id: str, number: Number) -> Response:
    """Among the others; once more changes nothing."""
    await check_order(visit, order_id)
    await visit.here.orders.pin_note(order_id, number, pinned=False)
    return visit.lead(f"app/orders/{quote(order_id)}?done=note_unpinned")
