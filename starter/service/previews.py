"""What can be asked of an order now, and what it would do. PostgreSQL alone is asked."""

from __future__ import annotations

from domain.money import Money
from domain.orders.claim_messages import ClaimRequest, DecideClaimRequest
from domain.orders.messages import CancelRequest, RefundRequest, RefundTo
from domain.orders.price_match_messages import PriceMatchRequest
from domain.payments.refund_previews import ClaimPreview, RefundPreview
from domain.payments.ways_back import WaysBack
from domain.stock.cancelling import CancelPreview
from domain.views.possible import OrderFacts
from store.database import Pool
from store.payments import refund_previews, ways_back
from store.stock import cancel_previews
from store.views import possible


class Previews:
    """Nothing is written. An edit has its preview at `Edits`, returns have theirs at `Exchanges`.

    The order decides when it is asked: what has changed by then may make it another answer.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def facts(self, order_id: str) -> OrderFacts:
        """What says which requests an order takes now: `domain.views.possible.why_not`.

        Raises NotFound.
        """
        async with self._pool.acquire() as conn:
            return await possible.facts(conn, order_id)

    async def cancel(self, order_id: str, request: CancelRequest) -> CancelPreview:
        """Which units a cancellation would stop, and what is paid back. Raises NotFound, and
        InvalidInput for units that the order does not have.
        """
        async with self._pool.acquire() as conn:
            return await cancel_previews.preview(conn, order_id, request)

    async def refund(
        self, order_id: str, request: RefundRequest | PriceMatchRequest
    ) -> RefundPreview:
        """What would be paid back, and by which means. Raises as the request would be refused."""
        async with self._pool.acquire() as conn:
            return await refund_previews.refund(conn, order_id, request)

    async def claim(self, order_id: str, request: ClaimRequest) -> ClaimPreview:
        """What the rules would decide about a claim at once, or why a person has to."""
        async with self._pool.acquire() as conn:
            return await refund_previews.claim(conn, order_id, request)

    async def decide_claim(self, order_id: str, request: DecideClaimRequest) -> ClaimPreview:
        """What a person's decision about a claim would pay back."""
        async with self._pool.acquire() as conn:
            return await refund_previews.decide_claim(conn, order_id, request)

    async def ways_back(self, order_id: str, amount: Money, to: RefundTo = "original") -> WaysBack:
        """By which means so much would go back, as the order was paid by now."""
        async with self._pool.acquire() as conn:
            return await ways_back.of(conn, order_id, amount, to)
