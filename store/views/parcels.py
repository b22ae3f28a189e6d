"""Parcels as carriers see them. Reads only."""

from __future__ import annotations

from store.database import Connection, load_queries
from store.views.reads import ParcelUnderWay

_sql = load_queries(__file__)


async def parcels_under_way(conn: Connection, *, at_most: int = 1000) -> list[ParcelUnderWay]:
    """Parcels that carriers have, the oldest first."""
    return [ParcelUnderWay(**row) async for row in _sql.parcels_under_way(conn, at_most=at_most)]
