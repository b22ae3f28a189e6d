"""The look-up: where an order is, for whoever has no link at hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fastapi import APIRouter, Request
from limits import RateLimitItemPerHour, RateLimitItemPerMinute
from starlette.responses import RedirectResponse, Response

from starter.web.customer.languages import query, words_of_browser
from starter.web.customer.templates import page
from starter.web.customer.visits import here, pages_at
from starter.web.guards import HEADERS, BadForm, form, is_foreign, turns_of

router = APIRouter(include_in_schema=False)

TRIES: Final = RateLimitItemPerMinute(10)
"""Of one address that looks orders up."""
TRIES_OF_AN_ORDER: Final = RateLimitItemPerHour(20)
"""Of one order's number, from wherever: nobody goes through all postal codes."""


@router.get("/track")
@pages_at(0)
async def track_page(request: Request) -> Response:
    """The look-up, for whoever has no link at hand."""
    return await _track(request, {})


@router.post("/track")
@pages_at(0)
async def track(request: Request) -> Response:
    """Leads to where the order is. What does not belong together is answered like what is not."""
    if is_foreign(request):
        return await _track(request, {}, told="why_foreign", status=403)
    try:
        sent = await form(request)
    except BadForm:
        return await _track(request, {}, told="not_complete", status=422)
    number, said = sent.get("number", ""), sent.get("said", "")
    if not 0 < len(number) <= 120 or not 0 < len(said) <= 254:
        return await _track(request, sent, told="not_complete", status=422)
    address = f"address {request.client.host if request.client else ''}"
    whose = f"number {number.lstrip('#').lower()}"
    turns = turns_of(request)
    if not (turns.takes(TRIES, address) and turns.takes(TRIES_OF_AN_ORDER, whose)):
        return await _track(request, sent, told="why_too_many", status=429)
    token = await here(request).tracking.looked_up(number, said)
    if token is None:
        return await _track(request, sent, told="track_nothing", status=404)
    return RedirectResponse(f"o/{token}{query(request)}", 303, headers=HEADERS)


async def _track(
    request: Request, sent: Mapping[str, str], *, told: str = "", status: int = 200
) -> Response:
    words = words_of_browser(request)
    seller = await here(request).tracking.only_seller()
    return page(*("track", request, words, seller), depth=0, status=status, told=told, sent=sent)
