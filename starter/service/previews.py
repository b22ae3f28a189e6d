"""What can be asked of an order now, and what it would do. PostgreSQL alone is asked."""

from __future__ import annotations

from domain.orders.messages import CancelRequest
from domain.stock.cancelling import CancelPreview
from domain.views.possible import OrderFacts
from store.database import Pool
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
