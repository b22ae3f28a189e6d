"""One box for whatever somebody has in hand."""

from __future__ import annotations

from typing import Annotated, Final
from urllib.parse import quote

from fastapi import APIRouter
from starlette.responses import Response

from starter.service.customers import Part
from starter.web.desk.access import theirs
from starter.web.screens.visits import ScreenRoute, Visit, may
from store.customers.finding import FoundCustomer
from store.views.search import Found, Kind

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)

_KINDS: Final[tuple[Kind, ...]] = ("order", "fulfilment", "return", "parcel", "document")
_TEXT_MAX: Final = 200
_AT_MOST: Final = 20


@router.get("/app/find")
async def find(visit: Annotated[Visit, may("orders:read")], q: str = "") -> Response:
    """To the one order that a text names, or a list of what it may mean.

    An order's id or its channel's number, a parcel's or a tracking number, a return, an invoice;
    where somebody may see customers, also a mail address, the end of a phone number, and a name.
    """
    text = q.strip()[:_TEXT_MAX].replace("\0", "")
    limits = theirs(visit)
    found: list[Found] = []
    people: list[FoundCustomer] = []
    if text:
        found = list(await visit.here.search.found(text, kinds=_KINDS, **limits, at_most=_AT_MOST))
        orders = {one.order_id for one in found}
        if len(orders) == 1 and None not in orders:
            return visit.lead(f"app/orders/{quote(str(orders.pop()))}")
        if visit.person.allows("customers:read"):
            people = list(
                await visit.here.customer_pages.found(text, part=Part(**limits), at_most=_AT_MOST)
            )
    return visit.show("desk/found", q=text, found=found, people=people)
