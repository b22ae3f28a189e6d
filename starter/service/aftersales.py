"""Cancels orders, takes returns, and pays back."""

from __future__ import annotations

from domain.orders.messages import (
    CancelOutcome,
    CancelRequest,
    RefundOutcome,
    RefundRequest,
    ReturnOutcome,
    ReturnRequest,
)
from starter.service.updates import OrderRequests


class Aftersales:
    """Cancellations, returns and refunds. The order decides; each call may be repeated."""

    def __init__(self, requests: OrderRequests) -> None:
        self._requests = requests

    async def cancel(self, order_id: str, request: CancelRequest) -> CancelOutcome:
        """Cancel an order or some units. Returns the result for each unit. Raises Refused."""
        return await self._requests.send(order_id, "cancel_order", request, CancelOutcome)

    async def request_return(self, order_id: str, request: ReturnRequest) -> ReturnOutcome:
        """Ask to send units back. Raises Refused with the reason."""
        return await self._requests.send(order_id, "return_items", request, ReturnOutcome)

    async def refund(self, order_id: str, request: RefundRequest) -> RefundOutcome:
        """Pay something back that comes with no return. Raises Refused with the reason."""
        return await self._requests.send(order_id, "refund_order", request, RefundOutcome)
