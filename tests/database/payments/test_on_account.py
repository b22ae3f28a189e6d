"""Orders that are paid by invoice: nothing is asked of a company, and the books know who owes."""

from __future__ import annotations

from decimal import Decimal

import pytest

from activities.payments.contracts import Void
from domain.errors import InvalidInput
from domain.orders.channels import Channel
from domain.orders.order import Order
from store.database import Pool
from store.views import audit
from tests.support.bench import Bench
from tests.support.builders import an_order

PAID = {"provider": "on_account", "token": "acme"}


async def owed(pool: Pool, order: Order) -> int:
    found = await pool.fetchval(
        "select coalesce(sum(amount_minor), 0) from posting join journal_entry using (entry_id) "
        "join customer_order using (order_no) "
        "where account = 'trade_receivables' and order_id = $1",
        order.order_id,
    )
    return int(found)


async def test_what_is_sent_is_owed_and_what_is_credited_is_not(pool: Pool) -> None:
    bench = Bench(pool)
    await bench.stocked("TEA", 10)
    order = an_order(("TEA", 4, "10.00"), payment=PAID)
    await bench.charged(await bench.at(order, "shipped"))
    assert await owed(pool, order) == order.total_minor
    await bench.refunded(order, amount=Decimal("5.00"))
    assert await owed(pool, order) == order.total_minor - 500

    given_up = an_order(("TEA", 2, "10.00"), payment=PAID, channel_order_id="given-up")
    await bench.at(given_up, "confirmed")
    await bench.authorizations.void_payment(Void(order_id=given_up.order_id, why="given up"))
    released = "select amount_minor, state from payment where kind = 'void'"
    assert [tuple(row) for row in await pool.fetch(released)] == [
        (given_up.total_minor, "succeeded")
    ]
    assert await owed(pool, given_up) == 0
    async with pool.acquire() as conn:
        faults = (await audit.look(conn)).violations
    assert not faults, faults


@pytest.mark.parametrize("providers", [None, ("sandbox",)])
def test_nobody_gets_goods_on_credit_by_asking_for_it(providers: tuple[str, ...] | None) -> None:
    order = an_order(("TEA", 1, "10.00"), payment=PAID)
    with pytest.raises(InvalidInput, match="on_account"):
        Channel(channel="web", kind="web", providers=providers).check(order)
    Channel(channel="web", kind="web", providers=("on_account",)).check(order)
