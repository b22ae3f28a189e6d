"""Cancels orders, takes returns and claims, and pays back."""

from __future__ import annotations

from domain.orders.claim_messages import ClaimOutcome, ClaimRequest, DecideClaimRequest
from domain.orders.messages import CancelOutcome, CancelRequest, RefundOutcome, RefundRequest
from domain.orders.price_match_messages import PriceMatchRequest
from domain.orders.return_messages import (
    ReturnAnswer,
    ReturnDecided,
    ReturnGivenUp,
    ReturnOutcome,
    ReturnRequest,
)
from starter.service.order_requests import OrderRequests
from starter.service.updates import Taken


class Aftersales:
    """Cancellations, returns, refunds and claims. The order decides; each call may be repeated.

    `taken` is called once the order has the request: it is met then, whoever waits for the answer.
    """

    def __init__(self, requests: OrderRequests) -> None:
        self._requests = requests

    async def cancel(
        self, order_id: str, request: CancelRequest, *, taken: Taken | None = None
    ) -> CancelOutcome:
        """Cancel an order or some units. Returns the result for each unit. Raises Refused."""
        return await self._requests.send(order_id, request, CancelOutcome, taken=taken)

    async def request_return(
        self, order_id: str, request: ReturnRequest, *, taken: Taken | None = None
    ) -> ReturnOutcome:
        """Ask to send units back. Raises Refused with the reason."""
        return await self._requests.send(order_id, request, ReturnOutcome, taken=taken)

    async def decide_return(
        self, order_id: str, request: ReturnAnswer, *, taken: Taken | None = None
    ) -> ReturnDecided:
        """Approve or refuse a return about which the rules ask a person. Raises Refused."""
        return await self._requests.send(order_id, request, ReturnDecided, taken=taken)

    async def cancel_return(
        self, order_id: str, request: ReturnGivenUp, *, taken: Taken | None = None
    ) -> ReturnDecided:
        """Give a return up: its units stay with the customer. Raises Refused."""
        return await self._requests.send(order_id, request, ReturnDecided, taken=taken)

    async def refund(
        self, order_id: str, request: RefundRequest, *, taken: Taken | None = None
    ) -> RefundOutcome:
        """Pay something back that comes with no return. Raises Refused with the reason."""
        return await self._requests.send(order_id, request, RefundOutcome, taken=taken)

    async def match_price(
        self, order_id: str, request: PriceMatchRequest, *, taken: Taken | None = None
    ) -> RefundOutcome:
        """Meet a lower price, and pay the difference back. Raises Refused with the reason."""
        return await self._requests.send(order_id, request, RefundOutcome, taken=taken)

    async def claim(
        self, order_id: str, request: ClaimRequest, *, taken: Taken | None = None
    ) -> ClaimOutcome:
        """Say what is wrong with what was delivered. Raises Refused with the reason."""
        return await self._requests.send(order_id, request, ClaimOutcome, taken=taken)

    async def decide_claim(
        self, order_id: str, request: DecideClaimRequest, *, taken: Taken | None = None
    ) -> ClaimOutcome:
        """Decide about a claim that waits for a person. Raises Refused with the reason."""
        return await self._requests.send(order_id, request, ClaimOutcome, taken=taken)
