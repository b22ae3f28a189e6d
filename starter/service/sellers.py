"""Keeps who sells."""

from __future__ import annotations

from collections.abc import Sequence

from domain.seen import check_seen
from domain.sellers import Seller
from store.accounting import sellers
from store.database import Pool


class Sellers:
    """Sellers: the legal entities that documents name, each with books and days of its own."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def list(
        self, *, after: str | None = None, at_most: int | None = None
    ) -> Sequence[Seller]:
        """All sellers, by their codes; or so many of them at most, behind the one with a code."""
        async with self._pool.acquire() as conn:
            return await sellers.find(conn, after=after, at_most=at_most)

    async def get(self, seller: str) -> Seller:
        """One seller. Raises NotFound."""
        async with self._pool.acquire() as conn:
            return await sellers.get(conn, seller)

    async def save(self, wanted: Sequence[Seller]) -> None:
        """Set all there is to know about these sellers. Issued documents stay as they are.

        All of them, or none where one is wrong: raises InvalidInput, and Refused.
        """
        async with self._pool.acquire() as conn:
            await sellers.save(conn, wanted)

    async def make(self, wanted: Seller) -> None:
        """Make a seller. Raises Conflict (`code_taken`) where it is there, and as `save` does."""
        async with self._pool.acquire() as conn:
            await sellers.save(conn, [wanted], only_new=True)

    async def change(self, wanted: Seller, *, seen: str) -> None:
        """Set all there is to know about a seller that is as somebody saw it: `version_of` that.

        Raises NotFound, Conflict (`changed_since`), and as `save` does.
        """
        async with self._pool.acquire() as conn, conn.transaction():
            check_seen(await sellers.lock(conn, wanted.seller), seen, wanted.seller)
            await sellers.save(conn, [wanted])

    async def retire(self, seller: str) -> None:
        """Let it take no new orders. Raises NotFound, and Refused while a channel sells for it."""
        async with self._pool.acquire() as conn:
            await sellers.retire(conn, seller)

    async def reopen(self, seller: str) -> None:
        """Let it take new orders again. Raises NotFound."""
        async with self._pool.acquire() as conn:
            await sellers.reopen(conn, seller)
