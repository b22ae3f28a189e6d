"""What an agent gives as goodwill on a day, over all orders, on the real database."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

from activities.payments.contracts import RefundGranted
from domain.orders.order import Order
from domain.orders.policy import Policy
from store.database import Pool
from store.payments import goodwill_asks
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


async def given(bench: Bench, order: Order, amount: str, **wishes: Any) -> RefundGranted:
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


async def asked_steps(pool: Pool) -> list[str]:
    rows = await pool.fetch("select step from attention where resolved_at is null")
    return [row["step"] for row in rows]


async def test_goodwill_over_a_limit_is_given_once_by_somebody_who_may(pool: Pool) -> None:
    bench = Bench(pool)
    await bench.stocked("TEA", 100)
    order = await charged(bench, 1)
    refused = await given(bench, order, "24.00", by="anna", role="agent", request_id="a1")
    assert refused.refused is not None
    for _ in range(2):
        asked = await given(
            bench, order, "24.00", by="anna", role="agent", request_id="a2", ask=True, to="voucher"
        )
        assert asked.asked is not None
        assert (asked.asked.minor, asked.granted) == (2400, None)
    assert await asked_steps(pool) == ["goodwill a2"]

    own = await bench.grant(order, approves="a2", by="anna", role="agent", request_id="b1")
    assert own.refused is not None
    assert own.refused.reason == "goodwill_limit"
    both = await asyncio.gather(
        *(
            bench.grant(order, approves="a2", by=who, role="lead", request_id=who)
            for who in ("bert", "carl")
        )
    )
    (granted,) = [each.granted for each in both if each.granted is not None]
    assert granted.amount.minor == 2400
    (late,) = [each.refused for each in both if each.refused is not None]
    assert late.reason == "not_asked"
    assert await pool.fetchval("select pay_to from refund") == "voucher"
    assert await asked_steps(pool) == []


async def test_goodwill_that_somebody_refuses_is_not_given_any_more(pool: Pool) -> None:
    bench = Bench(pool)
    await bench.stocked("TEA", 100)
    order = await charged(bench, 1)
    await given(bench, order, "24.00", by="anna", role="agent", request_id="a1", ask=True)
    async with pool.acquire() as conn:
        step = "goodwill a1"
        assert await goodwill_asks.settle(conn, order.order_id, step, "no", who="bert")
        assert not await goodwill_asks.settle(conn, order.order_id, step, "no", who="bert")
    no = await bench.grant(order, approves="a1", by="bert", role="lead", request_id="b1")
    assert no.refused is not None
    assert no.refused.reason == "not_asked"
    assert await pool.fetchval("select count(*) from refund") == 0
