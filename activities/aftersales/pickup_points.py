"""Parcels that go back soon from a pick-up point: a duty of the relay has that told."""

from __future__ import annotations

from activities.relay import BATCH
from store.aftersales import pickup_points
from store.database import Pool


class PickupPoints:
    """A duty of the relay."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def tell(self) -> None:
        """Tell of each parcel whose time ends soon, once."""
        while True:
            async with self._pool.acquire() as conn:
                ending = await pickup_points.ending(conn, BATCH)
                for fulfilment_id, until in ending:
                    await pickup_points.tell(conn, fulfilment_id, until)
            if len(ending) < BATCH:
                return
