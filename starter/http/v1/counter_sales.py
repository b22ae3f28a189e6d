"""Sales at a counter."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter
from starlette.responses import Response

from domain.fields import Id
from domain.orders.order import Order
from starter.http.callers import Caller, may
from starter.http.examples import example
from starter.http.once import Keyed
from starter.http.reading import StrictRoute
from starter.http.reports import Report
from starter.http.v1.placing import check_channel
from starter.http.waiting import Waits
from starter.service.counter_sales import Sale

router = APIRouter(prefix="/v1", tags=["orders"], route_class=StrictRoute)

_SALE: Final = {
    "order": {
        "channel": "web",
        "channel_order_id": "T-17",
        "placed_at": "2026-11-28T16:03:00+01:00",
        "currency": "EUR",
        "lines": [{"sku": "TEA-ASSAM-250", "quantity": 1, "unit_price": "8.90"}],
        "payment": {"token": "tok_ok"},
    },
    "location": "main",
    "by": "anna",
}


class CounterSale(Report):
    """What the customer has in the hand, and where. It needs no customer and no address.

    `is_gone`: it was sold while there was no network, at the order's own time: whatever the count
    says, it is taken in.
    """

    order: Order
    location: Id
    is_gone: bool = False


@router.post(
    "/counter-sales",
    operation_id="sellAtCounter",
    summary="Sell what the customer has in the hand",
    response_model=Sale,
)
async def sell(
    content: Annotated[CounterSale, example(_SALE)],
    caller: Annotated[Caller, may("orders:write")],
    once: Keyed,
    waits: Waits,
) -> Response:
    """It is placed, paid and handed over before this is answered, or nothing is.

    It is one sale however often it is told: its channel and its number name it.
    """
    await check_channel(caller, content.order.channel)

    async def work() -> Sale:
        return await caller.here.counter_sales.sell(
            content.order,
            content.location,
            is_gone=content.is_gone,
            who=caller.who(content.by),
            within=waits.long,
        )

    return await once.once_by_name(work)
