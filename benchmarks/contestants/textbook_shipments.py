"""The textbook's activities for a parcel: reports of warehouse and carrier, and the label."""

from __future__ import annotations

from typing import Final

from asyncpg import Pool, Record
from temporalio import activity

from benchmarks.contestants.textbook_activities import EVENT, STATUS, AnyConnection
from benchmarks.contestants.textbook_companies import Carrier
from benchmarks.contestants.textbook_models import Fact, Label, LabelWanted, Scan

_SHIPMENT: Final = "SELECT order_id, status FROM shipments WHERE shipment_id = $1 FOR UPDATE"


async def _locked(conn: AnyConnection, shipment_id: str) -> Record:
    shipment = await conn.fetchrow(_SHIPMENT, shipment_id)
    if shipment is None:
        raise LookupError(f"there is no shipment {shipment_id}")
    return shipment


class ShipmentActivities:
    """What the warehouse and the carrier told, written down, and the label."""

    def __init__(self, pool: Pool[Record], carrier: Carrier) -> None:
        self._pool = pool
        self._carrier = carrier

    @activity.defn
    async def record_pick(self, fact: Fact) -> None:
        """The goods were taken from the shelf."""
        async with self._pool.acquire() as conn, conn.transaction():
            shipment = await _locked(conn, fact.shipment_id)
            if shipment["status"] != "planned":
                return
            items = await conn.fetch(
                "SELECT line_no FROM shipment_items WHERE shipment_id = $1", fact.shipment_id
            )
            for item in items:
                await conn.execute(
                    "UPDATE shipment_items SET picked = quantity "
                    "WHERE shipment_id = $1 AND line_no = $2",
                    fact.shipment_id,
                    item["line_no"],
                )
            await conn.execute(
                "UPDATE shipments SET status = 'picked', picked_at = $2 WHERE shipment_id = $1",
                fact.shipment_id,
                fact.at,
            )
            await conn.execute(EVENT, shipment["order_id"], "picked", "picker")

    @activity.defn
    async def record_pack(self, fact: Fact) -> None:
        """The parcel was packed."""
        async with self._pool.acquire() as conn, conn.transaction():
            shipment = await _locked(conn, fact.shipment_id)
            if shipment["status"] != "picked":
                return
            await conn.execute(
                "UPDATE shipments SET status = 'packed', packed_at = $2 WHERE shipment_id = $1",
                fact.shipment_id,
                fact.at,
            )
            await conn.execute(EVENT, shipment["order_id"], "packed", "packer")

    @activity.defn
    async def buy_label(self, wanted: LabelWanted) -> Label:
        """Buy a label with a key, and write it down."""
        label = await self._carrier.buy_label(f"{wanted.shipment_id}:label", wanted)
        async with self._pool.acquire() as conn, conn.transaction():
            shipment = await _locked(conn, wanted.shipment_id)
            if shipment["status"] == "packed":
                await conn.execute(
                    "UPDATE shipments SET status = 'labelled', carrier = $2, tracking_number = $3 "
                    "WHERE shipment_id = $1",
                    wanted.shipment_id,
                    label.carrier,
                    label.tracking_number,
                )
                await conn.execute(EVENT, shipment["order_id"], "label bought", "carrier")
        return label

    @activity.defn
    async def record_hand_over(self, fact: Fact) -> None:
        """The parcel has left, and its goods are gone."""
        async with self._pool.acquire() as conn, conn.transaction():
            shipment = await _locked(conn, fact.shipment_id)
            order_id = shipment["order_id"]
            if shipment["status"] != "labelled":
                return
            reserved = await conn.fetch(
                "SELECT line_no, sku, quantity FROM reservations WHERE order_id = $1 ORDER BY sku",
                order_id,
            )
            for row in reserved:
                await conn.execute(
                    "UPDATE inventory SET on_hand = on_hand - $2, reserved = reserved - $2 "
                    "WHERE sku = $1",
                    row["sku"],
                    row["quantity"],
                )
                await conn.execute(
                    "UPDATE reservations SET status = 'shipped' "
                    "WHERE order_id = $1 AND line_no = $2",
                    order_id,
                    row["line_no"],
                )
                await conn.execute(
                    "INSERT INTO stock_movements (sku, order_id, kind, quantity) "
                    "VALUES ($1, $2, 'shipped', $3)",
                    row["sku"],
                    order_id,
                    row["quantity"],
                )
            await conn.execute(
                "UPDATE shipments SET status = 'shipped', handed_over_at = $2 "
                "WHERE shipment_id = $1",
                fact.shipment_id,
                fact.at,
            )
            await conn.execute(STATUS, order_id, "shipped")
            await conn.execute(EVENT, order_id, "handed over", "packer")

    @activity.defn
    async def record_scan(self, scan: Scan) -> None:
        """The carrier has seen the parcel."""
        async with self._pool.acquire() as conn, conn.transaction():
            shipment = await _locked(conn, scan.shipment_id)
            if shipment["status"] == scan.status:
                return
            await conn.execute(
                "INSERT INTO tracking_events (shipment_id, status, happened_at) "
                "VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                scan.shipment_id,
                scan.status,
                scan.at,
            )
            await conn.execute(
                "UPDATE shipments SET status = $2 WHERE shipment_id = $1",
                scan.shipment_id,
                scan.status,
            )
            if scan.status == "delivered":
                await conn.execute(
                    "UPDATE shipments SET delivered_at = $2 WHERE shipment_id = $1",
                    scan.shipment_id,
                    scan.at,
                )
                await conn.execute(STATUS, shipment["order_id"], "delivered")
            await conn.execute(EVENT, shipment["order_id"], scan.status, "carrier")
