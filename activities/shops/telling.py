"""Tells a shop of parcels that have left, and of stock levels.

A parcel is a row from its hand-over on, so that none is lost; and the shop is asked first whether
it knows of it, so that none is told twice. Levels are compared with what the shop was told last:
the newest counts. What the shop refuses becomes a task for a person, once, and holds back nothing.
What is more than fits into a visit is left for the next one, which is no fault of the shop.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Final

from activities.shops.client import ODD, ShopAway, ShopClient, ShopSaysNo
from domain.shops.telling import Parcel, carrier_name, levels_of, tracking_url
from store.database import Pool
from store.shops import telling
from store.shops.contacts import Contact
from store.shops.telling import ParcelToTell

PARCELS_TOGETHER: Final = 20
LEVELS_TOGETHER: Final = 200
TELL_SECONDS_MAX: Final = 20.0
"""So long it takes to tell of parcels in a visit, and so long of levels."""
PAUSE_MAX: Final = timedelta(hours=1)

_FAILURES_MAX: Final = 2


class Telling:
    """What one shop is told during a visit."""

    def __init__(
        self,
        pool: Pool,
        client: ShopClient,
        contact: Contact,
        holder: str,
        *,
        seconds_max: float = TELL_SECONDS_MAX,
    ) -> None:
        self._pool = pool
        self._client = client
        self._contact = contact
        self._holder = holder
        self._seconds_max = seconds_max
        self._failures = 0

    async def parcels(self) -> None:
        """Every parcel that is due, the oldest first, until there is no more time."""
        ends = self._ends()
        while True:
            async with self._pool.acquire() as conn:
                due = await telling.due_parcels(conn, self._contact.channel, PARCELS_TOGETHER)
            for parcel in due:
                await self._parcel(parcel)
                if _now() > ends:
                    return
            if len(due) < PARCELS_TOGETHER:
                return

    async def _parcel(self, parcel: ParcelToTell) -> None:
        try:
            reference = await self._client.tell_parcel(self._as_told(parcel))
        except ShopSaysNo as error:
            async with self._pool.acquire() as conn:
                await telling.parcel_refused(conn, parcel, str(error))
            return
        except (ShopAway, *ODD) as error:
            async with self._pool.acquire() as conn:
                await telling.parcel_later(conn, parcel, str(error), _pause(parcel))
            self._failures += 1
            after = error.after if isinstance(error, ShopAway) else None
            if self._failures >= _FAILURES_MAX or after is not None:
                raise ShopAway(str(error), after=after) from error
            return  # One order that it stumbles over holds back no others.
        self._failures = 0
        async with self._pool.acquire() as conn:
            await telling.parcel_told(conn, parcel, reference)

    def _as_told(self, parcel: ParcelToTell) -> Parcel:
        options = self._contact.options
        return Parcel(
            fulfilment_id=parcel.fulfilment_id,
            subject=parcel.token.removeprefix(f"{self._contact.kind}-"),
            carrier=carrier_name(parcel.carrier, options),
            number=parcel.tracking_number,
            url=tracking_url(parcel.carrier, parcel.tracking_number, options),
            units=parcel.units,
            is_last=parcel.is_last,
        )

    def _ends(self) -> float:
        return _now() + self._seconds_max

    async def levels(self) -> None:
        """Every level that is not as the shop was told, until there is no more time."""
        contact = self._contact
        told: dict[str, int] = {}
        ends = self._ends()
        complete = False
        while _now() <= ends or not told:
            async with self._pool.acquire() as conn:
                due = await telling.due_levels(
                    conn, contact.channel, contact.levels_told, LEVELS_TOGETHER
                )
            new = {sku: units for sku, units in due.items() if told.get(sku) != units}
            if not new:
                complete = True
                break
            location = contact.options.stock_location or ""
            refused = await self._client.set_levels(levels_of(new, contact.options), location)
            async with self._pool.acquire() as conn:
                await telling.levels_told(conn, contact.channel, self._holder, new, refused)
            told |= new
        async with self._pool.acquire() as conn:
            await telling.levels_done(
                *(conn, contact.channel, self._holder, contact.now if complete else None),
                timedelta(seconds=contact.options.stock_every_s if complete else 0),
            )


def _now() -> float:
    return asyncio.get_running_loop().time()


def _pause(parcel: ParcelToTell) -> timedelta:
    return min(PAUSE_MAX, timedelta(seconds=5.0 * 2.0 ** min(parcel.tries, 12)))
