"""A duty of the relay: counts again and again how much of each SKU is sold in a day."""

from __future__ import annotations

from domain.purchasing.purchase_orders import PurchasingPolicy
from store.database import Pool
from store.purchasing import demand


class StockDemand:
    """Counts how much of each SKU is sold. A full review of the stock levels counts it, too."""

    def __init__(self, pool: Pool, policy: PurchasingPolicy | None = None) -> None:
        """`policy`: over how many days."""
        self._pool = pool
        self._policy = policy or PurchasingPolicy()

    async def measure(self) -> None:
        """Count all of it again."""
        async with self._pool.acquire() as conn:
            await demand.measure(conn, self._policy)
