"""Requests to orders after they were placed: cancel, send back, pay back."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from domain.orders.messages import CancelOutcome, CancelRequest, RefundOutcome, RefundRequest
from domain.orders.price_match_messages import PriceMatchRequest
from domain.orders.return_messages import (
    ReturnAnswer,
    ReturnDecided,
    ReturnGivenUp,
    ReturnOutcome,
    ReturnRequest,
)
from starter.http.asking import DECIDED_LATER, Asking, asks
from starter.http.examples import example
from starter.http.reading import StrictRoute

router = APIRouter(prefix="/v1/orders", tags=["aftersales"], route_class=StrictRoute)


@router.post(
    "/{order_id}/cancel",
    operation_id="cancelOrder",
    summary="Cancel an order, or some of its units",
    response_model=CancelOutcome,
    responses=DECIDED_LATER,
)
async def cancel(
    content: Annotated[
        CancelRequest, example({"reason": "ordered twice", "lines": [{"line_id": "1"}]})
    ],
    asking: Annotated[Asking, asks("aftersales:write")],
) -> Response:
    """Each unit is cancelled, or refused with the reason: what a carrier has cannot be stopped."""
    return await asking.answer(content, asking.here.aftersales.cancel, CancelOutcome)


@router.post(
    "/{order_id}/return",
    operation_id="requestReturn",
    summary="Ask to send units back",
    response_model=ReturnOutcome,
    responses=DECIDED_LATER,
)
async def request_return(
    content: Annotated[
        ReturnRequest,
        example(
            {
                "reason": "too small",
                "reason_code": "did_not_fit",
                "lines": [{"line_id": "1", "quantity": 1}],
            }
        ),
    ],
    asking: Annotated[Asking, asks("aftersales:write")],
) -> Response:
    """Approved with the id that the customer writes on the parcel, or refused with the reason.

    Or `requested`: the rules want a person to decide first.
    """
    return await asking.answer(content, asking.here.aftersales.request_return, ReturnOutcome)


@router.post(
    "/{order_id}/decide-return",
    operation_id="decideReturn",
    summary="Approve or refuse a return about which a person is asked",
    response_model=ReturnDecided,
    responses=DECIDED_LATER,
)
async def decide_return(
    content: Annotated[
        ReturnAnswer,
        example({"return_id": "web-1001:R1", "decision": "approve", "note": "a good customer"}),
    ],
    asking: Annotated[Asking, asks("aftersales:write")],
) -> Response:
    """Only while it is `requested`. Its parcel is expected, or its units stay sold."""
    return await asking.answer(content, asking.here.aftersales.decide_return, ReturnDecided)


@router.post(
    "/{order_id}/cancel-return",
    operation_id="cancelReturn",
    summary="Give a return up",
    response_model=ReturnDecided,
    responses=DECIDED_LATER,
)
async def cancel_return(
    content: Annotated[
        ReturnGivenUp, example({"return_id": "web-1001:R1", "reason": "the customer keeps them"})
    ],
    asking: Annotated[Asking, asks("aftersales:write")],
) -> Response:
    """Before anything of it has come. Its units stay sold, and can be asked for again."""
    return await asking.answer(content, asking.here.aftersales.cancel_return, ReturnDecided)


@router.post(
    "/{order_id}/refund",
    operation_id="refundOrder",
    summary="Pay back what comes with no return",
    response_model=RefundOutcome,
    responses=DECIDED_LATER,
)
async def refund(
    content: Annotated[RefundRequest, example({"reason": "it came too late", "amount": "5.00"})],
    asking: Annotated[Asking, asks("payments:write")],
) -> Response:
    """Units that the customer keeps, the shipping, or an amount as goodwill."""
    return await asking.answer(content, asking.here.aftersales.refund, RefundOutcome)


@router.post(
    "/{order_id}/price-match",
    operation_id="matchPrice",
    summary="Meet a lower price that the customer has found",
    response_model=RefundOutcome,
    responses=DECIDED_LATER,
)
async def match_price(
    content: Annotated[
        PriceMatchRequest,
        example(
            {"line_id": "1", "unit_price": "8.50", "evidence": "https://shop.example/tea, today"}
        ),
    ],
    asking: Annotated[Asking, asks("payments:write")],
) -> Response:
    """What the line's units cost more is paid back; those that come back later count for less."""
    return await asking.answer(content, asking.here.aftersales.match_price, RefundOutcome)
