"""The forms of an order's page: what its customer asks for, and the answer of the order."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping
from typing import Final

from fastapi import APIRouter, Request
from limits import RateLimitItemPerMinute
from pydantic import ValidationError
from starlette.responses import RedirectResponse, Response

from domain.errors import Ending, InvalidInput, OrderloomError, Refused, Unreachable
from starter.web.customer import offers, requests, shown
from starter.web.customer.order_page import shown_order
from starter.web.customer.templates import page
from starter.web.customer.visits import NoPageError, Visit, here, pages_at, turns_of, visit_by
from starter.web.customer.words import Words
from starter.web.guards import HEADERS, BadForm, form, is_foreign

router = APIRouter(include_in_schema=False)

ASKED: Final = RateLimitItemPerMinute(20)
"""Of one order's page."""
_ANSWER_SECONDS: Final = 15.0


@router.get("/o/{token}/{ask}")
@pages_at(2)
async def ask_page(request: Request, token: str, ask: str) -> Response:
    """The form for something that can be asked for."""
    visit = await visit_by(request, token, whole=True)
    if ask not in offers.ASKS:
        raise NoPageError("nothing_here", 404)
    if not visit.offers.has(ask):
        return shown_order(request, visit, depth=2, told="why_refused", status=409)
    return _form(visit, ask, {})


@router.post("/o/{token}/{ask}")
@pages_at(2)
async def ask(request: Request, token: str, ask: str) -> Response:
    """Ask the order. It leads back to the page, so that a reload asks nothing again."""
    visit = await visit_by(request, token, whole=True)
    words = visit.words
    known = next((one for one in offers.ASKS if one == ask), None)
    if known is None:
        raise NoPageError("nothing_here", 404)
    if is_foreign(request):
        return shown_order(request, visit, depth=2, told="why_foreign", status=403)
    if not turns_of(request).takes(ASKED, f"order {visit.order.detail.summary.order_id}"):
        return shown_order(request, visit, depth=2, told="why_too_many", status=429)
    sent: dict[str, str] = {}
    try:
        sent = await form(request)
        async with asyncio.timeout(_ANSWER_SECONDS):
            told = await requests.send(here(request), visit.order, known, sent)
    except (BadForm, ValidationError, requests.Incomplete, OrderloomError) as error:
        status, sentence = _refusal(error, words)
        return _form(visit, ask, sent, refusal=sentence, status=status)
    except TimeoutError:
        told = "done_waits"
    done = told.removeprefix("done_")
    return RedirectResponse(f"../{token}?done={done}", 303, headers=HEADERS)


def _refusal(error: Exception, words: Words) -> tuple[int, str]:
    match error:
        case requests.Incomplete():
            return 422, words(error.key)
        case InvalidInput() if error.reason:
            return 422, requests.why(error.reason, words)
        case BadForm() | ValidationError() | InvalidInput():
            return 422, words("not_complete")
        case Ending():
            return 409, words("why_ending")
        case Unreachable():
            return 503, words("why_unreachable")
        case Refused():
            return 409, requests.why(error.reason, words)
        case _:
            raise error


def _form(
    visit: Visit,
    ask: str,
    sent: Mapping[str, str],
    *,
    refusal: str = "",
    status: int = 200,
) -> Response:
    order, words = visit.order, visit.words
    units = {
        "cancel": offers.cancellable,
        "return": offers.returnable,
        "claim": offers.claimable,
    }.get(ask)
    place = order.detail.document.get("shipping", {}).get("address") or {}
    return page(
        *("ask", words, order.seller),
        depth=2,
        status=status,
        token=visit.token,
        ask=ask,
        refusal=refusal,
        sent=sent,
        # What was refused may be asked once more, with other content: that is another request.
        request_id=f"page-{uuid.uuid4().hex}",
        names=shown.names(order),
        units={} if units is None else units(order),
        cancel_why=requests.CANCEL_WHY,
        return_why=requests.RETURN_WHY,
        claim_kinds=requests.CLAIM_KINDS,
        address_fields=requests.ADDRESS_FIELDS,
        place=place,
        country=words.country(place.get("country") or ""),
        by_code=offers.by_code(order),
        owed=words.money(offers.to_pay(order), order.detail.summary.currency),
    )
