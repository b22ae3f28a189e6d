"""Finds what somebody has typed into one box."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from domain.views.order_snapshot import OrderState
from store.database import Pool
from store.views import search
from store.views.search import KINDS, Found, Kind

__all__ = ["KINDS", "Found", "Kind", "Search"]


class Search:
    """One box: an order, a parcel, a return, an invoice, a purchase order, a SKU, a person."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def found(
        self,
        text: str,
        *,
        kinds: Sequence[Kind] = KINDS,
        channels: Collection[str] | None = None,
        sellers: Collection[str] | None = None,
        at_most: int = 20,
    ) -> Sequence[Found]:
        """All that this text names, exactly: by its id, or by the number that others gave it.

        `kinds`: only these, and in this sequence. `channels`, `sellers`: of one of these alone.
        `at_most`: of each kind.
        """
        async with self._pool.acquire() as conn:
            return await search.found(
                conn, text, kinds=kinds, channels=channels, sellers=sellers, at_most=at_most
            )

    async def goods(self, text: str, *, at_most: int) -> Sequence[Found]:
        """Items by words of their SKU or name: how these begin, and what stands inside of them."""
        async with self._pool.acquire() as conn:
            return await search.goods(conn, text, at_most=at_most)

    async def beginning(
        self,
        text: str,
        *,
        channels: Collection[str],
        sellers: Collection[str] | None = None,
        at_most: int,
    ) -> Sequence[tuple[str, OrderState]]:
        """Orders of these channels whose id or number begins so: their ids and states."""
        async with self._pool.acquire() as conn:
            return await search.beginning(
                conn, text, channels=channels, sellers=sellers, at_most=at_most
            )
