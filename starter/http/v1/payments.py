"""Money of one order: paid anew, charged by hand; and steps that wait for a person's decision."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from starlette.responses import Response

from domain.orders.messages import ChargeRequest, PayOutcome, PayRequest
from starter.http.asking import DECIDED_LATER, Asking, IfMatch
from starter.http.callers import Caller, may
from starter.http.examples import example
from starter.http.once import Keyed
from starter.http.reading import StrictRoute
from starter.http.waiting import Waits

router = APIRouter(prefix="/v1/orders", tags=["payments"], route_class=StrictRoute)


@router.post(
    "/{order_id}/pay",
    operation_id="payOrder",
    summary="Pay an order that is held for its payment",
    response_model=PayOutcome,
    responses=DECIDED_LATER,
)
async def pay(
    request: Request,
    order_id: str,
    content: Annotated[PayRequest, example({"token": "tok_visa", "by": "Kim Minji"})],
    caller: Annotated[Caller, may("payments:write")],
    once: Keyed,
    waits: Waits,
    _: IfMatch = None,
) -> Response:
    """With a token that the customer confirmed, or a new one."""
    asking = Asking(request, caller, once, waits, order_id)
    return await asking.answer(content, caller.here.payments.pay, PayOutcome)


@router.post(
    "/{order_id}/charge",
    operation_id="chargeOrder",
    summary="Charge an order that waits for somebody to say so",
    response_model=PayOutcome,
    responses=DECIDED_LATER,
)
async def charge(
    request: Request,
    order_id: str,
    content: Annotated[ChargeRequest, example({"note": "the invoice was accepted"})],
    caller: Annotated[Caller, may("payments:write")],
    once: Keyed,
    waits: Waits,
    _: IfMatch = None,
) -> Response:
    """For orders whose policy charges by hand."""
    asking = Asking(request, caller, once, waits, order_id)
    return await asking.answer(content, caller.here.payments.charge, PayOutcome)
