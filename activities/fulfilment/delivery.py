"""Waiting for the carrier, and looking after parcels that have gone quiet."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict
from temporalio import activity

from activities.fulfilment.fulfilments import Part
from activities.waiting import wait_for_report
from domain.orders.quantities import LineUnits
from store.database import Pool
from store.fulfilment import shipments


class Delivered(BaseModel):
    """How the carrier's part ended, for these units."""

    model_config = ConfigDict(frozen=True)

    outcome: Literal["delivered", "undeliverable", "lost"]
    units: LineUnits
    at: datetime


class LastScan(BaseModel):
    """When the carrier last saw the parcel."""

    model_config = ConfigDict(frozen=True)

    at: datetime | None


class Delivery:
    """Parcels on their way. Scans go to the store; only the end comes to the workflow."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @activity.defn
    async def await_delivery(self, part: Part) -> Delivered:
        """Wait until the carrier delivers the parcel, brings it back, or has lost it."""
        return Delivered.model_validate(
            await wait_for_report(self._pool, "await_delivery", part.fulfilment_id)
        )

    @activity.defn
    async def last_scan(self, part: Part) -> LastScan:
        """When the carrier last saw the parcel."""
        async with self._pool.acquire() as conn:
            parcel = await shipments.find(conn, part.fulfilment_id)
        return LastScan(at=None if parcel is None else parcel.last_scan_at)
