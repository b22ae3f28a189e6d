"""Returns that are paid back as soon as a carrier has the parcel, and what does not come then."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from domain.aftersales.return_counts import Found
from domain.aftersales.return_rules import Limit, ReturnRule
from domain.orders.hold_rules import ListEntries
from starter.service.returns import Returns
from store.database import Pool
from store.orders import hold_rules
from tests.database.aftersales.sent_back import (
    PAID,
    asked,
    asked_again,
    decide,
    is_clean,
    scan,
    see_to,
    shown,
    tasks,
)
from tests.support.bench import Bench
from tests.support.builders import an_order, shipping

AT_ONCE = ReturnRule(label="free", instant_refund="always", restocking_percent={"used": 50})
REFUNDS = "select coalesce(sum(amount_minor), 0)::bigint from refund"
MONEY = "select charged - refunded, conceded from order_line_money"


@pytest.fixture
def bench(pool: Pool) -> Bench:
    return Bench(pool)


async def on_its_way(bench: Bench, rule: ReturnRule = AT_ONCE, **fields: Any) -> str:
    """Two of three units are with the carrier, which tells it to two workers."""
    _, back = await asked(bench, rule, **fields)
    await see_to(bench)
    await asyncio.gather(*(scan(bench, back, "in_transit") for _ in range(2)))
    return back


async def report(bench: Bench, step: str, back: str) -> Any:
    query = "select outcome from wait_report where activity_id = $1"
    return await bench.pool.fetchval(query, f"{step}:{back}")


async def money(bench: Bench) -> tuple[int, int]:
    """Units that are paid for and not paid back, and units paid back that the customer has."""
    row = await bench.pool.fetchrow(MONEY)
    assert row is not None
    return row[0], row[1]


async def test_it_is_paid_back_once_at_the_first_scan_and_nothing_more_when_it_is_counted(
    bench: Bench,
) -> None:
    _, back = await asked(bench, AT_ONCE)
    await see_to(bench)
    expected = (await Returns(bench.pool).expected_refund(back)).minor
    await asyncio.gather(*(scan(bench, back, "in_transit", f"e{n}") for n in range(3)))
    assert await bench.pool.fetchval(REFUNDS) == expected
    told = await report(bench, "receive_return", back)
    assert (told["paid_early"], told["received"], told["refund"]["refund_id"]) == (True, {}, back)
    assert await money(bench) == (1, 2)
    await is_clean(bench)
    assert (await shown(bench, back)).state == "in_transit"
    assert (await Returns(bench.pool).expected_refund(back)).minor == 0, "nothing more"
    outcome = await bench.warehouse.receive_return(back, who="dock")
    assert await bench.warehouse.receive_return(back, who="dock") == outcome
    assert (await report(bench, "receive_paid_return", back))["received"] == {"1": 2}
    assert await bench.pool.fetchval(REFUNDS) == expected
    assert await money(bench) == (1, 0)
    assert await tasks(bench) == []
    assert (await shown(bench, back)).state == "received", "its money is still to be sent"
    await is_clean(bench)


async def test_what_does_not_come_or_comes_worn_is_owed_by_the_customer_and_a_persons_task(
    bench: Bench,
) -> None:
    back = await on_its_way(bench)
    worn = {"1": [Found(quantity=1, condition="used")]}
    await bench.warehouse.receive_return(back, worn, who="dock")
    assert await tasks(bench) == [f"return_short {back}"]
    reason = await bench.pool.fetchval("select reason from attention")
    assert "15.00 USD of that did not come back" in reason, "10.00 of goods, and half of the other"
    assert await money(bench) == (1, 1), "the missing one stays, paid back as it is"
    await is_clean(bench)
    settle = Returns(bench.pool).settle
    await settle(back.split(":")[0], f"return_short {back}", "paid by bank", who="kim")
    assert await tasks(bench) == []


async def test_a_policy_lets_it_be_and_the_books_have_it(bench: Bench) -> None:
    back = await on_its_way(bench, AT_ONCE.model_copy(update={"not_returned": "write_off"}))
    await bench.warehouse.receive_return(back, {}, who="dock")
    assert await tasks(bench) == []
    what = "select data ->> 'amount' from order_event where what = 'not returned, written off'"
    assert await bench.pool.fetchval(what) == "20.00 USD"
    assert (await shown(bench, back)).state == "closed"
    assert await money(bench) == (1, 2)
    await is_clean(bench)


async def test_a_unit_that_turns_up_later_is_not_paid_back_again(bench: Bench) -> None:
    back = await on_its_way(bench)
    await bench.warehouse.receive_return(back, {"1": [Found(quantity=1)]}, who="dock")
    paid = await bench.pool.fetchval(REFUNDS)
    order_id = back.split(":")[0]
    again = await asked_again(bench, order_id, 2)
    await bench.warehouse.receive_return(again, who="dock")
    line = await bench.pool.fetchval("select (charged_worth).goods / 3 from order_line_money")
    assert await bench.pool.fetchval(REFUNDS) == paid + line, "of the one that was never paid back"
    assert await money(bench) == (0, 0)
    await is_clean(bench)


@pytest.mark.parametrize(
    "rule",
    [
        PAID,
        AT_ONCE.model_copy(update={"instant_refund": "never"}),
        AT_ONCE.model_copy(update={"instant_refund": "trusted", "trusted_list": "good"}),
        AT_ONCE.model_copy(
            update={"instant_refund_up_to": Limit(amount=Decimal("19.99"), currency="USD")}
        ),
        AT_ONCE.model_copy(
            update={"instant_refund_up_to": Limit(amount=Decimal(99), currency="EUR")}
        ),
    ],
)
async def test_without_a_rule_for_all_of_it_nothing_is_paid_before_it_is_counted(
    bench: Bench, rule: ReturnRule
) -> None:
    back = await on_its_way(bench, rule)
    assert await bench.pool.fetchval(REFUNDS) == 0
    await bench.warehouse.receive_return(back, who="dock")
    assert await bench.pool.fetchval(REFUNDS) > 0
    await is_clean(bench)


async def listed(bench: Bench, name: str, customer: str) -> None:
    async with bench.pool.acquire() as conn:
        entries = ListEntries(kind="customer_id", values=(customer,))
        await hold_rules.list_add(conn, name, entries, who="ann")


async def test_a_customer_on_the_list_is_trusted_and_one_on_another_is_looked_at(
    bench: Bench,
) -> None:
    customer = {"id": "kim", "name": "Kim"}
    await listed(bench, "good", "kim")
    trusted = AT_ONCE.model_copy(update={"instant_refund": "trusted", "trusted_list": "good"})
    back = await on_its_way(bench, trusted, customer=customer)
    assert await bench.pool.fetchval(REFUNDS) == 2000
    await listed(bench, "marked", "kim")
    marked = trusted.model_copy(update={"review_listed": "marked"})
    _, other = await asked(bench, marked, customer=customer)
    found = await shown(bench, other)
    assert (found.state, found.asks) == ("requested", ("is_listed",))
    assert (await shown(bench, back)).state == "in_transit"


async def test_a_parcel_that_the_carrier_loses_at_once_is_not_paid_back(bench: Bench) -> None:
    _, back = await asked(bench, AT_ONCE)
    await see_to(bench)
    await scan(bench, back, "failure")
    assert await bench.pool.fetchval(REFUNDS) == 0
    assert await tasks(bench) == [f"return_parcel {back}"]
    assert await decide(bench, back, "cancel") == "return_in_transit"


async def test_while_a_bank_asks_about_the_order_nothing_is_paid_at_once(bench: Bench) -> None:
    _, back = await asked(bench, AT_ONCE)
    await see_to(bench)
    await bench.pool.execute("update order_money set disputed = 100")
    await scan(bench, back, "in_transit")
    assert await bench.pool.fetchval(REFUNDS) == 0
    assert (await shown(bench, back)).state == "in_transit"


async def test_what_pays_for_an_exchange_is_not_paid_back_before_it_is_counted(
    bench: Bench,
) -> None:
    order, back = await asked(bench, AT_ONCE)
    other = an_order(("TEA", 1))
    await bench.take_in(other)
    await bench.pool.execute(
        "insert into exchange (order_no, return_id, exchange_no, mode, tender_minor, currency) "
        "values (order_no_of($1), $2, order_no_of($3), 'standard', 100, 'USD')",
        *(order.order_id, back, other.order_id),
    )
    await see_to(bench)
    await scan(bench, back, "in_transit")
    assert await bench.pool.fetchval(REFUNDS) == 0
    assert (await shown(bench, back)).state == "in_transit"


async def test_units_that_were_paid_back_before_are_not_paid_back_on_their_way(
    bench: Bench,
) -> None:
    """Of each line those that nobody paid back yet come first."""
    order, first = await asked(bench, AT_ONCE, shipping=shipping("5.02"))
    await bench.grant(order, lines=[{"line_id": "1", "quantity": 1}])
    second = await asked_again(bench, order.order_id, 1)
    await see_to(bench)
    await scan(bench, second, "in_transit")
    paid = await bench.pool.fetchval(REFUNDS)
    await scan(bench, first, "in_transit")
    assert await bench.pool.fetchval(REFUNDS) == paid, "one of its units was paid back before"
    await bench.warehouse.receive_return(first, who="dock")
    await bench.warehouse.receive_return(second, who="dock")
    assert await bench.pool.fetchval(REFUNDS) == order.total_minor, "with all of the shipping"
    await is_clean(bench)


async def test_every_unit_paid_back_on_its_way_gives_back_exactly_what_was_paid(
    bench: Bench,
) -> None:
    order, first = await asked(bench, AT_ONCE, shipping=shipping("5.02"))
    second = await asked_again(bench, order.order_id, 1)
    await see_to(bench)
    for back in (first, second):
        await scan(bench, back, "in_transit")
    assert await bench.pool.fetchval(REFUNDS) == order.total_minor
    for back in (second, first):
        await bench.warehouse.receive_return(back, who="dock")
    assert await bench.pool.fetchval(REFUNDS) == order.total_minor
    assert await money(bench) == (0, 0)
    await is_clean(bench)
