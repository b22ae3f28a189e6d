"""Notes on orders: what one who works with an order leaves for the next one."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from starlette.responses import Response

from domain.orders.notes import NewOrderNote
from starter.http.callers import Caller, may
from starter.http.examples import example
from starter.http.once import Keyed
from starter.http.paging import Page, Paged
from starter.http.reading import StrictRoute
from starter.service.order_notes import OrderNote
from starter.service.service import Records

router = APIRouter(prefix="/v1/orders", tags=["orders"], route_class=StrictRoute)

Writes = Annotated[Caller, may("orders:write")]
NoteNo = Annotated[int, Path(ge=1, le=2**31 - 1, examples=[1])]


@router.get(
    "/{order_id}/notes", operation_id="listOrderNotes", summary="List the notes on an order"
)
async def list_notes(
    order_id: str, caller: Annotated[Caller, may("orders:read")], paged: Paged
) -> Page[OrderNote]:
    """The latest first. Each is a line of the order's story, too."""
    await caller.check_order(order_id)
    place = paged.after({})
    found = await caller.here.orders.notes(
        order_id, after=None if place is None else int(place[0]), at_most=paged.at_most
    )
    return paged.page({}, found, place=lambda one: [one.note_no], show=lambda one: one)


@router.post(
    "/{order_id}/notes",
    operation_id="writeOrderNote",
    summary="Write a note on an order",
    status_code=201,
    response_model=OrderNote,
)
async def write_note(
    order_id: str,
    content: Annotated[
        NewOrderNote, example({"note": "Call before it is sent", "pinned": True, "by": "anna"})
    ],
    caller: Writes,
    once: Keyed,
) -> Response:
    """It changes nothing of the order, and goes when the order's person is erased."""
    await caller.check_order(order_id)
    who = caller.who(content.by)

    async def written(here: Records) -> OrderNote:
        return await here.orders.note(order_id, content, who=who)

    return await once.in_database(written, status=201)


@router.post(
    "/{order_id}/notes/{note_no}/pin",
    operation_id="pinOrderNote",
    summary="Put a note on top of the order's page",
    response_model=OrderNote,
)
async def pin(order_id: str, note_no: NoteNo, caller: Writes, once: Keyed) -> Response:
    """Several may stand there."""
    return await _pinned(order_id, note_no, caller, once, pinned=True)


@router.post(
    "/{order_id}/notes/{note_no}/unpin",
    operation_id="unpinOrderNote",
    summary="Have a note on top of the order's page no longer",
    response_model=OrderNote,
)
async def unpin(order_id: str, note_no: NoteNo, caller: Writes, once: Keyed) -> Response:
    """It stays among the notes."""
    return await _pinned(order_id, note_no, caller, once, pinned=False)


async def _pinned(
    order_id: str, note_no: int, caller: Caller, once: Keyed, *, pinned: bool
) -> Response:
    await caller.check_order(order_id)

    async def done(here: Records) -> OrderNote:
        return await here.orders.pin_note(order_id, note_no, pinned=pinned)

    return await once.in_database(done)
