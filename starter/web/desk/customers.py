"""Customers: found by whatever somebody has in hand, and all that is known of one of them."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Final, get_args
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.responses import Response

from domain.customers.care import CONSENT_KINDS, Contact
from domain.customers.ids import customer_id as id_of
from starter.service.customer_pages import CustomerPage
from starter.service.customers import Part
from starter.web.desk.access import theirs
from starter.web.desk.reasons import IN_TEMPLATES
from starter.web.guards import HEADERS
from starter.web.screens.forms import Said, told_by, whole
from starter.web.screens.visits import ScreenRoute, Visit, may
from store.customers.finding import CustomerKind, FoundCustomer

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)

KINDS: Final = get_args(CustomerKind)
Reads = Annotated[Visit, may("customers:read")]

_TEXT_MAX: Final = 200
_PAGE: Final = 50
_LOOKS_AT: Final = 500
"""Customers of whom few are of a kind: a page looks at so many, and then says how far it came."""

_ROWS: Final = 20
_ORDERS_MAX: Final = 1_000
"""More would not be handed out within the time of an answer."""

_LOOKED_UP: Final = 4
"""Mail addresses and phone numbers by which others are looked for who may be the same person."""


@router.get("/app/customers")
async def customers(
    visit: Reads,
    q: str = "",
    which: str = "",
    segment: str = "",
    after: str = "",
    done: str = "",
) -> Response:
    """Those that a text names, or of a kind, or in a segment; or all: the latest first.

    `after`: behind the one with this number.
    """
    text, behind, part = q.strip()[:_TEXT_MAX], whole(after) or None, part_of(visit)
    asked = {"q": text}
    looked_until: tuple[int, datetime] | None = None
    # Who sees a part of the orders is told of no segment: those are of the whole person.
    segments = [one.segment for one in await visit.here.segments.list()] if part.is_all else []
    if text:
        found = await visit.here.customer_pages.found(
            text, part=part, after=behind, at_most=_PAGE + 1
        )
    else:
        kind = next((one for one in KINDS if one == which), None)
        chosen = segment if segment in segments and kind is None else None
        asked = {"which": kind} if kind else {"segment": chosen} if chosen else {}
        found, looked_until = await visit.here.customer_pages.listed(
            kind=kind,
            segment=chosen,
            part=part,
            after=behind,
            at_most=_PAGE + 1,
            looks_at=_LOOKS_AT,
        )
    shown = found[:_PAGE]
    last = shown[-1].customer_no if len(found) > _PAGE else 0
    further = last or (looked_until[0] if looked_until else 0)
    ways: list[tuple[dict[str, str], str]] = [({}, visit.words("customers_all"))]
    ways += [({"which": one}, visit.words(f"customers_{one}")) for one in KINDS]
    ways += [({"segment": one}, one) for one in segments]
    return visit.show(
        "desk/customers",
        told=told_by(visit, done),
        text=text,
        ways=[(urlencode(way), told, way == asked) for way, told in ways],
        segment=asked.get("segment"),
        people=[(id_of(one.customer_no), one) for one in shown],
        looked_until=None if last or looked_until is None else looked_until[1],
        more=urlencode({**asked, "after": further}) if further else "",
    )


@router.get("/app/customers/{customer_id}")
async def customer(visit: Reads, customer_id: str, done: str = "") -> Response:
    """All that is known of one."""
    return await show(visit, customer_id, told=told_by(visit, done))


@router.get("/app/customers/{customer_id}/orders")
async def orders(visit: Reads, customer_id: str, after: str = "") -> Response:
    """Their orders, newest first. `after`: behind the one with this number."""
    found = await visit.here.customer_pages.orders(
        customer_id, part=part_of(visit), after=whole(after) or None, at_most=_PAGE + 1
    )
    shown = found[:_PAGE]
    more = urlencode({"after": shown[-1].order_no}) if len(found) > _PAGE else ""
    return visit.show("desk/customer_orders", customer_id=customer_id, orders=shown, more=more)


@router.get("/app/customers/{customer_id}/export")
async def export(visit: Reads, customer_id: str) -> Response:
    """What is stored about a person, to be handed out to them."""
    part = part_of(visit)
    await visit.here.customer_pages.check_seen(customer_id, part=part)
    found = await visit.here.customers.export(customer_id, part=part, orders_max=_ORDERS_MAX)
    headers = {**HEADERS, "Content-Disposition": f'attachment; filename="{customer_id}.json"'}
    content = json.dumps(found, ensure_ascii=False, indent=2, default=str)
    return Response(content, media_type="application/json", headers=headers)


async def show(
    visit: Visit,
    customer_id: str,
    *,
    told: str = "",
    status: int = 200,
    trouble: Sequence[str] = (),
    sent: dict[str, list[str]] | None = None,
) -> Response:
    """A customer's page. `sent`: what was typed into a form that was not met. Raises NotFound."""
    part = part_of(visit)
    page = await visit.here.customer_pages.page(customer_id, part=part, rows=_ROWS)
    is_whole = part.is_all
    return visit.show(
        "desk/customer",
        told=told,
        status=status,
        trouble=trouble,
        one=page,
        known=_known(page),
        is_whole=is_whole,
        merges=await visit.here.customer_care.merges(page.customer_id) if is_whole else (),
        same=await _maybe_same(visit, page) if is_whole else (),
        id_of=id_of,
        **IN_TEMPLATES,
        contacts=[(one, visit.words(f"contact_{one}")) for one in get_args(Contact)],
        consent_kinds=[(one, visit.words(f"consent_{one}")) for one in CONSENT_KINDS],
        merged_options=[(one, one) for one in page.merged],
        said=Said.of(sent),
        request_id=visit.field("request_id") if sent else f"desk-{uuid.uuid4().hex}",
        may_write=visit.person.allows("customers:write"),
    )


def part_of(visit: Visit) -> Part:
    """Which orders of a customer are their business."""
    return Part(**theirs(visit))


def _known(page: CustomerPage) -> dict[str, list[Any]]:
    """What is known, by its kind, the latest first."""
    found: dict[str, list[Any]] = {}
    for one in page.known_as:
        found.setdefault(one.kind, []).append(one)
    return found


async def _maybe_same(visit: Visit, page: CustomerPage) -> list[tuple[str, FoundCustomer]]:
    """Others who have a mail address or a phone number of theirs: they may be the same person."""
    texts = [str(one.value) for one in page.known_as if one.kind in ("email", "phone")]
    own = {page.customer_id, *page.merged}
    others: dict[str, FoundCustomer] = {}
    for text in texts[:_LOOKED_UP]:
        for one in await visit.here.customer_pages.found(text, at_most=_ROWS):
            if id_of(one.customer_no) not in own:
                others[id_of(one.customer_no)] = one
    return list(others.items())
