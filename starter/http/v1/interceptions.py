"""Parcels that are stopped on their way, and those that are sent anew."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from domain.orders.interception_messages import (
    Interception,
    InterceptOutcome,
    ParcelAnew,
    SendAnewOutcome,
)
from starter.http.asking import DECIDED_LATER, Asking, asks
from starter.http.examples import example
from starter.http.reading import StrictRoute

router = APIRouter(prefix="/v1", tags=["aftersales"], route_class=StrictRoute)


@router.post(
    "/orders/{order_id}/intercept",
    operation_id="interceptParcel",
    summary="Have a parcel redirected or returned on its way",
    response_model=InterceptOutcome,
    responses=DECIDED_LATER,
)
async def intercept(
    content: Annotated[
        Interception,
        example(
            {
                "fulfilment_id": "web-1001:1",
                "way": "return",
                "reason": "the address is wrong",
            }
        ),
    ],
    asking: Annotated[Asking, asks("aftersales:write")],
) -> Response:
    """The carrier is asked, where it can; its scans tell what comes of it."""
    return await asking.answer(content, asking.here.interceptions.intercept, InterceptOutcome)


@router.post(
    "/orders/{order_id}/send-anew",
    operation_id="sendAnew",
    summary="Have a parcel sent once more that comes back",
    response_model=SendAnewOutcome,
    responses=DECIDED_LATER,
)
async def send_anew(
    content: Annotated[
        ParcelAnew, example({"fulfilment_id": "web-1001:1", "reason": "the customer was away"})
    ],
    asking: Annotated[Asking, asks("aftersales:write")],
) -> Response:
    """When the warehouse has counted it, instead of being paid back; perhaps elsewhere."""
    return await asking.answer(content, asking.here.interceptions.send_anew, SendAnewOutcome)
