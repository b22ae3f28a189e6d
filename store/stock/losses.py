"""Units that a carrier lost, or that nobody finds: how they count, and what is owed for them.

Each function runs in its caller's transaction; the caller holds the order's lock.
"""

from __future__ import annotations

from domain.orders.quantities import LineUnits
from store.database import Connection
from store.orders import orders
from store.payments import billing, tallies
from store.payments.billing import Grant


async def count(conn: Connection, order_id: str, units: LineUnits, given_up: LineUnits) -> None:
    """Lost units: those that are replaced become open again, those `given_up` count as lost."""
    moves = {}
    for line_id, lost in units.items():
        gone = given_up.get(line_id, 0)
        moves[line_id] = {"shipped": gone - lost, "lost": gone}
    await orders.move_lines(conn, order_id, moves)


async def grant(
    conn: Connection,
    order_id: str,
    fulfilment_id: str,
    units: LineUnits,
    given_up: LineUnits,
    *,
    why: str,
) -> Grant | None:
    """Owe the customer the lost units that are not sent again. The others stay paid for."""
    found = await tallies.load(conn, order_id)
    again = {line_id: lost - given_up.get(line_id, 0) for line_id, lost in units.items()}
    owed = found.charges.lost(again, given_up)
    return await billing.grant(conn, found, owed, f"{fulfilment_id}:lost", kind="lost", why=why)


async def grant_missing(
    conn: Connection, order_id: str, fulfilment_id: str, missing: LineUnits
) -> Grant | None:
    """Owe the customer units that are paid for, and of which there are none left to send."""
    found = await tallies.load(conn, order_id)
    owed = found.charges.cancelled(missing)
    why = "paid for, and there is none left to send"
    refund_id = f"{fulfilment_id}:not_found"
    return await billing.grant(conn, found, owed, refund_id, kind="cancelled", why=why)
