"""What the sandbox suppliers keep: the orders that they took, or that were cancelled.

As in `store.sandbox.companies`, every function takes a connection outside of any transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import asyncpg

from store.database import Connection, load_queries

_sql = load_queries(__file__)


@dataclass(frozen=True, slots=True)
class SupplierOrder:
    """An order as the supplier has it. Without a document it was cancelled before it came."""

    reference: str
    document: dict[str, Any] | None
    cancelled: bool
    x12: str | None = None
    chased: int = 0


async def place(
    connection: Connection, po_id: str, document: dict[str, Any], x12: str
) -> SupplierOrder:
    """Take an order, once per id; the one that is there wins."""
    try:
        row = await _sql.place(connection, po_id=po_id, document=document, x12=x12)
    except asyncpg.UniqueViolationError:
        # Raised only once the winner has committed, so that its order is there to be found.
        row = await _sql.place(connection, po_id=po_id, document=document, x12=x12)
    return SupplierOrder(**row)


async def cancel(connection: Connection, po_id: str) -> None:
    """Cancel an order, also one that is still on its way here."""
    await _sql.cancel(connection, po_id=po_id)


async def chase(connection: Connection, po_id: str) -> None:
    """Count that somebody asked where it is."""
    await _sql.chase(connection, po_id=po_id)


async def get(connection: Connection, po_id: str) -> SupplierOrder | None:
    """An order as it stands, or None."""
    row = await _sql.get(connection, po_id=po_id)
    return None if row is None else SupplierOrder(**row)
