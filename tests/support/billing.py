"""Bills what left without its goods: the money of a hand-over alone."""

from __future__ import annotations

from datetime import UTC, datetime

from domain import ids
from domain.orders.charges import Due
from domain.orders.quantities import LineUnits
from store.database import Connection
from store.payments import billing, tallies


async def billed(conn: Connection, part: str, units: LineUnits) -> Due:
    """A parcel left with these units: what is due is taken, booked and invoiced."""
    order_id = ids.order_of(part)
    found = await tallies.load(conn, order_id)
    basis = await conn.fetchrow("select * from document_basis($1, 'invoice', $2)", order_id, part)
    assert basis is not None
    bill = billing.bill_of(found, dict(basis), part, units, at=datetime.now(UTC))
    await conn.execute("select goods_billed($1, $2)", part, bill.content)
    return bill.due
