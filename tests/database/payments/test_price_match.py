"""A lower price that is met, in the rows: the credit note, the books and the audit."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from uuid import uuid4

from activities.payments.contracts import GrantRefund, Refund
from domain.money import Money
from domain.orders.order import Order
from domain.orders.price_match_messages import PriceMatchRequest
from store.accounting import documents
from store.database import Pool
from store.views import audit
from tests.support.bench import Bench
from tests.support.builders import a_document, shipping


def meeting(order: Order, line_id: str, price: str, request_id: str = "r1") -> GrantRefund:
    request = PriceMatchRequest(
        line_id=line_id, unit_price=Decimal(price), evidence="seen at shop.example"
    )
    return GrantRefund(
        order_id=order.order_id, request_id=request_id, request=request, turn=uuid4().hex
    )


async def two_rates(bench: Bench) -> Order:
    """Tea at 7 % and a cup at 19 %, delivered and charged."""
    document = a_document(("TEA", 2), ("CUP", 1, "20.00"), shipping=shipping("0"))
    for line, rate in zip(document["lines"], ("7", "19"), strict=True):
        line.pop("tax", None)
        line["tax_rate"] = rate
    order = Order.model_validate(document)
    await bench.charged(await bench.at(order, "delivered"))
    return order


async def violations(pool: Pool) -> list[str]:
    async with pool.acquire() as conn:
        seen = await audit.look(conn)
    return [f"{one.rule}: {one.subject}: {one.message}" for one in seen.violations]


async def test_the_credit_note_lowers_the_tax_at_the_lines_own_rate_and_the_audit_agrees(
    pool: Pool,
) -> None:
    bench = Bench(pool)
    for sku in ("TEA", "CUP"):
        await bench.stocked(sku, 9)
    order = await two_rates(bench)
    asked = [bench.payments.grant_refund(meeting(order, "1", "9.00")) for _ in range(3)]
    first, *others = await asyncio.gather(*asked)
    assert others == [first, first], "one request is met once"
    assert first.granted is not None
    assert first.granted.amount == Money(minor=2_14, currency="USD")
    await bench.payments.refund_payment(Refund(refund_id=first.granted.refund_id))

    async with pool.acquire() as conn:
        rows = await documents.of_order(conn, order.order_id)
        note = await documents.get(conn, rows[-1].number)
    assert (note.kind, note.reason) == ("credit_note", "a lower price: seen at shop.example")
    assert [(one.rate, one.net_minor, one.tax_minor) for one in note.taxes] == [("7", 2_00, 14)]
    assert await violations(pool) == []

    back = await bench.grant(
        order, request_id="r2", lines=[{"line_id": "1", "quantity": 2}, {"line_id": "2"}]
    )
    assert back.granted is not None
    assert back.granted.amount.minor == 2 * 9_63 + 23_80
    await bench.payments.refund_payment(Refund(refund_id=back.granted.refund_id))
    assert await violations(pool) == []
