"""The addresses of an order's page, its papers, and the files that pages load."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request
from starlette.responses import Response

from domain.errors import Refused
from domain.sellers import Seller
from runtime.papers.pdf import render
from starter.web.assets import FOR_EVER, colours, logo
from starter.web.customer.order_page import shown_order
from starter.web.customer.templates import ASSETS
from starter.web.customer.visits import NoPageError, here, pages_at, visit_by
from starter.web.guards import HEADERS
from starter.web.packing import packed

router = APIRouter(include_in_schema=False)


@router.get("/o/{token}")
@pages_at(1)
async def order_page(request: Request, token: str) -> Response:
    """An order, with all that its customer may know and ask."""
    visit = await visit_by(request, token)
    done = request.query_params.get("done", "")
    told = f"done_{done}" if visit.words.has(f"done_{done}") else ""
    return shown_order(request, visit, depth=1, told=told)


@router.get("/o/{token}/version")
@pages_at(2)
async def version(request: Request, token: str) -> Response:
    """What the script compares with what it shows: a short text."""
    visit = await visit_by(request, token)
    return Response(visit.order.version, media_type="text/plain", headers=HEADERS)


@router.get("/o/{token}/documents/{number}")
@pages_at(3)
async def document(request: Request, token: str, number: str) -> Response:
    """An invoice or a credit note, by its place in the list of the page."""
    visit = await visit_by(request, token, whole=True)
    row = {str(n): one for n, one in enumerate(visit.order.documents, start=1)}.get(number)
    if row is None:
        raise NoPageError("nothing_here", 404)
    issued = await here(request).accounting.document(row.number, row.seller)
    content = await asyncio.to_thread(render, issued)
    return _file(content, "application/pdf")


@router.get("/o/{token}/labels/{return_no}")
@pages_at(3)
async def label(request: Request, token: str, return_no: str) -> Response:
    """The label of a return, as its carrier made it."""
    visit = await visit_by(request, token, whole=True)
    return_id = f"{visit.order.detail.summary.order_id}:{return_no}"
    if return_id not in {one.return_id for one in visit.order.detail.returns}:
        raise NoPageError("nothing_here", 404)
    try:
        file = (await here(request).labels.of_return(return_id)).file(rather="pdf")
    except Refused:
        raise NoPageError("nothing_here", 404) from None
    return _file(file.content, file.media_type)


def _file(content: bytes, media_type: str) -> Response:
    headers = {**HEADERS, "Content-Disposition": "inline"}
    return Response(content, media_type=media_type, headers=headers)


@router.get("/pages/{name}")
@pages_at(1)
async def file(request: Request, name: str) -> Response:
    """A style sheet or the script."""
    found = ASSETS.get(name)
    if found is None:
        raise NoPageError("nothing_here", 404)
    headers = {**HEADERS, **FOR_EVER}
    return packed(request, Response(found.content, headers=headers, media_type=found.media_type))


@router.get("/pages/{seller}/{name}")
@pages_at(2)
async def looks(request: Request, seller: str, name: str) -> Response:
    """A seller's colour or logo. `-`: of no seller in particular."""
    whose: Seller | None = None if seller == "-" else await here(request).tracking.seller(seller)
    for one in (colours(whose), logo(whose)):
        if one is not None and one.name == name:
            headers = {**HEADERS, **FOR_EVER}
            return Response(one.content, media_type=one.media_type, headers=headers)
    raise NoPageError("nothing_here", 404)
