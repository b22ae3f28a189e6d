"""The protocol that every supplier's adapter implements: take an order, cancel it, find it.

The supplier's later answers (when the goods will come, which were sent) are facts from outside, and
come in through `starter.service.purchasing`.
"""

from __future__ import annotations

from typing import Protocol

from pydantic import BaseModel, ConfigDict

from domain.purchasing.purchase_orders import PurchaseDocument


class Taken(BaseModel):
    """An order that the supplier has. `reference` is the supplier's own number for it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    po_id: str
    reference: str


class Supplier(Protocol):
    """A supplier, in whatever way orders reach it.

    A purchase order's id is its idempotency key: suppliers know an order by the buyer's number, and
    take it once however often and however concurrently it comes; with other content it is
    Declined(IDEMPOTENCY_CONFLICT). Every method may raise `OutcomeUnknown` (Unavailable, TimedOut)
    and `Declined`. See `activities.provider_errors`.
    """

    async def place(self, document: PurchaseDocument, *, x12: str) -> Taken:
        """Send an order, as a document and as X12 850.

        Raises Declined(ORDER_REFUSED) when the supplier will not serve it.
        """
        ...

    async def cancel(self, po_id: str) -> None:
        """Cancel an order, also one that may never have arrived. Repeating is safe.

        Raises Declined(TOO_LATE) when the supplier cannot stop it any more.
        """
        ...

    async def chase(self, po_id: str) -> None:
        """Ask where an order is."""
        ...

    async def lookup(self, po_id: str) -> Taken | None:
        """The order as the supplier has it, or None if the supplier has not seen it yet."""
        ...
