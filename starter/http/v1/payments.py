"""Money of one order: paid anew, charged by hand; and steps that wait for a person's decision."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from domain.orders.messages import ChargeRequest, PayOutcome, PayRequest
from starter.http.asking import DECIDED_LATER, Asking, asks
from starter.http.examples import example
from starter.http.reading import StrictRoute

router = APIRouter(prefix="/v1/orders", tags=["payments"], route_class=StrictRoute)


@router.post(
    "/{order_id}/pay",
    operation_id="payOrder",
    summary="Pay an order that is held for its payment",
    response_model=PayOutcome,
    responses=DECIDED_LATER,
)
async def pay(
    content: Annotated[PayRequest, example({"token": "tok_visa", "by": "Kim Minji"})],
    asking: Annotated[Asking, asks("payments:write")],
) -> Response:
    """With a token that the customer confirmed, or a new one."""
    return await asking.answer(content, asking.here.payments.pay, PayOutcome)


@router.post(
    "/{order_id}/charge",
    operation_id="chargeOrder",
    summary="Charge an order that waits for somebody to say so",
    response_model=PayOutcome,
    responses=DECIDED_LATER,
)
async def charge(
    content: Annotated[ChargeRequest, example({"note": "the invoice was accepted"})],
    asking: Annotated[Asking, asks("payments:write")],
) -> Response:
    """For orders whose policy charges by hand."""
    return await asking.answer(content, asking.here.payments.charge, PayOutcome)
