"""What suppliers have billed of our purchase orders."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from pydantic import BaseModel, ConfigDict

from store.database import Connection, load_queries

_sql = load_queries(__file__)


class Bill(BaseModel):
    """What a supplier has billed of a purchase order: SKU → units, and the sum of it all."""

    model_config = ConfigDict(frozen=True)

    partner: str
    number: str
    units: dict[str, int]
    total: Decimal
    at: datetime


async def before(conn: Connection, po_id: str, partner: str, number: str) -> dict[str, int]:
    """SKU → units that other bills had of a purchase order."""
    rows = _sql.before(conn, po_id=po_id, partner=partner, number=number)
    return {row["sku"]: row["units"] async for row in rows}


async def keep(
    conn: Connection,
    partner: str,
    number: str,
    po_id: str,
    units: Mapping[str, int],
    total: Decimal,
) -> bool:
    """Keep a bill, once. False: one with this number is kept."""
    kept = await _sql.keep(
        conn, partner=partner, number=number, po_id=po_id, units=dict(units), total=total
    )
    return kept is not None


async def of_purchase(conn: Connection, po_id: str) -> list[Bill]:
    """The bills of a purchase order, oldest first."""
    return [Bill(**row) async for row in _sql.of_purchase(conn, po_id=po_id)]
