"""Measures what is sold in a day, from time to time: a duty of the relay."""

from __future__ import annotations

from domain.purchasing.purchase_orders import PurchasingPolicy
from store.database import Pool
from store.purchasing import demand


class StockDemand:
    """What is sold of all stock. It is measured by each full review of the levels as well."""

    def __init__(self, pool: Pool, policy: PurchasingPolicy | None = None) -> None:
        """`policy`: over how many days."""
        self._pool = pool
        self._policy = policy or PurchasingPolicy()

    async def measure(self) -> None:
        """Add it up anew."""
        async with self._pool.acquire() as conn:
            await demand.measure(conn, self._policy)
