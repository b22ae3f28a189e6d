"""Holds stock for the baskets of customers who have not ordered yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from store.database import Pool
from store.stock import baskets
from store.stock.baskets import Basket


class Baskets:
    """Stock that is held for baskets, each until a moment."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def hold(self, basket: str, units: Mapping[str, int], *, expires_at: datetime) -> Basket:
        """Soft-reserve units (SKU → units) for a basket, all or none, and free its earlier ones."""
        async with self._pool.acquire() as conn:
            return await baskets.hold(conn, basket, units, expires_at=expires_at)

    async def release(self, basket: str) -> None:
        """Free all units that a basket holds."""
        async with self._pool.acquire() as conn:
            await baskets.release(conn, basket)

    async def list(self, basket: str | None = None) -> Sequence[Basket]:
        """The baskets that hold units, or one of them; the next to expire first."""
        async with self._pool.acquire() as conn:
            return await baskets.find(conn, basket)
