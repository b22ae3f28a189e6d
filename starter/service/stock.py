"""Keeps stock: its present state, every change of it, and the levels at which it is bought."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from domain.money import Price
from domain.orders.order import Address, Shipping
from domain.orders.sourcing_rules import SourcingRules
from domain.stock.locations import ANYWHERE
from domain.stock.promises import PromisedUnits
from domain.stock.stock_levels import StockLevels
from store.database import Pool
from store.stock import corrections, movements, promises, receipts, stock, stock_levels
from store.stock.movements import Movement
from store.stock.receipts import Delivery
from store.stock.stock import StockLevel
from store.stock.stock_levels import LevelRow


class Stock:
    """Stock on hand and its changes.

    A change that is sent again under its key counts once; with other content it raises Conflict.
    """

    def __init__(self, pool: Pool, rules: SourcingRules | None = None) -> None:
        """`rules`: by which the locations of a promise are chosen."""
        self._pool = pool
        self._rules = rules

    async def list(
        self,
        *,
        sku: str | None = None,
        location: str | None = None,
        after: tuple[str, str] | None = None,
        at_most: int | None = None,
    ) -> Sequence[StockLevel]:
        """Stock by SKU and location: a page of `at_most` rows behind the row `after`."""
        async with self._pool.acquire() as conn:
            return await stock.levels(
                conn, sku=sku, location=location, after=after, at_most=at_most
            )

    async def history(
        self,
        sku: str,
        *,
        location: str | None = None,
        locations: Collection[str] | None = None,
        before: int | None = None,
        channels: Collection[str] | None = None,
        sellers: Collection[str] | None = None,
        at_most: int = 1000,
    ) -> Sequence[Movement]:
        """The latest movements of a SKU, oldest first, at all locations, at one or at some.

        `before`: the latest before this one. `channels`, `sellers`: of orders of others than these,
        order, who and why are left out.
        """
        async with self._pool.acquire() as conn:
            return await movements.history(
                conn,
                sku,
                location=location,
                locations=locations,
                before=before,
                channels=channels,
                sellers=sellers,
                at_most=at_most,
            )

    async def receive(
        self,
        key: str,
        sku: str,
        location: str,
        quantity: int,
        *,
        unit_cost: Price | None = None,
        new_location: bool = False,
        who: str,
        why: str,
    ) -> StockLevel:
        """Add goods that arrived, once per key. `unit_cost`: what a unit cost, for the books.

        Raises NotFound for an unknown location, unless it is said to be new.
        """
        async with self._pool.acquire() as conn:
            return await receipts.receive(
                conn,
                key,
                sku,
                location,
                quantity,
                unit_cost=unit_cost,
                new_location=new_location,
                who=who,
                why=why,
            )

    @asynccontextmanager
    async def delivery(self, *, new: Iterable[str] = ()) -> AsyncIterator[Delivery]:
        """A delivery of any size, collected and then booked: `store.stock.receipts.delivery`."""
        async with self._pool.acquire() as conn, receipts.delivery(conn, new=new) as one:
            yield one

    async def adjust(
        self, key: str, sku: str, location: str, change: int, *, who: str, why: str
    ) -> StockLevel:
        """Correct the units on hand by `change`, once per key."""
        async with self._pool.acquire() as conn:
            return await corrections.adjust(conn, key, sku, location, change, who=who, why=why)

    async def write_off(
        self, key: str, sku: str, location: str, quantity: int, *, who: str, why: str
    ) -> StockLevel:
        """Take off units that cannot be sold any more, once per key."""
        async with self._pool.acquire() as conn:
            return await corrections.write_off(conn, key, sku, location, quantity, who=who, why=why)

    async def count(
        self,
        key: str,
        sku: str,
        location: str,
        counted: int,
        *,
        seen: int | None = None,
        who: str,
        why: str,
    ) -> StockLevel:
        """Set the units on hand to a count, once per key.

        `seen`: how many there were when the count began; refused where there are others by now.
        """
        async with self._pool.acquire() as conn:
            return await corrections.count(
                conn, key, sku, location, counted, seen=seen, who=who, why=why
            )

    async def levels(
        self,
        *,
        sku: str | None = None,
        location: str | None = None,
        after: tuple[str, str] | None = None,
        at_most: int | None = None,
    ) -> Sequence[LevelRow]:
        """Levels with the positions they are compared with, of one SKU or location or all."""
        async with self._pool.acquire() as conn:
            return await stock_levels.levels(
                conn, sku=sku, location=location, after=after, at_most=at_most
            )

    async def set_levels(self, levels: Sequence[StockLevels]) -> None:
        """Set the levels at which SKUs are bought for a location.

        SKUs that are low now are bought at once.
        """
        async with self._pool.acquire() as conn:
            await stock_levels.set_levels(conn, levels)

    async def promise(
        self,
        sku: str,
        quantity: int,
        *,
        country: str | None = None,
        postal_code: str | None = None,
        service: str = "standard",
        now: datetime,
    ) -> Sequence[PromisedUnits]:
        """When so many units could arrive if they were ordered now. It claims nothing.

        Without a country, only lanes to everywhere count. Units that cannot be had are left out.
        Raises NotFound for a SKU that never had stock.
        """
        # Nobody lives there, so it is no address that an order could have.
        there = Address.model_construct(
            name="-",
            line1="-",
            city="-",
            country=ANYWHERE if country is None else country,
            postal_code=postal_code,
        )
        shipping = Shipping.model_construct(service=service, address=there)
        async with self._pool.acquire() as conn:
            return await promises.available(
                conn, sku, quantity, shipping, now=now, rules=self._rules
            )
