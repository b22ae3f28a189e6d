"""Forms as they are shown: empty, or once more with what was typed and why it was refused."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from fastapi import Request
from pydantic import ValidationError
from starlette.responses import Response

from domain.errors import Ending, InvalidInput, Refused, Unreachable
from starter.service.pay_pages import CompanyPages
from starter.service.tracking import TrackedOrder
from starter.web.customer import offers, requests, shown
from starter.web.customer.languages import query
from starter.web.customer.templates import page
from starter.web.customer.visits import Visit
from starter.web.guards import BadForm
from starter.web.words import Words


def refusal_of(error: Exception, words: Words) -> tuple[int, str]:
    """The status of the answer, and the key of the sentence that says why."""
    match error:
        case requests.Incomplete():
            return 422, error.key
        case InvalidInput() if error.reason:
            return 422, requests.why(error.reason, words)
        case BadForm() | ValidationError() | InvalidInput():
            return 422, "not_complete"
        case Ending():
            return 409, "why_ending"
        case Unreachable():
            return 503, "why_unreachable"
        case Refused():
            return 409, requests.why(error.reason, words)
        case _:
            raise error


def shown_form(
    request: Request,
    visit: Visit,
    ask: offers.Ask,
    sent: Mapping[str, str],
    *,
    refusal: str = "",
    status: int = 200,
    depth: int = 2,
) -> Response:
    """The form for something that can be asked for. `refusal`: the key of what is said above it."""
    order, words = visit.order, visit.words
    request_id = f"page-{uuid.uuid4().hex}"
    place = order.detail.document.get("shipping", {}).get("address") or {}
    return page(
        *("ask", request, words, order.seller),
        depth=depth,
        status=status,
        token=visit.token,
        ask=ask,
        refusal=words(refusal) if refusal else "",
        sent=sent,
        # What was refused may be asked once more, with other content: that is another request.
        request_id=request_id,
        with_key=query(request, key=request_id),
        names=shown.names(order),
        seen=offers.digest(order, ask),
        units=offers.units(order, ask),
        others=_others(order, visit, ask),
        cancel_why=requests.CANCEL_WHY,
        return_why=requests.RETURN_WHY,
        claim_kinds=requests.CLAIM_KINDS,
        address_fields=requests.ADDRESS_FIELDS,
        place=place,
        country=words.country(place.get("country") or ""),
        by_code=offers.by_code(order),
        companies=paid_at(request, order),
        owed=words.money(offers.to_pay(order), order.detail.summary.currency),
    )


def _others(order: TrackedOrder, visit: Visit, ask: offers.Ask) -> dict[str, dict[str, str]]:
    """Line id → what can be had for it: others first, and the same again last."""
    if ask != "exchange":
        return {}
    found = {}
    for line in order.detail.lines:
        names = offers.replacements(order, line.sku)
        if line.sku in names:
            same = visit.words("exchange_same", name=names.pop(line.sku))
            names[line.sku] = same
        found[line.line_id] = names
    return found


def paid_at(request: Request, order: TrackedOrder) -> dict[str, str]:
    """Provider → the name of a company on whose page the order can be paid."""
    companies: CompanyPages = request.app.state.pay_pages
    paid_by = order.detail.document.get("payment") or {}
    return companies.fitting(order.facts.providers, paid_by.get("provider", ""))
