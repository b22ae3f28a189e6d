"""Parcels as carriers see them. Reads only."""

from __future__ import annotations

from collections.abc import Collection
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


async def parcels_under_way(
    conn: Connection,
    *,
    channels: Collection[str] | None = None,
    sellers: Collection[str] | None = None,
    after: tuple[datetime, str] | None = None,
    at_most: int = 1000,
) -> list[ParcelUnderWay]:
    """Parcels that carriers have, the oldest first.

    `channels`, `sellers`: of orders of one of these alone. `after`: a page behind the parcel that
    was handed over then and has this id.
    """
    after_at, after_part = after or (None, None)
    rows = _sql.parcels_under_way(
        conn,
        channels=None if channels is None else sorted(channels),
        sellers=None if sellers is None else sorted(sellers),
        after_at=after_at,
        after_part=after_part,
        at_most=at_most,
    )
    return [ParcelUnderWay(**row) async for row in rows]


async def whose(conn: Connection, carrier: str, tracking_number: str) -> set[tuple[str, str]]:
    """(channel, seller) of each order that has, or had, a parcel with this number.

    Carriers use numbers again, so there may be several.
    """
    rows = _sql.whose(conn, carrier=carrier, tracking_number=tracking_number)
    return {(row["channel"], row["seller"]) async for row in rows}
