"""Requests to orders after they were placed: cancel, send back, pay back."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from starlette.responses import Response

from domain.orders.messages import (
    CancelOutcome,
    CancelRequest,
    RefundOutcome,
    RefundRequest,
    ReturnOutcome,
    ReturnRequest,
)
from starter.http.asking import DECIDED_LATER, Asking, IfMatch
from starter.http.callers import Caller, may
from starter.http.examples import example
from starter.http.once import Keyed
from starter.http.reading import StrictRoute
from starter.http.waiting import Waits

router = APIRouter(prefix="/v1/orders", tags=["aftersales"], route_class=StrictRoute)


@router.post(
    "/{order_id}/cancel",
    operation_id="cancelOrder",
    summary="Cancel an order, or some of its units",
    response_model=CancelOutcome,
    responses=DECIDED_LATER,
)
async def cancel(
    request: Request,
    order_id: str,
    content: Annotated[
        CancelRequest, example({"reason": "ordered twice", "lines": [{"line_id": "1"}]})
    ],
    caller: Annotated[Caller, may("aftersales:write")],
    once: Keyed,
    waits: Waits,
    _: IfMatch = None,
) -> Response:
    """Each unit is cancelled, or refused with the reason: what a carrier has cannot be stopped."""
    asking = Asking(request, caller, once, waits, order_id)
    return await asking.answer(content, caller.here.aftersales.cancel, CancelOutcome)


@router.post(
    "/{order_id}/return",
    operation_id="requestReturn",
    summary="Ask to send units back",
    response_model=ReturnOutcome,
    responses=DECIDED_LATER,
)
async def request_return(
    request: Request,
    order_id: str,
    content: Annotated[
        ReturnRequest,
        example({"reason": "too small", "lines": [{"line_id": "1", "quantity": 1}]}),
    ],
    caller: Annotated[Caller, may("aftersales:write")],
    once: Keyed,
    waits: Waits,
    _: IfMatch = None,
) -> Response:
    """Approved with the id that the customer writes on the parcel, or refused with the reason."""
    asking = Asking(request, caller, once, waits, order_id)
    return await asking.answer(content, caller.here.aftersales.request_return, ReturnOutcome)


@router.post(
    "/{order_id}/refund",
    operation_id="refundOrder",
    summary="Pay back what comes with no return",
    response_model=RefundOutcome,
    responses=DECIDED_LATER,
)
async def refund(
    request: Request,
    order_id: str,
    content: Annotated[RefundRequest, example({"reason": "it came too late", "amount": "5.00"})],
    caller: Annotated[Caller, may("payments:write")],
    once: Keyed,
    waits: Waits,
    _: IfMatch = None,
) -> Response:
    """Units that the customer keeps, the shipping, or an amount as goodwill."""
    asking = Asking(request, caller, once, waits, order_id)
    return await asking.answer(content, caller.here.aftersales.refund, RefundOutcome)
