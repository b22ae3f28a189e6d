"""Returns that do not come: told some times, then closed; once, whoever looks at the same time."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from activities.aftersales.overdue_returns import OverdueReturns
from activities.aftersales.returns import ApproveReturn, DecideReturn
from domain.aftersales.return_rules import ReturnRule
from domain.orders.order import Order
from store.aftersales import return_rules
from store.database import Pool
from store.views import returns
from tests.support.bench import Bench
from tests.support.builders import a_policy, an_order

WEEK = timedelta(days=7)
PATIENT = a_policy(return_window=600).model_copy(
    update={"return_within": 4 * WEEK, "chase_every": WEEK, "chases_max": 2}
)


@pytest.fixture
def bench(pool: Pool) -> Bench:
    return Bench(pool)


async def a_return(bench: Bench) -> tuple[Order, str]:
    order = an_order(("TEA", 2))
    await bench.stocked("TEA", 2)
    await bench.on_record(order, policy=PATIENT)
    await bench.at(order, "delivered")
    ask = ApproveReturn(
        order_id=order.order_id, request_id="r1", units={"1": 2}, reason="no", who="test"
    )
    return order, (await bench.returns.approve_return(ask)).return_id


async def days_go_by(bench: Bench, days: int) -> None:
    """By the clock of the rows; all workers look at once."""
    ago = "update order_return set chase_at = chase_at - make_interval(days => $1)"
    await bench.pool.execute(ago, days)
    await asyncio.gather(*(OverdueReturns(bench.pool).chase() for _ in range(3)))


async def told(bench: Bench, order: Order) -> list[str]:
    rows = await bench.pool.fetch(
        "select what from order_event where order_no = order_no_of($1) and what like '%overdue%' "
        "order by event_id",
        order.order_id,
    )
    return [row["what"] for row in rows]


async def test_an_overdue_return_is_told_twice_and_then_its_units_stay_sold(bench: Bench) -> None:
    order, back = await a_return(bench)
    await days_go_by(bench, 27)
    assert await told(bench, order) == []
    for number, days in enumerate((2, 8), 1):
        await days_go_by(bench, days)
        assert await told(bench, order) == ["return overdue"] * number
    await days_go_by(bench, 8)
    assert (await told(bench, order))[2:] == ["overdue return closed"]
    async with bench.pool.acquire() as conn:
        found = await returns.get(conn, back)
    assert (found.state, found.ended_because) == ("closed", "nothing came in time")
    line = await bench.pool.fetchrow("select return_requested, returned from order_line")
    assert line is not None
    assert tuple(line) == (0, 0)
    reported = "select outcome from wait_report where activity_id = $1"
    report = await bench.pool.fetchval(reported, f"receive_return:{back}")
    assert report["received"] == {}
    await days_go_by(bench, 100)
    assert len(await told(bench, order)) == 3


async def test_one_that_has_come_or_waits_for_a_decision_is_not_overdue(bench: Bench) -> None:
    order, back = await a_return(bench)
    await bench.warehouse.receive_return(back, who="dock")
    await days_go_by(bench, 100)
    assert await told(bench, order) == []


async def test_the_time_of_one_that_a_person_approves_begins_then(bench: Bench) -> None:
    async with bench.pool.acquire() as conn:
        await return_rules.save(conn, [ReturnRule(review_share_percent=0)])
    await bench.stocked("MUG", 9)
    earlier = an_order(("MUG", 9))
    await bench.at(earlier, "delivered")
    await bench.pool.execute("update order_line set returned = 1")
    order, back = await a_return(bench)
    await days_go_by(bench, 100)
    assert await told(bench, order) == [], "a person has to decide first"
    decide = DecideReturn(
        order_id=order.order_id,
        request_id="d1",
        return_id=back,
        decision="approve",
        why="well",
        who="ann",
    )
    assert (await bench.returns.decide_return(decide)).refusal is None
    await days_go_by(bench, 27)
    assert await told(bench, order) == []
    await days_go_by(bench, 2)
    assert await told(bench, order) == ["return overdue"]
