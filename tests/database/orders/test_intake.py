"""Intake: an order is on record before anything else happens to it, once, in its sequence."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from random import Random

import pytest

from activities.orders.starts import OrderStarts
from domain.errors import Conflict, Unreachable
from domain.orders.policy import Policy
from domain.orders.starts import OrderStart
from starter.service.decisions import Decisions
from store.database import Pool
from store.orders import intake, orders
from store.orders.intake import Received
from tests.support.bench import Bench
from tests.support.builders import an_order, shipping


@pytest.fixture
def bench(pool: Pool) -> Bench:
    return Bench(pool)


async def test_an_order_that_was_taken_in_is_on_record_and_to_be_started(bench: Bench) -> None:
    order = an_order(("TEA", 2, "12.50"), ("CUP", 1))
    policy = Policy(return_window=timedelta(days=5))
    assert await bench.take_in(order, policy)
    (on_record,) = await bench.on_record(order)
    assert on_record.policy == policy
    assert on_record.shipping == order.shipping
    terms = on_record.terms
    assert [(line.line_id, line.sku, line.quantity) for line in terms.lines] == [
        ("1", "TEA", 2),
        ("2", "CUP", 1),
    ]
    assert terms.total_minor == order.total_minor
    assert [(each.provider, each.token, each.most) for each in terms.tenders] == [
        ("sandbox", "tok_ok", None)
    ]
    to_start = "select count(*) from order_to_start where order_no = order_no_of($1) and not bulk"
    assert await bench.count(to_start, order.order_id) == 1
    assert await bench.pool.fetchval("select what from order_event") == "received"


async def test_an_order_that_comes_again_is_the_same_one_and_another_is_a_conflict(
    bench: Bench,
) -> None:
    order = an_order(("TEA", 2))
    assert [await bench.take_in(order) for _ in range(2)] == [True, False]
    decisions = Decisions(bench.pool)
    assert await decisions.on_record(order) is None, "nothing is decided yet"
    other = order.model_copy(update={"note": "another one"})
    assert not await bench.take_in(other)
    with pytest.raises(Conflict, match="with other content"):
        await decisions.on_record(other)
    assert await bench.count("select count(*) from customer_order") == 1


async def test_orders_that_come_together_are_written_together_in_their_sequence(
    bench: Bench,
) -> None:
    placed = [an_order(("TEA", 1)) for _ in range(20)]
    async with bench.pool.acquire() as conn:
        new = await intake.take_in(conn, [Received(order) for order in (*placed, placed[3])])
    assert new == [True] * 20 + [False]
    rows = await bench.pool.fetch("select order_id from customer_order order by received_at")
    assert [row["order_id"] for row in rows] == [order.order_id for order in placed]
    assert await bench.count("select count(distinct xmin::text) from customer_order") == 1


async def test_the_same_orders_by_many_doors_in_any_sequence_are_taken_in_once(
    bench: Bench,
) -> None:
    placed = [an_order((sku, 1)) for sku in ("TEA", "CUP", "POT", "NEW") for _ in range(5)]

    async def door(number: int) -> list[bool]:
        mine = Random(number).sample(placed, len(placed))
        async with bench.pool.acquire() as conn:
            return await intake.take_in(conn, [Received(order) for order in mine])

    answers = await asyncio.wait_for(asyncio.gather(*map(door, range(8))), timeout=30)
    assert sum(map(sum, answers)) == len(placed)
    assert await bench.count("select count(*) from order_line") == len(placed)


async def test_an_order_begins_once_however_many_attempts_there_are(bench: Bench) -> None:
    order = an_order(("TEA", 1))
    await bench.take_in(order)

    async def begin() -> set[str]:
        async with bench.pool.acquire() as conn, conn.transaction():
            begun = await orders.begin(conn, [order.order_id, "web-none"])
            await asyncio.sleep(0.01)
            return begun

    begun = await asyncio.gather(*(begin() for _ in range(5)))
    assert sorted(map(len, begun)) == [0, 0, 0, 0, 1]
    assert await bench.count("select count(*) from order_to_start") == 0


# The relay's duty ---------------------------------------------------------------------------------


class Temporal:
    """What the duty asks to start an order; it is away while it has no room."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.asked: list[str] = []

    async def start(self, start: OrderStart) -> None:
        self.asked.append(start.order_id)
        if self.room == 0:
            raise Unreachable("away")
        self.room -= 1


async def due(bench: Bench, count: int) -> list[str]:
    """Orders that nobody has started in time."""
    placed = [an_order(("TEA", 1), shipping=shipping("9.00", service="express"))]
    placed += [an_order(("TEA", 1)) for _ in range(count - 1)]
    async with bench.pool.acquire() as conn:
        await intake.take_in(conn, [Received(order, bulk=True) for order in placed])
    await later(bench)
    return [order.order_id for order in placed]


async def later(bench: Bench) -> None:
    """Some seconds pass."""
    await bench.pool.execute(
        "update order_to_start set start_after = start_after - interval '10 seconds'"
    )
    await bench.pool.execute(
        "update customer_order set received_at = received_at - interval '10 seconds'"
    )


async def test_an_order_is_left_to_its_door_for_some_seconds(bench: Bench) -> None:
    await bench.take_in(an_order(("TEA", 1)))
    temporal = Temporal(room=9)
    await OrderStarts(bench.pool, temporal.start).start()
    assert temporal.asked == []


async def test_orders_that_nobody_started_are_started_once_in_the_sequence_of_their_intake(
    bench: Bench,
) -> None:
    placed = await due(bench, 250)
    temporal = Temporal(room=1000)
    duty = OrderStarts(bench.pool, temporal.start)
    await duty.start()
    await duty.start()
    assert temporal.asked == placed


async def test_while_temporal_is_away_one_order_asks_and_all_keep_their_place(
    bench: Bench,
) -> None:
    placed = await due(bench, 5)
    temporal = Temporal(room=0)
    duty = OrderStarts(bench.pool, temporal.start)
    for _ in range(3):
        await duty.start()
    assert temporal.asked == placed[:1] * 3
    temporal.room, temporal.asked = 3, []
    await duty.start()
    assert temporal.asked[:3] == placed[:3]
    temporal.room, temporal.asked = 9, []
    await duty.start()
    assert temporal.asked == placed[3:]


async def test_no_more_are_claimed_than_asked_for_whatever_the_plan(bench: Bench) -> None:
    """A plan for a table of one row read a sub-select once for each row, and claimed them all."""
    await due(bench, 1)
    await bench.pool.execute("vacuum analyze order_to_start")
    await due(bench, 4)
    async with bench.pool.acquire() as conn:
        await conn.execute("set enable_hashagg = off; set enable_sort = off")
        assert len(await intake.claim_to_start(conn, 1)) == 1
        await conn.execute("reset all")


async def test_several_relays_share_the_starts(bench: Bench) -> None:
    placed = await due(bench, 30)
    temporal = Temporal(room=1000)
    relays = [OrderStarts(bench.pool, temporal.start) for _ in range(3)]
    await asyncio.gather(*(relay.start() for relay in relays))
    assert sorted(temporal.asked) == sorted(placed)


async def test_a_start_knows_what_operators_look_for(bench: Bench) -> None:
    order = an_order(("TEA", 2, "12.50"), ("CUP", 1))
    policy = Policy(pay_within=timedelta(hours=3))
    await bench.take_in(order, policy)
    await later(bench)
    async with bench.pool.acquire() as conn:
        (start,) = await intake.claim_to_start(conn, 10)
    assert start == OrderStart.of(order, policy)
