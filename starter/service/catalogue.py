"""Keeps the settings of SKUs, and the parts of kits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from domain.errors import InvalidInput
from domain.stock.items import Item
from domain.stock.kits import Kit
from domain.words import few
from store.database import Pool
from store.stock import items, kits, promises
from store.stock.promises import KitStock


class Catalogue:
    """Items and kits. A change counts from the next order on."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def items(
        self, *, sku: str | None = None, after: str | None = None, at_most: int | None = None
    ) -> Sequence[Item]:
        """Items by SKU: all, one, or a page of `at_most` that begins behind the SKU `after`."""
        async with self._pool.acquire() as conn:
            return await items.listed(conn, sku=sku, after=after, at_most=at_most)

    async def names(self, skus: Sequence[str]) -> dict[str, str]:
        """SKU → its name, of those of these that have one."""
        async with self._pool.acquire() as conn:
            found = await items.find(conn, skus)
        return {item.sku: item.name for item in found.values() if item.name}

    async def set_items(self, wanted: Sequence[Item]) -> None:
        """Set all there is to know about these SKUs. Raises InvalidInput for one given twice."""
        twice = [sku for sku, times in Counter(item.sku for item in wanted).items() if times > 1]
        if twice:
            raise InvalidInput(f"{few(twice, 'SKU')} stands there more than once", where="items")
        async with self._pool.acquire() as conn:
            await items.save(conn, wanted)

    async def kits(
        self, sku: str | None = None, *, after: str | None = None, at_most: int | None = None
    ) -> Sequence[KitStock]:
        """Kits by SKU, with the number that each location's free parts make.

        All, one, or a page of `at_most` that begins behind the SKU `after`.
        """
        async with self._pool.acquire() as conn:
            return await promises.kits_in_stock(conn, sku=sku, after=after, at_most=at_most)

    async def define_kit(self, kit: Kit) -> None:
        """Say what a kit is made of, from the next order on."""
        async with self._pool.acquire() as conn:
            await kits.define(conn, kit)

    async def remove_kit(self, sku: str) -> None:
        """Make a kit a plain SKU, from the next order on."""
        async with self._pool.acquire() as conn:
            await kits.remove(conn, sku)
