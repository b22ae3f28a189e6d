"""What an agent gives as goodwill on a day, over all orders, on the real database."""

from __future__ import annotations

import asyncio
from decimal import Decimal

from activities.payments.contracts import RefundGranted
from domain.orders.order import Order
from domain.orders.policy import Policy
from store.database import Pool
from tests.support.bench import Bench, charging
from tests.support.bench import authorizing as authorizes
from tests.support.builders import an_order

POLICY = Policy.model_validate(
    {
        "goodwill_percent_max": 100,
        "charge": "at_confirmation",
        "goodwill_roles": {"agent": {"per_day": {"USD": "20.00"}}, "lead": {}},
    }
)


async def charged(bench: Bench, number: int) -> Order:
    """An order of 25.00 that is charged."""
    order = an_order(("TEA", 2), channel_order_id=f"g{number}")
    await bench.reserve(order, POLICY)
    ahead = authorizes(order).model_copy(update={"ahead": True})
    await bench.authorizations.authorize_payment(ahead)
    await bench.payments.charge_payment(charging(f"{order.order_id}:prepaid"))
    return order


async def given(bench: Bench, order: Order, amount: str, **wishes: str) -> RefundGranted:
    return await bench.grant(order, amount=Decimal(amount), **wishes)


async def test_an_agent_gives_so_much_on_a_day_however_many_orders_are_asked_at_once(
    pool: Pool,
) -> None:
    bench = Bench(pool)
    await bench.stocked("TEA", 100)
    orders = [await charged(bench, number) for number in range(4)]
    asked = [given(bench, order, "8.00", by="anna", role="agent") for order in orders]
    answers = await asyncio.gather(*asked)
    refused = [answer.refused for answer in answers if answer.refused is not None]
    assert len(refused) == 2, "8.00 twice, and no third time"
    assert {(no.reason, no.instead) for no in refused} == {("goodwill_limit", ("refund_order",))}

    first = orders[0]
    for who, role, amount in (("anna", "lead", "1.00"), ("bert", "agent", "1.00")):
        answer = await given(bench, first, amount, by=who, role=role, request_id=f"{who} {role}")
        assert answer.granted is not None, (who, role)
    nobody = await given(bench, first, "1.00", by="anna", request_id="no role")
    assert nobody.refused is not None
    assert nobody.refused.reason == "goodwill_role"
    await pool.execute("update refund set granted_at = granted_at - interval '1 day'")
    tomorrow = await given(bench, first, "8.00", by="anna", role="agent", request_id="tomorrow")
    assert tomorrow.granted is not None
