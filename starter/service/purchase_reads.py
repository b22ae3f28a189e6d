"""Suppliers and their terms, and purchase orders, as people read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final, NamedTuple

from domain.purchasing.purchase_orders import PurchaseDocument, PurchaseStanding, SupplierItem
from domain.sellers import Seller
from starter.service.outlook import OutlookReads
from store.accounting import sellers
from store.purchasing import purchase_reads, suppliers
from store.purchasing.purchase_reads import PurchaseCounts, PurchaseEvent, PurchaseOrder
from store.purchasing.suppliers import Supplier
from store.stock import locations


class PurchasePaper(NamedTuple):
    """What is printed of a purchase order: `runtime.papers.purchase`."""

    order: PurchaseDocument
    buyer: Seller
    names: Mapping[str, str]
    to_customer: bool


COUNTED_MAX: Final = 1000
"""So many open orders and suppliers are counted at most."""


class PurchaseReads(OutlookReads):
    """Reads of what is bought, and of whom. They need the database alone."""

    async def terms(
        self,
        *,
        supplier: str | None = None,
        skus: Sequence[str] | None = None,
        after: tuple[str, str] | None = None,
        at_most: int | None = None,
    ) -> Sequence[SupplierItem]:
        """The terms of all suppliers and SKUs, or of one supplier or some SKUs.

        `after`: a page of `at_most` behind this supplier and SKU.
        """
        async with self._pool.acquire() as conn:
            return await suppliers.terms(
                conn, supplier=supplier, skus=skus, after=after, at_most=at_most
            )

    async def suppliers(
        self,
        supplier: str | None = None,
        *,
        locations: Sequence[str] | None = None,
        after: str | None = None,
        at_most: int | None = None,
    ) -> Sequence[Supplier]:
        """Suppliers by id: all, a page behind the id `after`, or one. Raises NotFound.

        `locations`: of which open orders are counted; None: of all.
        """
        async with self._pool.acquire() as conn:
            return await suppliers.find(
                conn, supplier, locations=locations, after=after, at_most=at_most
            )

    async def supplier_names(self, *, at_most: int) -> dict[str, str]:
        """Supplier → name, of so many suppliers by name."""
        async with self._pool.acquire() as conn:
            return await suppliers.names(conn, at_most=at_most)

    async def orders(
        self,
        *,
        only_open: bool = False,
        states: Sequence[PurchaseStanding] | None = None,
        sku: str | None = None,
        supplier: str | None = None,
        locations: Sequence[str] | None = None,
        only_late: bool = False,
        due_by: date | None = None,
        before: int | None = None,
        at_most: int = 1000,
    ) -> Sequence[PurchaseOrder]:
        """Purchase orders, newest first, that match every filter that is given.

        `only_late`: of which goods should have come before this day of their location. `due_by`: of
        which some should come by this day. `before`: only those with a lower number than this.
        """
        async with self._pool.acquire() as conn:
            return await purchase_reads.find(
                conn,
                only_open=only_open,
                states=states,
                sku=sku,
                supplier=supplier,
                locations=locations,
                only_late=only_late,
                due_by=due_by,
                before=before,
                at_most=at_most,
            )

    async def counts(
        self, *, locations: Sequence[str] | None = None, due_by: date
    ) -> PurchaseCounts:
        """How much a buyer has before them: at most one more than `COUNTED_MAX` of each.

        `due_by`: see `orders`.
        """
        async with self._pool.acquire() as conn:
            return await purchase_reads.counts(
                conn, locations=locations, due_by=due_by, at_most=COUNTED_MAX + 1
            )

    async def order(self, po_id: str) -> PurchaseOrder:
        """One purchase order. Raises NotFound."""
        async with self._pool.acquire() as conn:
            return await purchase_reads.get(conn, po_id)

    async def story(self, po_id: str) -> Sequence[PurchaseEvent]:
        """A purchase order's story: its events, oldest first."""
        async with self._pool.acquire() as conn:
            return await purchase_reads.story(conn, po_id)

    async def paper(self, po_id: str) -> PurchasePaper:
        """A purchase order with all that is printed on its paper. Raises NotFound."""
        order = await self.order(po_id)
        async with self._pool.acquire() as conn:
            (place,) = await locations.find(conn, order.location)
            buyer = await sellers.get(conn, place.seller or "")
        names = {line.sku: line.name for line in order.lines if line.name}
        return PurchasePaper(await self.document(po_id), buyer, names, order.drop_ship)

    async def document(self, po_id: str) -> PurchaseDocument:
        """A purchase order as the supplier gets it: as it was sent, or as it would be sent now.

        Raises NotFound.
        """
        order = await self.order(po_id)
        told = (event.data.get("document") for event in await self.story(po_id))
        sent = next((one for one in told if one is not None), None)
        return order.document if sent is None else PurchaseDocument.model_validate(sent)
