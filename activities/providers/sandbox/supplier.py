"""Suppliers that take orders like real ones, into their own tables.

They follow X12: an 850 is known by its purchase order number (BEG03), and a second original with
the same number is a duplicate, answered like the first; an 860 that cancels an order may arrive
before it. The simulator plays the supplier's later decisions, its 855 and 856.
"""

from __future__ import annotations

from random import Random
from typing import Final

from activities.provider_errors import DeclineCode, Declined
from activities.providers.sandbox.faults import Faults
from activities.purchasing.supplier import Taken
from domain.purchasing.purchase_orders import PurchaseDocument
from store.database import Connection, Pool
from store.sandbox import suppliers
from store.sandbox.suppliers import SupplierOrder

# Suppliers that misbehave; any other is fine.
SUPPLIER_REFUSES: Final = "refuses"
SUPPLIER_NEVER_STOPS: Final = "never-stops"
"""This supplier never lets an order be cancelled."""

_MESSAGES: Final = {
    DeclineCode.ORDER_REFUSED: "the supplier does not serve this order",
    DeclineCode.TOO_LATE: "the supplier has the order in work and does not stop it",
    DeclineCode.IDEMPOTENCY_CONFLICT: "this number was used before for an order of other content",
}


class SandboxSupplier:
    """A `Supplier` that stands for all suppliers. All instances on one database share its state.

    `timeout_seconds` is the time a caller waits before a time-out fault raises.
    """

    def __init__(self, pool: Pool, *, random: Random, timeout_seconds: float = 0.2) -> None:
        self._faults = Faults(pool, "supplier", random, timeout_seconds)

    async def place(self, document: PurchaseDocument, *, x12: str) -> Taken:
        """Take an order, unless its supplier refuses orders or the order was cancelled before."""
        content = document.model_dump(mode="json")

        async def effect(connection: Connection) -> SupplierOrder | None:
            if document.supplier == SUPPLIER_REFUSES:
                return None
            return await suppliers.place(connection, document.po_id, content, x12)

        order = await self._faults.run("place", effect)
        if order is None or order.cancelled:
            raise _declined(DeclineCode.ORDER_REFUSED)
        if order.document != content:
            raise _declined(DeclineCode.IDEMPOTENCY_CONFLICT)
        return Taken(po_id=document.po_id, reference=order.reference)

    async def cancel(self, po_id: str) -> None:
        """Cancel an order, unless its supplier never stops."""

        async def effect(connection: Connection) -> bool:
            order = await suppliers.get(connection, po_id)
            document = {} if order is None else order.document or {}
            if document.get("supplier") == SUPPLIER_NEVER_STOPS:
                return False
            await suppliers.cancel(connection, po_id)
            return True

        if not await self._faults.run("cancel", effect):
            raise _declined(DeclineCode.TOO_LATE)

    async def chase(self, po_id: str) -> None:
        """Count the enquiry."""

        async def effect(connection: Connection) -> None:
            await suppliers.chase(connection, po_id)

        await self._faults.run("chase", effect)

    async def lookup(self, po_id: str) -> Taken | None:
        """The order as it is kept here."""

        async def effect(connection: Connection) -> SupplierOrder | None:
            return await suppliers.get(connection, po_id)

        order = await self._faults.run("lookup", effect)
        if order is None or order.document is None:
            return None
        return Taken(po_id=po_id, reference=order.reference)


def _declined(code: DeclineCode) -> Declined:
    return Declined(code, _MESSAGES[code])
