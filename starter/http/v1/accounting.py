"""Invoices and credit notes: listed, read, and printed."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from domain.accounting.documents import Issued
from runtime.papers.pdf import render
from starter.http.callers import Caller, ReadsDocuments, check_allows, may
from starter.http.paging import Page, Paged
from starter.http.reading import StrictRoute
from starter.http.shown_documents import ListedDocument, ShownDocument, listed, shown

router = APIRouter(prefix="/v1", tags=["accounting"], route_class=StrictRoute)

_PDF: Final = "application/pdf"
_AS_PDF: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "The document.",
        "content": {_PDF: {"schema": {"type": "string", "format": "binary"}}},
    }
}
OfSeller = Annotated[
    str | None,
    Query(max_length=64, description="Only of this seller; left out: of each of the key's."),
]
Whose = Annotated[
    str | None,
    Query(max_length=64, description="Whose it is, where several sellers have one of this number."),
]


@router.get(
    "/documents",
    operation_id="listDocuments",
    summary="List invoices and credit notes, newest first",
)
async def list_documents(
    caller: Annotated[Caller, may("accounting:read")], paged: Paged, seller: OfSeller = None
) -> Page[ListedDocument]:
    """Those of the key's sellers."""
    asked: dict[str, Any] = {"seller": seller, "sellers": caller.sellers}
    place = paged.after(asked)
    after = None
    if place is not None:
        after = (datetime.fromisoformat(place[0]), str(place[1]), str(place[2]))
    found = await caller.here.accounting.documents(**asked, after=after, at_most=paged.at_most)
    return paged.page(
        asked,
        found,
        place=lambda one: (one.issued_at.isoformat(), one.number, one.seller),
        show=listed,
    )


@router.get(
    "/orders/{order_id}/documents",
    operation_id="listDocumentsOfOrder",
    summary="List an order's invoices and credit notes, as they were issued",
)
async def list_documents_of_order(
    order_id: str, caller: ReadsDocuments, paged: Paged
) -> Page[ListedDocument]:
    """An invoice for each parcel, a credit note for each refund of what was invoiced."""
    await caller.check_order(order_id)
    place = paged.after({})
    after = None if place is None else (datetime.fromisoformat(place[0]), str(place[1]))
    found = await caller.here.accounting.documents_of(order_id, after=after, at_most=paged.at_most)
    return paged.page(
        {}, found, place=lambda one: (one.issued_at.isoformat(), one.number), show=listed
    )


@router.get(
    "/orders/{order_id}/documents/{number:path}.pdf",
    operation_id="printDocumentOfOrder",
    summary="Print an order's invoice or credit note",
    response_class=Response,
    responses=_AS_PDF,
)
async def print_document_of_order(order_id: str, number: str, caller: ReadsDocuments) -> Response:
    """As PDF, in the customer's language. A reprint has the same bytes."""
    await caller.check_order(order_id)
    return await _printed(await caller.here.accounting.document_of(order_id, number))


@router.get(
    "/orders/{order_id}/documents/{number:path}",
    operation_id="getDocumentOfOrder",
    summary="Read an order's invoice or credit note",
)
async def get_document_of_order(
    order_id: str, number: str, caller: ReadsDocuments
) -> ShownDocument:
    """As it was issued; what was issued is never changed."""
    await caller.check_order(order_id)
    document = await caller.here.accounting.document_of(order_id, number)
    return shown(document, with_person=True)


@router.get(
    "/documents/{number:path}.pdf",
    operation_id="printDocument",
    summary="Print an invoice or a credit note",
    response_class=Response,
    responses=_AS_PDF,
)
async def print_document(
    number: str,
    caller: Annotated[Caller, may("accounting:read")],
    _: Annotated[Caller, may("customers:read")],
    seller: Whose = None,
) -> Response:
    """As PDF, in the customer's language. A reprint has the same bytes."""
    document = await caller.here.accounting.document(number, seller, sellers=caller.sellers)
    return await _printed(document)


@router.get(
    "/documents/{number:path}",
    operation_id="getDocument",
    summary="Read an invoice or a credit note",
    response_model=ShownDocument,
    responses={200: {"content": _AS_PDF[200]["content"]}},
)
async def get_document(
    request: Request,
    number: str,
    caller: Annotated[Caller, may("accounting:read")],
    seller: Whose = None,
) -> Response:
    """As it was issued; what was issued is never changed.

    With `Accept: application/pdf` it is printed. Who bought is told to keys with `customers:read`
    alone.
    """
    as_pdf = _PDF in request.headers.get("accept", "")
    if as_pdf:
        check_allows(caller, "customers:read")  # a print names people
    document = await caller.here.accounting.document(number, seller, sellers=caller.sellers)
    if as_pdf:
        return await _printed(document)
    answer = shown(document, with_person=caller.grant.allows("customers:read"))
    headers = {"Vary": "Accept"}
    return Response(answer.model_dump_json(), media_type="application/json", headers=headers)


async def _printed(document: Issued) -> Response:
    content = await asyncio.to_thread(render, document)
    name = f"inline; filename*=UTF-8''{quote(f'{document.number}.pdf', safe='')}"
    headers = {"Content-Disposition": name, "Vary": "Accept"}
    return Response(content, media_type=_PDF, headers=headers)
