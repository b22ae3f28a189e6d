"""Paying: the customer goes to a page of a payment company, and comes back from there.

No number of a card comes here, and no form leads elsewhere: a link does, so that the policy of our
pages needs no exception, and nothing of it needs a script.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import uuid
from typing import Final

from fastapi import APIRouter, Request
from pydantic import ValidationError
from starlette.responses import RedirectResponse, Response

from domain.errors import NotFound, OrderloomError
from domain.money import Money
from domain.payments.pay_pages import REFERENCE, WantedPage
from starter.service.pay_pages import CompanyPages
from starter.web.customer import offers, requests
from starter.web.customer.asking import ANSWER_SECONDS, ASKED
from starter.web.customer.forms import paid_at, refusal_of, shown_form
from starter.web.customer.languages import query
from starter.web.customer.order_page import shown_order
from starter.web.customer.visits import NoPageError, Visit, here, pages_at, visit_by
from starter.web.guards import HEADERS, turns_of

router = APIRouter(include_in_schema=False)

_KEY: Final = re.compile(r"page-[0-9a-f]{32}")
_REFERENCE: Final = re.compile(r"[A-Za-z0-9_.-]{8,200}")


@router.get("/o/{token}/pay/{provider}")
@pages_at(3)
async def to_company(request: Request, token: str, provider: str) -> Response:
    """Leads to a page of the company. The same form leads to the same one."""
    visit = await visit_by(request, token, whole=True)
    if not visit.offers.has("pay"):
        return shown_order(request, visit, depth=3, told="why_no_payment_awaited", status=409)
    if provider not in paid_at(request, visit.order):
        raise NoPageError("nothing_here", 404)
    if not turns_of(request).takes(ASKED, f"order {visit.order.detail.summary.order_id}"):
        return shown_order(request, visit, depth=3, told="why_too_many", status=429)
    try:
        wanted = await _wanted(request, visit, provider)
        address = await _companies(request).make(provider, wanted)
    except OrderloomError as error:
        status, key = refusal_of(error, visit.words)
        return shown_form(request, visit, "pay", {}, refusal=key, status=status, depth=3)
    return RedirectResponse(address, 303, headers=HEADERS)


@router.get("/o/{token}/pay/{provider}/back")
@pages_at(4)
async def from_company(request: Request, token: str, provider: str) -> Response:
    """Pays with what the customer has left at the company, once: a reload pays nothing again."""
    visit = await visit_by(request, token, whole=True)
    order_id = visit.order.detail.summary.order_id
    reference = request.query_params.get("page", "")
    if not _REFERENCE.fullmatch(reference):
        raise NoPageError("nothing_here", 404)
    if not turns_of(request).takes(ASKED, f"order {order_id}"):
        return shown_order(request, visit, depth=4, told="why_too_many", status=429)
    request_id = f"page-{hashlib.sha256(reference.encode()).hexdigest()[:32]}"
    try:
        pays = await _companies(request).token(provider, reference, order_id)
        if pays is None:
            raise requests.Incomplete("pay_not_finished")
        async with asyncio.timeout(ANSWER_SECONDS):
            told = await requests.pay(here(request), order_id, request_id, provider, pays)
    except NotFound:  # a page of another order, or of nobody
        raise NoPageError("nothing_here", 404) from None
    except (ValidationError, requests.Incomplete, OrderloomError) as error:
        status, key = refusal_of(error, visit.words)
        now = await visit_by(request, token, whole=True)
        if not now.offers.has("pay"):
            return shown_order(request, now, depth=4, told=key, status=status)
        return shown_form(request, now, "pay", {}, refusal=key, status=status, depth=4)
    except TimeoutError:
        told = "done_waits"
    done = query(request, done=told.removeprefix("done_"))
    return RedirectResponse(f"../../../{token}{done}", 303, headers=HEADERS)


async def _wanted(request: Request, visit: Visit, provider: str) -> WantedPage:
    order, words = visit.order, visit.words
    summary = order.detail.summary
    owed = offers.to_pay(order)
    asked = request.query_params.get("key", "")
    key = asked if _KEY.fullmatch(asked) else f"page-{uuid.uuid4().hex}"
    # The company learns the address to come back to: the link in it is good for a day.
    token = await here(request).tracking.short_token(summary.order_id)
    page = f"{_companies(request).pages_url}/o/{token}/pay"
    kept = query(request)
    return WantedPage(
        key=f"{key}-{owed}",
        order_id=summary.order_id,
        amount=Money(minor=owed, currency=summary.currency),
        language=words.language,
        says=words(
            "pay_says", amount=words.money(owed, summary.currency), shop=order.seller.shown_name
        ),
        back=f"{page}/{provider}/back{kept}{'&' if kept else '?'}page={REFERENCE}",
        unpaid=f"{page}{kept}",
    )


def _companies(request: Request) -> CompanyPages:
    found: CompanyPages = request.app.state.pay_pages
    return found
