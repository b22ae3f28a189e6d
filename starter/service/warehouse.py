"""Where the warehouse and the carriers report what they did, and stock is looked after.

Facts go to the store, in one transaction each; the worker's relay takes them to the orders that
wait. So a desk needs the database alone, and works while Temporal is away.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from typing import Any

from domain.errors import IllegalTransition
from domain.fulfilment.tracking import CarrierStatus
from domain.orders.quantities import LineUnits
from domain.purchasing.purchase_orders import PurchasingPolicy
from domain.stock.items import Item
from domain.stock.kits import Kit
from domain.stock.locations import Location
from starter.service.credit import CreditDesk
from starter.service.locations import LocationDesk
from starter.service.supply_desk import BuyingDesk
from store.aftersales.returns import Counted
from store.database import Pool
from store.stock import (
    baskets,
    corrections,
    items,
    kits,
    locations,
    promises,
    receipts,
    stock,
    transfers,
)
from store.stock.baskets import Basket
from store.stock.promises import KitStock
from store.stock.receipts import Delivery
from store.stock.stock import Movement, StockLevel
from store.stock.transfers import Transfer
from store.views import reads
from store.warehouse import facts

LABEL_WITHIN_S = 3.0
"""How long a hand-over waits for a label that is being bought, in seconds."""


class Desk:
    """Reports of the outside world. A fact reported again is one fact; differently, a Conflict."""

    def __init__(self, pool: Pool, purchasing: PurchasingPolicy | None = None) -> None:
        self._pool = pool
        self.buying = BuyingDesk(pool, purchasing)
        self.credit = CreditDesk(pool)
        self.locating = LocationDesk(pool)

    async def tasks(self, **filters: Any) -> Sequence[reads.Task]:
        """What the warehouse is asked to do; filters as `store.views.reads.tasks` takes them."""
        async with self._pool.acquire() as conn:
            return await reads.tasks(conn, **filters)

    async def pick(
        self, fulfilment_id: str, counted: LineUnits | None = None, *, who: str
    ) -> dict[str, Any]:
        """Picked: line id → units found, or everything. Returns what was picked and is missing."""
        async with self._pool.acquire() as conn:
            return await facts.pick(conn, fulfilment_id, counted, who=who)

    async def refuse(self, fulfilment_id: str, reason: str, *, who: str) -> dict[str, Any]:
        """The location will not send it; its units are sourced elsewhere."""
        async with self._pool.acquire() as conn:
            return await facts.refuse(conn, fulfilment_id, reason, who=who)

    async def pack(self, fulfilment_id: str, *, who: str) -> None:
        """The parcel is closed."""
        async with self._pool.acquire() as conn:
            await facts.pack(conn, fulfilment_id, who=who)

    async def hand_over(
        self,
        fulfilment_id: str,
        *,
        who: str,
        at: datetime | None = None,
        label_within_s: float = LABEL_WITHIN_S,
    ) -> None:
        """The carrier has the parcel. One just packed is given a moment to get its label."""
        deadline = asyncio.get_running_loop().time() + label_within_s
        while True:
            async with self._pool.acquire() as conn:
                try:
                    return await facts.hand_over(
                        conn, fulfilment_id, at=at or datetime.now(UTC), who=who
                    )
                except IllegalTransition:
                    state = await reads.fulfilment_state(conn, fulfilment_id)
                    if state != "packed" or asyncio.get_running_loop().time() > deadline:
                        raise
            await asyncio.sleep(0.1)

    async def receive_return(
        self,
        return_id: str,
        counted: Mapping[str, Counted] | None = None,
        *,
        location: str | None = None,
        who: str,
    ) -> dict[str, Any]:
        """A return parcel, counted: line id → restocked and scrapped units, or all restocked."""
        async with self._pool.acquire() as conn:
            return await facts.receive_return(conn, return_id, counted, location=location, who=who)

    async def carrier_event(
        self,
        *,
        carrier: str,
        tracking_number: str,
        event_id: str,
        status: CarrierStatus,
        happened_at: datetime | None = None,
        detail: str = "",
    ) -> bool:
        """What a carrier says about a parcel. False when it said so before."""
        async with self._pool.acquire() as conn:
            return await facts.carrier_event(
                conn,
                carrier=carrier,
                tracking_number=tracking_number,
                event_id=event_id,
                status=status,
                happened_at=happened_at or datetime.now(UTC),
                detail=detail,
            )

    async def parcels_under_way(self, **filters: Any) -> Sequence[reads.ParcelUnderWay]:
        """Parcels that carriers have."""
        async with self._pool.acquire() as conn:
            return await reads.parcels_under_way(conn, **filters)

    async def stock(self, **filters: Any) -> Sequence[StockLevel]:
        """Stock rows; filters as `store.stock.stock.levels` takes them."""
        async with self._pool.acquire() as conn:
            return await stock.levels(conn, **filters)

    async def locations(self, location: str | None = None) -> Sequence[Location]:
        """What is known of all locations, or of one."""
        async with self._pool.acquire() as conn:
            return await locations.find(conn, location)

    async def set_locations(self, wanted: Sequence[Location]) -> None:
        """Set all there is to know about these locations: all of them, or none where one is wrong.

        Raises Conflict where their lanes are priced in several currencies.
        """
        async with self._pool.acquire() as conn:
            await locations.save(conn, wanted)

    async def items(self, **page: Any) -> Sequence[Item]:
        """SKUs of which something is said; `page` as `store.stock.items.listed` takes it."""
        async with self._pool.acquire() as conn:
            return await items.listed(conn, **page)

    async def set_items(self, wanted: Sequence[Item]) -> None:
        """Set all there is to know about these SKUs, each given once."""
        async with self._pool.acquire() as conn:
            await items.save(conn, wanted)

    async def hold(self, basket: str, units: Mapping[str, int], *, expires_at: datetime) -> Basket:
        """Hold units (SKU → units) for a basket, all or none, instead of what it held before."""
        async with self._pool.acquire() as conn:
            return await baskets.hold(conn, basket, units, expires_at=expires_at)

    async def release_basket(self, basket: str) -> None:
        """What a basket holds is free again."""
        async with self._pool.acquire() as conn:
            await baskets.release(conn, basket)

    async def baskets(self, basket: str | None = None) -> Sequence[Basket]:
        """What is held, of one basket or of all."""
        async with self._pool.acquire() as conn:
            return await baskets.find(conn, basket)

    async def kits(self, sku: str | None = None) -> Sequence[KitStock]:
        """All kits, or one, with how many could be made up at each location."""
        async with self._pool.acquire() as conn:
            return await promises.kits_in_stock(conn, sku)

    async def define_kit(self, kit: Kit) -> None:
        """Say what a kit is made of, from the next order on."""
        async with self._pool.acquire() as conn:
            await kits.define(conn, kit)

    async def remove_kit(self, sku: str) -> None:
        """It is no kit any more, from the next order on."""
        async with self._pool.acquire() as conn:
            await kits.remove(conn, sku)

    async def receive_stock(
        self, key: str, sku: str, location: str, quantity: int, **said: Any
    ) -> StockLevel:
        """Goods arrived, once per key; `said` as `store.stock.receipts.receive` takes it."""
        async with self._pool.acquire() as conn:
            return await receipts.receive(conn, key, sku, location, quantity, **said)

    @asynccontextmanager
    async def delivery(self, *, new: Iterable[str] = ()) -> AsyncIterator[Delivery]:
        """A delivery of any size, put together and then booked; see
        `store.stock.receipts.delivery`."""
        async with self._pool.acquire() as conn, receipts.delivery(conn, new=new) as one:
            yield one

    async def adjust_stock(
        self, key: str, sku: str, location: str, change: int, *, who: str, why: str
    ) -> StockLevel:
        """A correction of what is on hand, once per key."""
        async with self._pool.acquire() as conn:
            return await corrections.adjust(conn, key, sku, location, change, who=who, why=why)

    async def write_off(
        self, key: str, sku: str, location: str, quantity: int, *, who: str, why: str
    ) -> StockLevel:
        """Units that cannot be sold any more, once per key."""
        async with self._pool.acquire() as conn:
            return await corrections.write_off(conn, key, sku, location, quantity, who=who, why=why)

    async def count_stock(
        self, key: str, sku: str, location: str, counted: int, *, who: str, why: str
    ) -> StockLevel:
        """What a count found, once per key."""
        async with self._pool.acquire() as conn:
            return await corrections.count(conn, key, sku, location, counted, who=who, why=why)

    async def stock_history(self, sku: str, **filters: Any) -> Sequence[Movement]:
        """What happened to a SKU; filters as `store.stock.stock.history` takes them."""
        async with self._pool.acquire() as conn:
            return await stock.history(conn, sku, **filters)

    async def send_transfer(
        self,
        transfer_id: str,
        from_location: str,
        to_location: str,
        units: Mapping[str, int],
        *,
        expected_on: date | None = None,
        who: str,
        why: str,
    ) -> Transfer:
        """Goods leave for another location, once per id."""
        async with self._pool.acquire() as conn:
            return await transfers.send(
                conn,
                transfer_id,
                from_location,
                to_location,
                units,
                expected_on=expected_on,
                who=who,
                why=why,
            )

    async def receive_transfer(
        self,
        transfer_id: str,
        key: str,
        units: Mapping[str, int] | None = None,
        *,
        rest_is_lost: bool = False,
        who: str,
    ) -> Transfer:
        """Goods of a transfer arrived, once per key."""
        async with self._pool.acquire() as conn:
            return await transfers.receive(
                conn, transfer_id, key, units, rest_is_lost=rest_is_lost, who=who
            )

    async def transfers(self, *, under_way: bool = False) -> Sequence[Transfer]:
        """Transfers, all or those of which something is on its way."""
        async with self._pool.acquire() as conn:
            return await transfers.find(conn, under_way=under_way)
