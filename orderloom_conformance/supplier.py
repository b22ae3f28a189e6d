"""The contract of a way to suppliers: `activities.purchasing.supplier.Supplier`."""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import ClassVar

import pytest

from activities.provider_errors import DeclineCode
from activities.purchasing.supplier import Supplier, Taken
from domain.purchasing.purchase_orders import PurchaseDocument, PurchaseLine
from domain.purchasing.x12 import purchase_order_850
from orderloom_conformance.refusals import refusal

AT_ONCE = 9
DAY = date(2026, 11, 20)
SENT_AT = datetime(2026, 11, 20, 10, tzinfo=UTC)


@pytest.mark.asyncio
class SupplierContract:
    """Derive from it, and give it the fixture `supplier`, and what is different with yours.

    `restarted` is the same as another worker has it. Orders are new in each test.
    """

    serves: ClassVar[str] = "acme"
    """A supplier that takes orders, and lets them be cancelled."""
    refuses: ClassVar[str | None] = None
    """A supplier that takes none; None: there is none to try."""
    never_stops: ClassVar[str | None] = None
    """A supplier that takes orders and never lets one be cancelled."""

    @pytest.fixture
    def supplier(self) -> Supplier:
        """The way to suppliers."""
        raise NotImplementedError("give your class the fixture `supplier`")

    @pytest.fixture
    def restarted(self, supplier: Supplier) -> Supplier:
        """The same way as another worker has it."""
        return supplier

    @pytest.fixture
    def po_id(self) -> str:
        """An order's number that was never used."""
        return f"PO-{uuid.uuid4().hex[:12]}"

    def _document(self, po_id: str, supplier: str, quantity: int = 10) -> PurchaseDocument:
        line = PurchaseLine(
            sku="TEA",
            quantity=quantity,
            unit_price=Decimal("2.50"),
            due_on=DAY,
        )
        return PurchaseDocument(
            po_id=po_id,
            number=1,
            supplier=supplier,
            supplier_name=supplier,
            deliver_to="main",
            ordered_on=DAY,
            currency="EUR",
            lines=(line,),
        )

    async def _place(
        self, way: Supplier, po_id: str, supplier: str | None = None, quantity: int = 10
    ) -> Taken:
        document = self._document(po_id, supplier or self.serves, quantity)
        return await way.place(document, x12=purchase_order_850(document, at=SENT_AT))

    async def test_an_order_is_taken_once_however_often_and_from_wherever_it_comes(
        self, supplier: Supplier, restarted: Supplier, po_id: str
    ) -> None:
        ways = [supplier, restarted] * AT_ONCE
        answers = await asyncio.gather(*(self._place(way, po_id) for way in ways))
        assert all(answer == answers[0] for answer in answers)
        assert answers[0].po_id == po_id
        assert await restarted.lookup(po_id) == answers[0]

    async def test_nothing_is_known_of_an_order_that_did_not_come(
        self, supplier: Supplier, po_id: str
    ) -> None:
        assert await supplier.lookup(po_id) is None

    async def test_a_number_with_other_content_is_a_conflict_and_the_first_order_stands(
        self, supplier: Supplier, po_id: str
    ) -> None:
        taken = await self._place(supplier, po_id)
        other = self._place(supplier, po_id, quantity=11)
        assert await refusal(other) == DeclineCode.IDEMPOTENCY_CONFLICT
        assert await supplier.lookup(po_id) == taken

    async def test_an_order_is_cancelled_and_cancelling_again_is_safe(
        self, supplier: Supplier, restarted: Supplier, po_id: str
    ) -> None:
        await self._place(supplier, po_id)
        for way in (supplier, restarted):
            await way.cancel(po_id)

    async def test_an_order_that_was_cancelled_before_it_came_is_not_served(
        self, supplier: Supplier, po_id: str
    ) -> None:
        await supplier.cancel(po_id)
        assert await refusal(self._place(supplier, po_id)) == DeclineCode.ORDER_REFUSED

    async def test_asking_where_an_order_is_changes_nothing(
        self, supplier: Supplier, po_id: str
    ) -> None:
        taken = await self._place(supplier, po_id)
        await supplier.chase(po_id)
        assert await supplier.lookup(po_id) == taken

    async def test_an_order_that_is_not_served_is_refused_each_time(
        self, supplier: Supplier, po_id: str
    ) -> None:
        if self.refuses is None:
            pytest.skip("there is no supplier that refuses")
        for _ in range(2):
            refused = self._place(supplier, po_id, self.refuses)
            assert await refusal(refused) == DeclineCode.ORDER_REFUSED

    async def test_an_order_that_is_not_stopped_any_more_stays(
        self, supplier: Supplier, po_id: str
    ) -> None:
        if self.never_stops is None:
            pytest.skip("every supplier lets orders be cancelled")
        taken = await self._place(supplier, po_id, self.never_stops)
        assert await refusal(supplier.cancel(po_id)) == DeclineCode.TOO_LATE
        assert await supplier.lookup(po_id) == taken
