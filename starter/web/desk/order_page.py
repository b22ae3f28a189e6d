"""All of one order: where it stands, its units and money, what needs a person, and its story."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import APIRouter
from starlette.responses import Response

from domain.orders.hold_messages import StandingHold
from starter.web.desk.access import check_order
from starter.web.guards import HEADERS
from starter.web.screens.forms import Said, told_by
from starter.web.screens.visits import ScreenRoute, Visit, may
from store.views.reads import EventRow, OrderDetail, OrderLine

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)

_STORY_MAX: Final = 200


@dataclass(frozen=True)
class Shown:
    """An order as the desk sees it. `version`: another one with each change of it."""

    detail: OrderDetail
    holds: Sequence[StandingHold]
    version: str

    @property
    def newest_event(self) -> int:
        """The number of its story's last line."""
        return self.detail.story[-1].event_id if self.detail.story else 0

    def units(self, line: OrderLine) -> list[tuple[str, int]]:
        """How many units of a line are where, each counted once, without what is nowhere."""
        counted = {
            "open": line.open,
            "backordered": line.backordered,
            "allocated": line.allocated - line.picked,
            "picked": line.picked,
            "shipped": line.shipped - line.delivered - line.lost,
            "delivered": line.delivered - line.return_requested - line.returned,
            "lost": line.lost,
            "return_requested": line.return_requested,
            "returned": line.returned,
            "cancelled": line.cancelled,
        }
        return [(name, n) for name, n in counted.items() if n]

    def here(self, line: OrderLine) -> int:
        """Units that have not left: they can be cancelled."""
        return line.ordered - line.cancelled - line.shipped

    @property
    def can_cancel(self) -> bool:
        """Whether any unit has not left."""
        return not self.is_over and any(self.here(line) for line in self.detail.lines)

    @property
    def is_over(self) -> bool:
        """Whether nothing more happens to it."""
        return self.detail.summary.state in ("closed", "rejected", "cancelled")


async def look(visit: Visit, order_id: str) -> Shown:
    """An order as it is now. Raises NotFound, also for somebody else's."""
    await check_order(visit, order_id)
    # The version first: a form is rather refused than met on what its page did not show.
    version = (await visit.here.orders.snapshot(order_id)).version
    detail = await visit.here.orders.get(order_id)
    return Shown(detail, await visit.here.holds.standing(order_id), version)


@router.get("/app/orders/{order_id}")
async def order(
    visit: Annotated[Visit, may("orders:read")], order_id: str, done: str = ""
) -> Response:
    """All of it."""
    return page(visit, await look(visit, order_id), told=told_by(visit, done))


@router.get("/app/orders/{order_id}/version")
async def version(visit: Annotated[Visit, may("orders:read")], order_id: str) -> Response:
    """What the page compares with what it shows: a short text."""
    await check_order(visit, order_id)
    found = (await visit.here.orders.snapshot(order_id)).version
    return Response(found, media_type="text/plain", headers=HEADERS)


def page(
    visit: Visit,
    shown: Shown,
    *,
    status: int = 200,
    told: str = "",
    trouble: Sequence[str] = (),
    news: Sequence[EventRow] = (),
    sent: dict[str, list[str]] | None = None,
    request_id: str = "",
) -> Response:
    """An order's page. `news`: what has happened since the form was shown that was not met.

    `sent`: what was typed into that form; it is not lost. `request_id`: of the page whose
    forms these are, too; "": new ones.
    """
    person = visit.person
    return visit.show(
        "desk/order",
        status=status,
        told=told,
        trouble=trouble,
        news=news,
        one=shown,
        detail=shown.detail,
        summary=shown.detail.summary,
        story=list(reversed(shown.detail.story))[:_STORY_MAX],
        customer=_customer(visit, shown.detail),
        said=Said.of(sent),
        request_id=request_id or f"desk-{uuid.uuid4().hex}",
        is_answer=sent is not None,
        may_write=person.allows("orders:write"),
        may_cancel=person.allows("aftersales:write"),
    )


def _customer(visit: Visit, detail: OrderDetail) -> dict[str, Any] | None:
    """Who ordered and where it goes, for those who may see customers."""
    if not visit.person.allows("customers:read"):
        return None
    document = detail.document
    shipping = document.get("shipping") or {}
    return {"who": document.get("customer") or {}, "address": shipping.get("address") or {}}
