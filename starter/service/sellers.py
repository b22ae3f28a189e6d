"""Keeps who sells."""

from __future__ import annotations

from collections.abc import Sequence

from domain.sellers import Seller
from store.accounting import sellers
from store.database import Pool


class Sellers:
    """Sellers: the legal entities that documents name, and whose days the books go by."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def list(self) -> Sequence[Seller]:
        """All sellers."""
        async with self._pool.acquire() as conn:
            return await sellers.find(conn)

    async def save(self, seller: Seller) -> None:
        """Set all there is to know about the seller. Issued documents stay as they are."""
        async with self._pool.acquire() as conn:
            await sellers.save(conn, seller)
