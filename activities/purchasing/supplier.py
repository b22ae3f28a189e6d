"""What Orderloom asks of a supplier: to take an order, to drop it, and where it is.

What a supplier answers later (when it will come, what was sent) is a fact from outside, and comes
in through the desk.
"""

from __future__ import annotations

from typing import Protocol

from pydantic import BaseModel, ConfigDict

from domain.purchasing.purchase_orders import PurchaseDocument


class Taken(BaseModel):
    """An order that the supplier has. `reference` is its own number for it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    po_id: str
    reference: str


class Supplier(Protocol):
    """A supplier, by whatever way orders reach it.

    A purchase order's id is its idempotency key: suppliers know an order by the buyer's number, and
    take it once however often and however concurrently it comes; with other content it is
    Declined(IDEMPOTENCY_CONFLICT). Every method may raise `OutcomeUnknown` (Unavailable, TimedOut)
    and `Declined`. See `activities.provider_errors`.
    """

    async def place(self, document: PurchaseDocument, *, x12: str) -> Taken:
        """Send an order, as a document and as X12 850.

        Declined(ORDER_REFUSED) where the supplier will not serve it.
        """
        ...

    async def cancel(self, po_id: str) -> None:
        """Call an order back; also one of which it is not known whether it came.

        Cancelling again is fine. Declined(TOO_LATE) where it cannot be stopped any more.
        """
        ...

    async def chase(self, po_id: str) -> None:
        """Ask where an order is."""
        ...

    async def lookup(self, po_id: str) -> Taken | None:
        """The order as the supplier has it, or None if it has not seen it (yet)."""
        ...
