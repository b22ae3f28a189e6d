"""A supplier that we did not write plays a week: each day in another way. Both sides agree then."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

import pytest

from store.database import Pool
from store.views import audit
from tests.database.edi.test_edi_purchases import Buyer
from tests.support.trading import a_mock

DAYS: Final = (
    *("accept", "short-ship", "reject-line", "late", "out-of-order", "duplicate-invoice"),
    "no-invoice",
)
TOLD: Final = {
    "short-ship": ("of 10 WIDGET-001 are confirmed", "of 6 BRKT-050 are confirmed"),
    "reject-line": ("0 of 10 WIDGET-001 are confirmed", "0 of 6 BRKT-050 are confirmed"),
    "duplicate-invoice": ("came before: pay it once",),
}
"""What a person hears of a day: all of it, or a part."""


@pytest.fixture
async def buyer(pool: Pool) -> Buyer:
    buyer = Buyer(pool)
    await buyer.ready()
    return buyer


async def test_a_weeks_orders_goods_and_bills_agree_with_those_of_the_supplier(
    buyer: Buyer,
) -> None:
    with a_mock() as mock:
        for day, behaviour in enumerate(DAYS):
            mock.behaviour("ACME", behaviour)
            await buyer.orders(f"PO-{day}", WIDGET_001=10, BRKT_050=6)
            await buyer.settle(mock)
            heard = await buyer.tasks()
            assert bool(heard) == (behaviour in TOLD), (behaviour, heard)
            for task in heard:
                assert any(said in task for said in TOLD[behaviour]), task
            await seen_to(buyer)
            await agree(buyer, mock, f"PO-{day}", is_billed=behaviour != "no-invoice")
        assert mock.unacknowledged() == []
    async with buyer.pool.acquire() as conn:
        found = await audit.look(conn)
    assert not found.violations, found.violations


async def seen_to(buyer: Buyer) -> None:
    """A person has seen to all tasks."""
    for one in await buyer.edi.list(failed=True):
        for document in one.documents:
            if document.task:
                await buyer.edi.settle(document.document_no, "called them", document=True)
    for answer in await buyer.answers():
        await buyer.bench.purchasing.agree(answer.subject, "called them", who="kim")
    assert await buyer.tasks() == []


async def agree(buyer: Buyer, mock: Any, po_id: str, *, is_billed: bool) -> None:
    """What came is counted; then both sides say the same of the order, the goods and the bill."""
    sent = {line.sku: line.shipped for line in (await buyer.order(po_id)).lines if line.shipped}
    await buyer.bench.purchasing.receive(po_id, f"{po_id}-dock", sent, who="dock")
    order = await buyer.order(po_id)
    theirs = mock.order(po_id, partner="ACME")
    billed = await buyer.pool.fetch("select units, total from edi_bill where po_id = $1", po_id)
    assert len(billed) == is_billed
    ours = {line.sku: line for line in order.lines}
    for line in theirs["lines"]:
        mine = ours[line["sku"]]
        assert mine.received == int(Decimal(line["shipped"])), line
        assert mine.quantity - mine.cancelled == mine.received
        if is_billed:
            units = billed[0]["units"].get(line["sku"], 0)
            assert units == int(Decimal(line["invoiced"])) == mine.received
    if is_billed:
        worth = sum(line.received * line.unit_price for line in order.lines)
        assert billed[0]["total"] == worth
        assert len(theirs["invoices"]) == 1
    assert order.outstanding == 0
