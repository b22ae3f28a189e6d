"""Counts returns that were made of parcels which are at the dock already."""

from __future__ import annotations

from datetime import timedelta

from activities.relay import BATCH
from activities.retention import AS_SHIPPED
from domain.errors import OrderloomError
from store.aftersales import unannounced
from store.aftersales.unannounced import Counted
from store.database import Pool
from store.warehouse import returning


class UnannouncedParcels:
    """A duty of the relay. `kept`: for how long after a parcel was dealt with."""

    def __init__(self, pool: Pool, kept: timedelta = AS_SHIPPED.provider_events) -> None:
        self._pool = pool
        self._kept = kept

    async def count(self) -> None:
        """Count what was approved, and see which of them have ended by now."""
        async with self._pool.acquire() as conn:
            approved = await unannounced.to_count(conn, BATCH)
        for each in approved:
            await self._count(each)
        async with self._pool.acquire() as conn:
            await unannounced.let_go(conn)

    async def _count(self, parcel: Counted) -> None:
        """Where the rules do not say what becomes of it, a person counts it."""
        async with self._pool.acquire() as conn:
            try:
                await returning.receive_return(
                    conn, parcel.return_id, parcel.units, location=parcel.location, who=parcel.who
                )
            except OrderloomError as error:
                why = f"{parcel.return_id} cannot be counted by itself: {error}"
                await unannounced.needs_a_person(conn, parcel.parcel_no, why)

    async def forget(self) -> None:
        """Delete what was dealt with long ago."""
        while True:
            async with self._pool.acquire() as conn:
                gone = await unannounced.forget(conn, self._kept, BATCH)
            if gone < BATCH:
                return
