"""Waiting for the delivery, and asking when a silent parcel was last seen."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict
from temporalio import activity

from activities.fulfilment.contracts import Part
from activities.waiting import wait_for_report
from domain.orders.quantities import LineUnits
from store.database import Pool
from store.fulfilment import shipments


class Delivered(BaseModel):
    """How the carrier's part ended, and for which units."""

    model_config = ConfigDict(frozen=True)

    outcome: Literal["delivered", "undeliverable", "lost"]
    units: LineUnits
    at: datetime


class LastScan(BaseModel):
    """The time of the carrier's newest scan; None when there is none."""

    model_config = ConfigDict(frozen=True)

    at: datetime | None


class Delivery:
    """Activities for parcels on their way.

    The store keeps the carrier's scans; the workflow gets only the end.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @activity.defn
    async def await_delivery(self, part: Part) -> Delivered:
        """Wait until the carrier delivers the parcel, brings it back, or reports it lost."""
        await wait_for_report(self._pool, "await_delivery", part.fulfilment_id)

    @activity.defn
    async def last_scan(self, part: Part) -> LastScan:
        """The time of the carrier's newest scan of the parcel."""
        async with self._pool.acquire() as conn:
            parcel = await shipments.find(conn, part.fulfilment_id)
        return LastScan(at=None if parcel is None else parcel.last_scan_at)
