"""The textbook's own activities: what the warehouse and the carrier told, written down.

Orderloom has these facts written by the desk. Here the workflow has them written, as tutorials do;
the statements are the same, because the functions are.
"""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict
from temporalio import activity

from activities.fulfilment.carrier import Carrier
from domain.fulfilment.tracking import CarrierStatus
from domain.ids import WHO
from store.database import Pool
from store.fulfilment import fulfilments, shipments
from store.orders import events
from store.warehouse import facts, scans


class LabelWanted(BaseModel):
    """A label for a parcel."""

    model_config = ConfigDict(frozen=True)

    fulfilment_id: str
    service: str
    country: str
    postal_code: str | None


class Label(BaseModel):
    """What is on the parcel."""

    model_config = ConfigDict(frozen=True)

    carrier: str
    tracking_number: str


class Fact(BaseModel):
    """Something was done with a parcel."""

    model_config = ConfigDict(frozen=True)

    fulfilment_id: str
    at: datetime


class Scan(BaseModel):
    """The carrier has seen the parcel."""

    model_config = ConfigDict(frozen=True)

    label: Label
    status: CarrierStatus
    at: datetime


class Warehouse:
    """Picks, packs, labels, hand-overs and deliveries, each in a transaction of its own."""

    def __init__(self, pool: Pool, carrier: Carrier) -> None:
        self._pool = pool
        self._carrier = carrier

    @activity.defn
    async def record_pick(self, fact: Fact) -> None:
        async with self._pool.acquire() as conn:
            await facts.pick(conn, fact.fulfilment_id, who="picker")

    @activity.defn
    async def record_pack(self, fact: Fact) -> None:
        async with self._pool.acquire() as conn:
            await facts.pack(conn, fact.fulfilment_id, who="packer")

    @activity.defn
    async def buy_label(self, wanted: LabelWanted) -> Label:
        """The intent, the call with its key, the outcome: as Orderloom's `ship` does it."""
        fulfilment_id = wanted.fulfilment_id
        key = f"{fulfilment_id}:label"
        async with self._pool.acquire() as conn, conn.transaction():
            row = await fulfilments.locked(conn, fulfilment_id)
            await shipments.want_label(
                conn, fulfilment_id, row["order_id"], label_key=key, service=wanted.service
            )
        bought = await self._carrier.buy_label(
            key=key,
            fulfilment_id=fulfilment_id,
            service=wanted.service,
            country=wanted.country,
            postal_code=wanted.postal_code,
        )
        label = Label(carrier=bought.carrier, tracking_number=bought.tracking_number)
        async with self._pool.acquire() as conn, conn.transaction():
            row = await fulfilments.locked(conn, fulfilment_id)
            await shipments.label_bought(conn, fulfilment_id, **label.model_dump())
            if row["state"] == "packed":  # else an attempt before this one got as far
                await fulfilments.set_state(conn, fulfilment_id, "labelled")
                await events.tell(
                    conn,
                    row["order_id"],
                    f"label:{fulfilment_id}",
                    "label bought",
                    who=WHO,
                    data={"fulfilment_id": fulfilment_id, **label.model_dump()},
                )
        return label

    @activity.defn
    async def record_hand_over(self, fact: Fact) -> None:
        async with self._pool.acquire() as conn:
            await facts.hand_over(conn, fact.fulfilment_id, at=fact.at, who="packer")

    @activity.defn
    async def record_scan(self, scan: Scan) -> None:
        async with self._pool.acquire() as conn:
            await scans.carrier_event(
                conn,
                carrier=scan.label.carrier,
                tracking_number=scan.label.tracking_number,
                event_id=scan.status,
                status=scan.status,
                happened_at=scan.at,
            )
