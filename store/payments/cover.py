"""Whether a fulfilment may be sent: its money is authorized until it leaves, or charged already.

This is asked of the rows, in the transaction of whoever is about to send it.
"""

from __future__ import annotations

from datetime import datetime

from store.database import Connection, load_queries
from store.fulfilment import fulfilments

_sql = load_queries(__file__)


async def is_paid(
    conn: Connection,
    order_id: str,
    fulfilment_id: str,
    *,
    to_charge: int,
    ahead: bool,
    until: datetime,
) -> bool:
    """Whether nothing is missing for a fulfilment to be sent.

    `to_charge`: the minor units to charge when it leaves, which may be until then. `ahead`: the
    order is charged as a whole before that. The caller holds the order's lock.
    """
    if ahead:
        return bool(await _sql.is_charged(conn, fulfilment_id=fulfilment_id))
    if to_charge == 0:
        return True
    cover = await _sql.cover_of(conn, order_id=order_id, fulfilment_id=fulfilment_id, until=until)
    if not cover["lasts"] or cover["room"] < to_charge:
        return False
    if not cover["one_was_ended"]:
        return True
    return bool(cover["room"] >= to_charge + await promised_besides(conn, order_id, fulfilment_id))


async def promised_besides(conn: Connection, order_id: str, fulfilment_id: str) -> int:
    """What the order's other parcels need of its shared authorizations, in minor units."""
    promised: int = await _sql.promised_besides(
        conn, order_id=order_id, fulfilment_id=fulfilment_id
    )
    return promised


async def tell_ending(conn: Connection, batch: int) -> list[str]:
    """Tell orders of parcels that wait for their hand-over and cannot be charged for long.

    Returns those fulfilments. Call it in a transaction.
    """
    told = [row async for row in _sql.tell_ending(conn, batch=batch)]
    for row in told:
        await fulfilments.report(conn, row["order_id"], row["fulfilment_id"], {"outcome": "unpaid"})
    return [row["fulfilment_id"] for row in told]
