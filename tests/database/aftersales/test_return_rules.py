"""The rules of returns as rows, and what they find out about an order."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest

from activities.aftersales.returns import ApproveReturn
from domain.aftersales.return_rules import Limit, Record, ReturnRule
from domain.errors import InvalidInput, NotFound
from domain.stock.items import Item
from store.aftersales import return_rules
from store.database import Pool
from store.stock import items
from store.views import returns
from tests.support.bench import Bench
from tests.support.builders import a_policy, an_order


@pytest.fixture
def bench(pool: Pool) -> Bench:
    return Bench(pool)


async def test_rules_are_kept_as_a_whole_the_least_exact_first(pool: Pool) -> None:
    strict = ReturnRule(category="food", final_sale=True)
    usual = ReturnRule(
        window_days=14,
        reasons=("damaged", "defective"),
        review_above=Limit(amount=Decimal("99.50"), currency="EUR"),
    )
    of_web = ReturnRule(channel="web", seller="main", review_share_percent=40)
    async with pool.acquire() as conn:
        await return_rules.save(conn, [strict, usual, of_web])
        assert await return_rules.find(conn) == [usual, of_web, strict]
        for wrong, where in (
            ([ReturnRule(seller="nobody")], r"rules\[0\].seller: there is no seller nobody"),
            ([usual, ReturnRule(channel="none")], r"rules\[1\].channel: there is no channel none"),
            ([usual, strict, usual], r"rules\[2\]: an earlier rule is for the same"),
        ):
            with pytest.raises(InvalidInput, match=where):
                await return_rules.save(conn, wrong)
        assert await return_rules.find(conn) == [usual, of_web, strict], "nothing was changed"
        await return_rules.save(conn, [])
        assert await return_rules.find(conn) == []


async def test_who_sets_the_rules_last_has_set_all_of_them(pool: Pool) -> None:
    wanted = [[ReturnRule(window_days=n), ReturnRule(category=f"c{n}")] for n in range(6)]

    async def set_them(rules: list[ReturnRule]) -> None:
        async with pool.acquire() as conn:
            await return_rules.save(conn, rules)

    await asyncio.gather(*map(set_them, wanted))
    async with pool.acquire() as conn:
        assert await return_rules.find(conn) in wanted


async def test_an_order_is_judged_by_its_lines_categories_and_its_customers_record(
    bench: Bench,
) -> None:
    await bench.stocked("TEA", 20)
    await bench.stocked("BOOT", 20)
    boots = Item(sku="BOOT", category="shoes")
    rules = [
        ReturnRule(category="shoes", window_days=100),
        ReturnRule(channel="pos", window_days=1),
        ReturnRule(review_share_percent=10),
    ]
    order = an_order(("TEA", 3, "10.00"), ("BOOT", 2, "50.00"))
    async with bench.pool.acquire() as conn:
        await items.save(conn, [boots])
        await return_rules.save(conn, rules)
    await bench.on_record(order, policy=a_policy(return_window=60))
    async with bench.pool.acquire() as conn:
        assert await return_rules.window_of(conn, order.order_id) is None
        assert await return_rules.window_of(conn, "web-none") is None
    other = an_order(("TEA", 1))
    for one in (order, other):
        await bench.at(one, "delivered")
    async with bench.pool.acquire() as conn:
        found = await return_rules.asked(
            conn, order.order_id, {"1": 2, "2": 1}, {"2": "did_not_fit"}, late=False
        )
        ends = await return_rules.window_of(conn, order.order_id)
    tea, boot = found.lines
    assert (tea.terms.window_days, boot.terms.window_days) == (None, 100)
    assert (tea.reason, boot.reason) == ("other", "did_not_fit")
    assert (tea.quantity, boot.quantity) == (2, 1)
    assert 0 < tea.worth_minor < boot.worth_minor
    assert found.usual_window == timedelta(seconds=60)
    assert found.record == Record(delivered=6, returned=0), "over all orders of the customer"
    assert ends == found.delivered_at + timedelta(days=100)


async def test_there_is_no_return_that_nobody_asked_for(pool: Pool) -> None:
    async with pool.acquire() as conn:
        with pytest.raises(NotFound, match="there is no return web-1:R7"):
            await returns.get(conn, "web-1:R7")


async def test_what_was_refused_stays_refused_for_a_late_attempt_and_can_be_asked_again(
    bench: Bench,
) -> None:
    await bench.stocked("TEA", 2)
    order = an_order(("TEA", 2))
    await bench.at(order, "delivered")
    ask = ApproveReturn(
        order_id=order.order_id,
        request_id="r1",
        units={"1": 1},
        reason="no",
        turn="first",
        who="customer",
    )
    async with bench.pool.acquire() as conn:
        await return_rules.save(conn, [ReturnRule(final_sale=True)])
    first = await bench.returns.approve_return(ask)
    assert first.refusal is not None
    assert first.refusal.reason == "final_sale"
    async with bench.pool.acquire() as conn:
        await return_rules.save(conn, [])
    assert await bench.returns.approve_return(ask) == first
    again = ask.model_copy(update={"turn": "second"})
    assert (await bench.returns.approve_return(again)).return_id == f"{order.order_id}:R1"
