"""The forms of an order's page: what its customer asks for, and the answer of the order."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

from fastapi import APIRouter, Request
from limits import RateLimitItemPerMinute
from pydantic import ValidationError
from starlette.responses import RedirectResponse, Response

from domain.errors import OrderloomError
from starter.web.customer import offers, requests
from starter.web.customer.forms import refusal_of, shown_form
from starter.web.customer.languages import query
from starter.web.customer.order_page import shown_order
from starter.web.customer.sums import shown_sums
from starter.web.customer.visits import NoPageError, Visit, here, pages_at, visit_by
from starter.web.guards import HEADERS, BadForm, form, is_foreign, turns_of

router = APIRouter(include_in_schema=False)

ASKED: Final = RateLimitItemPerMinute(20)
"""Of one order's page."""
ANSWER_SECONDS: Final = 15.0


@router.get("/o/{token}/{ask}")
@pages_at(2)
async def ask_page(request: Request, token: str, ask: str) -> Response:
    """The form for something that can be asked for."""
    visit = await visit_by(request, token, whole=True)
    known = _known(ask)
    if not visit.offers.has(known):
        return shown_order(request, visit, depth=2, told="why_refused", status=409)
    return shown_form(request, visit, known, {})


@router.post("/o/{token}/{ask}")
@pages_at(2)
async def ask(request: Request, token: str, ask: str) -> Response:
    """Ask the order. It leads back to the page, so that a reload asks nothing again."""
    visit = await visit_by(request, token, whole=True)
    known = _known(ask)
    if is_foreign(request):
        return shown_order(request, visit, depth=2, told="why_foreign", status=403)
    if not turns_of(request).takes(ASKED, f"order {visit.order.detail.summary.order_id}"):
        return shown_order(request, visit, depth=2, told="why_too_many", status=429)
    return await _asked(request, visit, known)


async def _asked(request: Request, visit: Visit, known: offers.Ask) -> Response:
    token = visit.token
    sent: dict[str, str] = {}
    try:
        sent = await form(request)
        if await _has_changed(request, visit, known, sent):
            return shown_form(request, visit, known, sent, refusal="why_changed", status=409)
        if known in offers.LOOKED_AT_FIRST and sent.get("sure") != "yes":
            return await shown_sums(request, visit, known, sent)
        async with asyncio.timeout(ANSWER_SECONDS):
            told = await requests.send(here(request), visit.order, known, sent)
    except (BadForm, ValidationError, requests.Incomplete, OrderloomError) as error:
        status, key = refusal_of(error, visit.words)
        # What was refused may have changed while its form was open: it is shown as it is by now.
        now = await visit_by(request, token, whole=True)
        if not now.offers.has(known):
            return shown_order(request, now, depth=2, told=key, status=status)
        return shown_form(request, now, known, sent, refusal=key, status=status)
    except TimeoutError:
        told = "done_waits"
    done = query(request, done=told.removeprefix("done_"))
    return RedirectResponse(f"../{token}{done}", 303, headers=HEADERS)


def _known(ask: str) -> offers.Ask:
    """Raises NoPageError for what nobody can ask for."""
    for one in offers.ASKS:
        if one == ask:
            return one
    raise NoPageError("nothing_here", 404)


async def _has_changed(
    request: Request, visit: Visit, ask: offers.Ask, sent: Mapping[str, str]
) -> bool:
    """Whether what the form was about is no more as the form has shown it.

    So a form that is sent again from a second tab, or by going back, asks for nothing twice. One
    that was answered already gets that answer again.
    """
    order = visit.order
    if not visit.offers.has(ask) or sent.get("seen") == offers.digest(order, ask):
        return False
    order_id = order.detail.summary.order_id
    return not await here(request).tracking.has_answered(order_id, sent.get("request_id", ""))
