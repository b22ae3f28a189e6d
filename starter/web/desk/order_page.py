"""All of one order: where it stands, its units and money, what needs a person, and its story."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.responses import Response

from starter.service.customers import Part
from starter.web.desk import possible
from starter.web.desk.access import check_order, theirs
from starter.web.desk.order_shown import Shown
from starter.web.desk.reasons import IN_TEMPLATES
from starter.web.desk.story import KINDS, lines_of
from starter.web.desk.temporal import ui_of
from starter.web.screens.forms import told_by, whole
from starter.web.screens.visits import ScreenRoute, Visit, may
from store.views.reads import OrderDetail

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)

_STORY_MAX: Final = 30
"""Lines of the story on the order's page."""

_STORY_PAGE: Final = 100


async def look(visit: Visit, order_id: str) -> Shown:
    """An order as it is now. Raises NotFound, also for somebody else's."""
    await check_order(visit, order_id)
    facts = await visit.here.previews.facts(order_id)
    page = await visit.here.orders.page(order_id, part=Part(**theirs(visit)))
    return Shown(page, facts, datetime.now(UTC))


@router.get("/app/orders/{order_id}")
async def order(
    visit: Annotated[Visit, may("orders:read")], order_id: str, done: str = ""
) -> Response:
    """All of it."""
    return await show(visit, order_id, told=told_by(visit, done))


async def show(
    visit: Visit,
    order_id: str,
    *,
    told: str = "",
    status: int = 200,
    trouble: Sequence[str] = (),
    typed_note: str = "",
    request_id: str = "",
) -> Response:
    """An order's page. `typed_note`: into a form that was not met, whose `request_id` stays."""
    shown = await look(visit, order_id)
    return visit.show(
        "desk/order",
        told=told,
        status=status,
        trouble=trouble,
        typed_note=typed_note,
        one=shown,
        detail=shown.detail,
        summary=shown.detail.summary,
        story=shown.story[:_STORY_MAX],
        skus=_skus_of(shown.detail),
        story_kinds=KINDS,
        customer=_customer(visit, shown.detail),
        goodwill_roles=possible.roles_of(visit.person.roles, shown.facts.goodwill_roles),
        can=possible.offers(visit, shown.facts),
        request_id=request_id or f"desk-{uuid.uuid4().hex}",
        may_write=visit.person.allows("orders:write"),
        has_workflow=ui_of(visit.request) is not None and visit.person.allows("operations:read"),
        **IN_TEMPLATES,
    )


@router.get("/app/orders/{order_id}/story")
async def story(
    visit: Annotated[Visit, may("orders:read")], order_id: str, kind: str = "", before: str = ""
) -> Response:
    """All of the story, page by page. `kind`: of which lines. `before`: those before this one."""
    await check_order(visit, order_id)
    chosen = kind if kind in KINDS else ""
    first = whole(before)
    detail = await visit.here.orders.get(order_id)
    lines = [
        line
        for line in lines_of(reversed(detail.story))
        if (not chosen or line.kind == chosen) and (not first or line.event.event_id < first)
    ]
    shown = lines[:_STORY_PAGE]
    onward = {"kind": chosen, "before": shown[-1].event.event_id} if lines[_STORY_PAGE:] else {}
    return visit.show(
        "desk/story",
        order_id=order_id,
        lines=shown,
        skus=_skus_of(detail),
        kinds=[(one, visit.words(f"story_{one}")) for one in KINDS],
        kind=chosen,
        more=urlencode({name: value for name, value in onward.items() if value}),
        **IN_TEMPLATES,
    )


def _skus_of(detail: OrderDetail) -> dict[str, str]:
    """Line → its SKU."""
    return {line.line_id: line.sku for line in detail.lines}


def _customer(visit: Visit, detail: OrderDetail) -> dict[str, Any] | None:
    """Who ordered and where it goes, for those who may see customers."""
    if not visit.person.allows("customers:read"):
        return None
    document = detail.document
    shipping = document.get("shipping") or {}
    return {
        "who": document.get("customer") or {},
        "address": shipping.get("address") or {},
        "billing": document.get("billing") or {},
        "note": document.get("note") or "",
        "gift_message": document.get("gift_message") or "",
    }
