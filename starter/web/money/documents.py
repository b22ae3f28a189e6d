"""Invoices and credit notes: listed, found by number, shown and printed as they were issued."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from typing import Annotated, Final, get_args
from urllib.parse import quote, urlencode

from fastapi import APIRouter
from starlette.responses import Response

from domain.accounting.documents import Issued, Kind
from domain.errors import NotFound
from domain.money import amounts_as_text
from runtime.papers.pdf import render
from starter.web.guards import HEADERS
from starter.web.money.parts import chosen_of, names_of, own_sellers, sellers_of, show
from starter.web.screens.addresses import PAGE, day_in, onward, place_in
from starter.web.screens.visits import ScreenRoute, Visit, may

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
_NUMBER_MAX: Final = 100
Reads = Annotated[Visit, may("accounting:read")]


@router.get("/app/money/documents")
async def documents(
    visit: Reads,
    number: str = "",
    kind: str = "",
    seller: str = "",
    first: str = "",
    last: str = "",
    after: str = "",
) -> Response:
    """The newest first. `number`: to the one that has it. `first`, `last`: issued on these days."""
    known = await sellers_of(visit)
    missing = number.strip()[:_NUMBER_MAX]
    if missing:
        try:
            found = await visit.here.accounting.document(missing, sellers=own_sellers(visit))
            return visit.lead(f"app/money/documents/one?{urlencode({'number': found.number})}")
        except NotFound:
            pass
    chosen: Kind | None = next((one for one in KINDS if one == kind), None)
    whose = chosen_of(known, seller)
    since, until = day_in(first), day_in(last)
    place = place_in(after, datetime, str, str)
    rows = await visit.here.accounting.documents(
        kind=chosen,
        first=since,
        last=until,
        seller=None if whose is None else whose.seller,
        sellers=own_sellers(visit),
        after=None if place is None else (place[0], place[1], place[2]),
        at_most=PAGE + 1,
    )
    filters = {
        "kind": chosen or "",
        "seller": "" if whose is None else whose.seller,
        "first": since.isoformat() if since else "",
        "last": until.isoformat() if until else "",
    }
    shown, more = onward(rows, filters, lambda one: (one.issued_at, one.number, one.seller))
    return show(
        visit,
        "documents",
        trouble=[visit.words("no_document", number=missing)] if missing else [],
        number=missing,
        documents=shown,
        more=more,
        filters=filters,
        kinds=[(one, visit.words(f"document_{one}")) for one in KINDS],
        sellers=names_of(known),
    )


@router.get("/app/money/documents/one")
async def document(visit: Reads, number: str = "", seller: str = "") -> Response:
    """One of them, as it was issued. Who bought stands there for those who may see customers."""
    return show(
        visit,
        "document",
        one=await _found(visit, number, seller),
        seller=seller,
        with_person=visit.person.allows("customers:read"),
    )


@router.get("/app/money/documents/pdf")
async def printed(
    visit: Annotated[Visit, may("accounting:read", "customers:read")],
    number: str = "",
    seller: str = "",
) -> Response:
    """Its print, in the customer's language: it names people. A reprint has the same bytes."""
    found = await _found(visit, number, seller)
    content = await asyncio.to_thread(render, found)
    return Response(content, media_type="application/pdf", headers=_named(found, "pdf", "inline"))


@router.get("/app/money/documents/json")
async def as_json(
    visit: Annotated[Visit, may("accounting:read", "customers:read")],
    number: str = "",
    seller: str = "",
) -> Response:
    """All that is printed, for another program: amounts are decimal texts."""
    found = await _found(visit, number, seller)
    content = json.dumps(amounts_as_text(found), ensure_ascii=False, indent=1)
    headers = _named(found, "json", "attachment")
    return Response(content, media_type="application/json", headers=headers)


async def _found(visit: Visit, number: str, seller: str) -> Issued:
    """Raises NotFound, and InvalidInput where several sellers have one of this number."""
    return await visit.here.accounting.document(
        number[:_NUMBER_MAX], seller or None, sellers=own_sellers(visit)
    )


def _named(found: Issued, ending: str, kind: str) -> dict[str, str]:
    name = quote(f"{found.number}.{ending}", safe="")
    return {**HEADERS, "Content-Disposition": f"{kind}; filename*=UTF-8''{name}"}
