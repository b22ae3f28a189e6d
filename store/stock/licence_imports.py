"""Codes that come in to be sold: each is a unit of stock."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Sequence

from domain.errors import Refused
from domain.orders.handling import DIGITAL
from domain.stock.licences import Licence
from domain.words import few
from store.database import Connection
from store.fulfilment import licences
from store.stock import items, locations, receipts


async def take_in(
    conn: Connection, wanted: Sequence[Licence], location: str, *, who: str
) -> dict[str, int]:
    """Add these codes, and receive as many units of stock, all or nothing.

    A code that is known already changes nothing. Returns SKU → new codes. Raises Refused for a
    SKU whose item is not digital. A location that is not known is made.
    """
    skus = sorted({one.sku for one in wanted})
    known = await items.find(conn, skus)
    others = [sku for sku in skus if sku not in known or known[sku].handling != DIGITAL]
    if others:
        raise Refused(
            f"not digital: {few(others, 'SKU')}; say so first, with handling 'digital' in "
            "`orderloom items import`",
            reason="not_digital",
        )
    if location not in await locations.names(conn):
        await locations.add(conn, [location])
    codes = list(Counter((one.sku, one.code) for one in wanted))
    async with conn.transaction():
        added = await licences.add(conn, codes, location)
        for sku, units in added.items():
            key = f"licences:{uuid.uuid4().hex}"
            why = "codes added"
            await receipts.receive(conn, key, sku, location, units, who=who, why=why)
    return added
