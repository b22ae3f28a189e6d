"""Holds stock for the baskets of customers who have not ordered yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from domain.errors import NotFound
from store.database import Pool
from store.stock import baskets
from store.stock.baskets import Basket

HOLD_MAX: Final = timedelta(days=7)
"""So long a basket can hold units, at most; then it is held anew, or free."""
HOLD_USUALLY: Final = timedelta(minutes=15)


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

    async def get(self, basket: str) -> Basket:
        """What a basket holds. Raises NotFound where it holds nothing, or not any more."""
        async with self._pool.acquire() as conn:
            found = await baskets.find(conn, basket)
        if not found:
            raise NotFound(f"basket {basket} holds nothing")
        return found[0]

    async def list(
        self,
        basket: str | None = None,
        *,
        sku: str | None = None,
        after: tuple[datetime, str] | None = None,
        at_most: int | None = None,
    ) -> Sequence[Basket]:
        """The baskets that hold units, or one of them; the next to expire first.

        `sku`: those that hold it, with its units alone. `after`: a page of `at_most` behind the
        one that expires then and has this id.
        """
        async with self._pool.acquire() as conn:
            return await baskets.find(conn, basket, sku=sku, after=after, at_most=at_most)
