"""Parcels as carriers see them. Reads only."""

from __future__ import annotations

from datetime import datetime

from store.database import Connection, load_queries
from store.views.reads import Row

_sql = load_queries(__file__)


class ParcelUnderWay(Row):
    """A parcel that a carrier has."""

    fulfilment_id: str
    order_id: str
    carrier: str
    tracking_number: str
    carrier_status: str
    handed_over_at: datetime
    last_scan_at: datetime | None


async def parcels_under_way(conn: Connection, *, at_most: int = 1000) -> list[ParcelUnderWay]:
    """Parcels that carriers have, the oldest first."""
    return [ParcelUnderWay(**row) async for row in _sql.parcels_under_way(conn, at_most=at_most)]
