"""Orders, the newest first. All that a list shows is in its address, so Back and reload keep it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, get_args
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.responses import Response

from domain.views.order_snapshot import OrderState
from starter.web.desk.access import theirs
from starter.web.screens.addresses import moment_in
from starter.web.screens.visits import ScreenRoute, Visit, may
from store.views.reads import OrderSummary

router = APIRouter(include_in_schema=False, route_class=ScreenRoute)

STATES: Final[tuple[OrderState, ...]] = get_args(OrderState)
_PAGE: Final = 50


@router.get("/app/orders")
async def orders(
    visit: Annotated[Visit, may("orders:read")],
    state: str = "",
    channel: str = "",
    needs: str = "",
    after: str = "",
) -> Response:
    """Those of one's channels and sellers that match every filter.

    `needs`: only those that need a person. `after`: behind the order with this moment and id. A
    filter that is none of ours is not applied, and the page does not show it as chosen.
    """
    chosen: OrderState | None = next((one for one in STATES if one == state), None)
    known = [one.channel for one in await visit.here.channels.list()]
    limits = theirs(visit)
    if limits["channels"] is not None:
        known = [one for one in known if one in limits["channels"]]
    only = channel if channel in known else None
    found = await visit.here.orders.list(
        state=chosen,
        channel=only,
        attention=True if needs else None,
        after=_place(after),
        at_most=_PAGE + 1,
        **limits,
    )
    filters = {"state": chosen or "", "channel": only or "", "needs": "1" if needs else ""}
    shown = found[:_PAGE]
    onward = {**filters, "after": _name(shown[-1])} if len(found) > _PAGE else {}
    more = urlencode({name: value for name, value in onward.items() if value})
    return visit.show(
        "desk/orders",
        orders=shown,
        state_names=[(one, visit.words(f"order_{one}")) for one in STATES],
        channels=[(one, one) for one in known],
        filters=filters,
        more=more,
    )


def _name(order: OrderSummary) -> str:
    return f"{order.received_at.isoformat()}~{order.order_id}"


def _place(text: str) -> tuple[datetime, str] | None:
    """Where a page begins; None: at the newest one, also for what is no place."""
    at, mark, order_id = text.partition("~")
    moment = moment_in(at)
    return (moment, order_id) if mark and moment is not None else None
