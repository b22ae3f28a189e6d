"""Purchase orders, the newest first; what the list shows is all in its address."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.responses import Response

from domain.calendars import Calendar
from domain.purchasing.purchase_orders import PurchaseStanding
from starter.web.buying.asked import day_in_address
from starter.web.buying.limits import locations, places, supplier_choice
from starter.web.buying.shown import show
from starter.web.screens.forms import told_by, whole
from starter.web.screens.visits import ScreenRoute, Visit, may
from store.purchasing.purchase_reads import PurchaseOrder

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)

STATES: Final[tuple[PurchaseStanding, ...]] = (
    *("proposed", "approved", "sent", "acknowledged", "shipped"),
    *("partly_received", "received", "closed", "cancelled"),
)
WITH_THE_SUPPLIER: Final = ("sent", "acknowledged", "shipped", "partly_received")
_PAGE: Final = 50


@router.get("/app/purchases")
async def purchases(
    visit: Annotated[Visit, may("purchasing:read")],
    state: str = "",
    supplier: str = "",
    sku: str = "",
    late: str = "",
    due: str = "",
    before: str = "",
    done: str = "",
) -> Response:
    """Those of one's locations that match every filter.

    `state`: one of theirs; "all": also those that have ended. `late`: goods are overdue. `due`:
    some are due by this day. `before`: a page behind this number.
    """
    chosen: PurchaseStanding | None = next((one for one in STATES if one == state), None)
    due_by = day_in_address(due)
    here = await locations(visit)
    found = await visit.here.purchasing.orders(
        only_open=chosen is None and state != "all",
        states=None if chosen is None else [chosen],
        supplier=supplier or None,
        sku=sku or None,
        locations=places(visit),
        only_late=bool(late),
        due_by=due_by,
        before=whole(before) or None,
        at_most=_PAGE + 1,
    )
    filters = {
        "state": "all" if state == "all" else chosen or "",
        "supplier": supplier,
        "sku": sku,
        "late": "1" if late else "",
        "due": due_by.isoformat() if due_by else "",
    }
    rows = found[:_PAGE]
    onward = {**filters, "before": str(rows[-1].number)} if len(found) > _PAGE else {}
    calendars = {one.location: one.calendar for one in here}
    told = [(one, days_late(one, calendars.get(one.location))) for one in rows]
    return await show(
        visit,
        "buying/purchases",
        told=told_by(visit, done),
        orders=[(one, n) for one, n in told if n or not late],
        states=[(one, visit.words(f"po_{one}")) for one in STATES],
        suppliers=await supplier_choice(visit, supplier),
        filters=filters,
        due=due_by,
        more=urlencode({name: value for name, value in onward.items() if value}),
        may_write=visit.person.allows("purchasing:write"),
    )


def days_late(order: PurchaseOrder, calendar: Calendar | None) -> int:
    """The working days of its location by which outstanding goods are late; 0: they are not.

    What is due on a day on which nobody works there may come on the next one.
    """
    if order.state not in WITH_THE_SUPPLIER or order.due_on is None:
        return 0
    place = calendar or Calendar()
    today, awaited = place.today(datetime.now(UTC)), place.first_working_day(order.due_on)
    return max(1, place.working_days_between(awaited, today)) if awaited < today else 0
