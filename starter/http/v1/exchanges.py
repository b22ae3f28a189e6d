"""Exchanges of delivered units for others: what one would come to, and the exchange."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from domain.orders.exchange_messages import ExchangeOutcome, ExchangePreview, ExchangeRequest
from starter.http.asking import DECIDED_LATER, Asking, asks
from starter.http.callers import Caller, may
from starter.http.examples import example
from starter.http.once import Keyed
from starter.http.reading import StrictRoute
from starter.http.shown_orders import mine

router = APIRouter(prefix="/v1/orders", tags=["aftersales"], route_class=StrictRoute)

EXAMPLE = example(
    {
        "reason": "too small",
        "reason_code": "did_not_fit",
        "lines": [{"line_id": "1", "quantity": 1}],
        "wants": [{"sku": "TEA-LARGE", "quantity": 1, "unit_price": "12.00", "tax_rate": "7"}],
    }
)


@router.post(
    "/{order_id}/exchange/preview",
    operation_id="previewExchange",
    summary="See what an exchange would come to",
    response_model=ExchangePreview,
)
async def preview(
    order_id: str,
    content: Annotated[ExchangeRequest, EXAMPLE],
    caller: Annotated[Caller, may("aftersales:write")],
    once: Keyed,
) -> Response:
    """What comes back is worth, what the replacement costs, and who owes whom how much.

    Nothing is written.
    """
    await mine(caller, order_id)
    return await once.safe_to_repeat(lambda: caller.here.exchanges.preview(order_id, content))


@router.post(
    "/{order_id}/exchange",
    operation_id="exchangeItems",
    summary="Send units back, and get others for them",
    response_model=ExchangeOutcome,
    responses=DECIDED_LATER,
)
async def exchange(
    content: Annotated[ExchangeRequest, EXAMPLE],
    asking: Annotated[Asking, asks("aftersales:write")],
) -> Response:
    """The rules of returns decide. What the customer gets is an order of its own."""
    return await asking.answer(content, asking.here.exchanges.exchange, ExchangeOutcome)
