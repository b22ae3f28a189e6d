"""What belongs to an order and is read by itself: documents, labels, slips, and messages."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated, Final
from urllib.parse import quote

from fastapi import APIRouter
from starlette.responses import Response

from domain.access.keys import OF_ORDERS_DOCUMENTS
from domain.accounting.documents import Issued
from domain.errors import NotFound
from domain.ids import message_ref, order_of
from runtime.papers.pdf import render
from starter.warehouse.slip import slip_pdf
from starter.web.desk.access import check_order
from starter.web.desk.reasons import IN_TEMPLATES
from starter.web.desk.story import lines_of
from starter.web.guards import HEADERS
from starter.web.screens.forms import NotAsked, met, told_by, whole
from starter.web.screens.visits import Number, ScreenRoute, Visit, may

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)

_PDF: Final = "application/pdf"
_JSON: Final = "application/json"

Buyer = Annotated[Visit, may("orders:read", "customers:read")]
"""Who sees an order and who bought it."""

Documents = Annotated[Visit, may(*OF_ORDERS_DOCUMENTS)]

Packs = Annotated[Visit, may("orders:read", "warehouse:read")]


@router.get("/app/orders/{order_id}/documents/{number:path}.pdf")
async def document_pdf(visit: Documents, order_id: str, number: str) -> Response:
    """An invoice or a credit note as it is printed. A reprint has the same bytes."""
    issued = await _document(visit, order_id, number)
    return _file(await asyncio.to_thread(render, issued), _PDF, f"{number}.pdf")


@router.get("/app/orders/{order_id}/documents/{number:path}.json")
async def document_json(visit: Documents, order_id: str, number: str) -> Response:
    """The same as data, as it was issued."""
    issued = await _document(visit, order_id, number)
    return _file(issued.model_dump_json(indent=2).encode(), _JSON, f"{number}.json")


@router.get("/app/parcels/{fulfilment_id}/label")
async def label(visit: Packs, fulfilment_id: str, form: str = "") -> Response:
    """A parcel's label as its carrier made it. `form`: pdf, zpl and the like; "": the first."""
    await _check_parcel(visit, fulfilment_id)
    found = (await visit.here.labels.of(fulfilment_id)).file(form or None, rather="pdf")
    return _file(
        found.content, found.media_type, f"label-{fulfilment_id}.{found.format}", download=True
    )


@router.get("/app/parcels/{fulfilment_id}/slip")
async def slip(visit: Packs, fulfilment_id: str) -> Response:
    """The slip that goes into a parcel: without prices."""
    await _check_parcel(visit, fulfilment_id)
    packing = await visit.here.labels.slip(fulfilment_id)
    content = await asyncio.to_thread(slip_pdf, packing)
    return _file(content, _PDF, f"slip-{fulfilment_id}.pdf")


@router.get("/app/orders/{order_id}/messages/{event_id}")
async def message(visit: Buyer, order_id: str, event_id: Number, done: str = "") -> Response:
    """A message to the customer as it would be sent now: its text is kept nowhere."""
    return await _message(visit, order_id, event_id, told=told_by(visit, done))


@router.post("/app/orders/{order_id}/messages/{event_id}/send-again")
async def send_again(
    visit: Annotated[Visit, may("orders:write", "customers:read")], order_id: str, event_id: Number
) -> Response:
    """Have it sent once more. The form tells how often that was asked for: it is met once."""
    await check_order(visit, order_id)
    called = message_ref(order_id, event_id)

    async def act() -> str:
        row = await visit.here.messages.get(called)
        asked = whole(visit.field("round"))
        if row.round == asked:
            await visit.here.messages.send_again(called)
        elif row.round != asked + 1:
            raise NotAsked("sent_meanwhile")
        return "message_again"

    async def again(status: int, trouble: Sequence[str]) -> Response:
        return await _message(visit, order_id, event_id, status=status, trouble=trouble)

    path = f"app/orders/{quote(order_id)}/messages/{event_id}"
    return await met(visit, act, path, again)


async def _message(
    visit: Visit,
    order_id: str,
    event_id: int,
    *,
    told: str = "",
    status: int = 200,
    trouble: Sequence[str] = (),
) -> Response:
    await check_order(visit, order_id)
    called = message_ref(order_id, event_id)
    row = await visit.here.messages.get(called)
    story = await visit.here.orders.events(order_id) if row.sent_at else []
    return visit.show(
        "desk/message",
        order_id=order_id,
        row=row,
        since=[line for line in lines_of(story) if row.sent_at and line.event.at > row.sent_at],
        shown=await visit.here.messages.shown(called),
        may_write=visit.person.allows("orders:write"),
        told=told,
        status=status,
        trouble=trouble,
        **IN_TEMPLATES,
    )


async def _check_parcel(visit: Visit, fulfilment_id: str) -> None:
    """Raises NotFound for a parcel at another location: its label names who gets it."""
    order_id = order_of(fulfilment_id)
    await check_order(visit, order_id)
    of_order = (await visit.here.orders.get(order_id)).fulfilments
    places = [one.location for one in of_order if one.fulfilment_id == fulfilment_id]
    if not any(map(visit.person.works_at, places)):
        raise NotFound(f"there is no parcel {fulfilment_id}", reason="no_parcel")


async def _document(visit: Visit, order_id: str, number: str) -> Issued:
    """Raises NotFound, also for a document of another order."""
    await check_order(visit, order_id)
    return await visit.here.accounting.document_of(order_id, number)


def _file(content: bytes, kind: str, name: str, *, download: bool = False) -> Response:
    how = "attachment" if download else "inline"
    named = quote(name.replace(":", "-"), safe="")
    headers = {**HEADERS, "Content-Disposition": f"{how}; filename*=UTF-8''{named}"}
    return Response(content, media_type=kind, headers=headers)
