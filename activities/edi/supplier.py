"""Suppliers that trade by EDI: our orders go as 850, and are taken back by 860.

Every other supplier is another adapter's, which this one stands before.
"""

from __future__ import annotations

import logging

from activities.provider_errors import DeclineCode, Declined
from activities.purchasing.supplier import Supplier, Taken
from domain.edi.partners import Partner
from domain.edi.purchases import NUMBER_MAX, cancellation, purchase_order
from domain.edi.written import plain
from domain.purchasing.purchase_orders import PurchaseDocument
from store import clock
from store.database import Connection, Pool
from store.edi import documents, partners
from store.edi.writing import write
from store.purchasing import purchase_reads

logger = logging.getLogger(__name__)


class EdiSupplier:
    """A `Supplier`. `otherwise`: the adapter of suppliers that do not trade by EDI."""

    def __init__(self, pool: Pool, otherwise: Supplier) -> None:
        self._pool = pool
        self._otherwise = otherwise

    async def place(self, document: PurchaseDocument, *, x12: str) -> Taken:
        """Write the 850 down; the relay sends it. That it arrived is told by its 997.

        Raises Declined for a number that is too long for X12.
        """
        async with self._pool.acquire() as conn, conn.transaction():
            partner = await partners.by_supplier(conn, document.supplier)
            if partner is not None:
                return await _place(conn, partner, document)
        return await self._otherwise.place(document, x12=x12)

    async def cancel(self, po_id: str) -> None:
        """Ask the supplier by an 860. Raises Declined as long as it has not agreed by its 865."""
        async with self._pool.acquire() as conn, conn.transaction():
            order = await purchase_reads.get(conn, po_id)
            partner = await partners.by_supplier(conn, order.supplier)
            if partner is not None:
                day = order.created_at.date()
                change = cancellation(po_id, day, order.currency, today=clock.today())
                await write(
                    conn,
                    *(partner, "860", change),
                    at=clock.now(),
                    subject=f"860:{po_id}",
                    reference=po_id,
                    po_id=po_id,
                )
        if partner is None:
            return await self._otherwise.cancel(po_id)
        raise Declined(
            DeclineCode.TOO_LATE,
            "the supplier was asked by an 860; the order ends once its 865 agrees",
        )

    async def chase(self, po_id: str) -> None:
        """X12 has no question of that kind here: what is not answered is a person's task."""
        async with self._pool.acquire() as conn:
            order = await purchase_reads.get(conn, po_id)
            partner = await partners.by_supplier(conn, order.supplier)
        if partner is None:
            await self._otherwise.chase(po_id)
        else:
            logger.warning("%s is late with %s: ask it by phone", partner.partner, po_id)

    async def lookup(self, po_id: str) -> Taken | None:
        """The order, if its 850 is written."""
        async with self._pool.acquire() as conn:
            order = await purchase_reads.get(conn, po_id)
            partner = await partners.by_supplier(conn, order.supplier)
            if partner is not None:
                written = await documents.is_written(conn, partner.partner, f"850:{po_id}")
                return Taken(po_id=po_id, reference=po_id) if written else None
        return await self._otherwise.lookup(po_id)


async def _place(conn: Connection, partner: Partner, document: PurchaseDocument) -> Taken:
    po_id = document.po_id
    if len(po_id) > NUMBER_MAX:
        raise Declined(
            DeclineCode.ORDER_REFUSED,
            f"{po_id} has more than {NUMBER_MAX} characters, which is all that X12 has room for",
        )
    marks = partner.separators.marks
    names = (po_id, *(partner.numbers_of(line.sku)[1] for line in document.lines))
    odd = [name for name in names if plain(name, marks) != name]
    if odd:
        raise Declined(
            DeclineCode.ORDER_REFUSED,
            f"{odd[0]} cannot be written in X12, where {' '.join(marks)} part what is written; "
            "give the partner other separators, or the SKU a number among its items",
        )
    order = await purchase_reads.get(conn, po_id)
    await write(
        conn,
        *(partner, "850", purchase_order(partner, document, buyer=partner.ours.id)),
        at=clock.now(),
        subject=f"850:{po_id}",
        reference=po_id,
        order_id=order.order_id,  # Where it goes to a customer, erasing that one finds it.
        po_id=po_id,
    )
    return Taken(po_id=po_id, reference=po_id)
