"""Orders that come together are reserved together, and each gets what it would get alone."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from activities.orders.order_records import CloseOrder
from activities.stock.inventory import Inventory
from domain.errors import Conflict
from domain.orders.order import Order
from domain.orders.policy import Policy
from domain.orders.quantities import LineUnits
from domain.stock.items import Item
from domain.stock.locations import Lane, Location
from domain.stock.reservations import Reserved, ReserveStock
from store.database import Pool
from store.locks import lock_stock
from store.orders.orders import OnRecord
from store.stock import items, locations, reservations
from store.stock.catalogue import Catalogue
from tests.support.bench import Bench, at_once
from tests.support.books import faults_in
from tests.support.builders import an_order


@pytest.fixture
def bench(pool: Pool) -> Bench:
    return Bench(pool)


WHOLE = Policy(partly_available="all_or_nothing")


def units(answers: Iterable[Reserved]) -> int:
    return sum(sum(part.units.values()) for answer in answers for part in answer.fulfilments)


async def transactions(bench: Bench) -> int:
    """How many transactions have reserved stock for orders, or rejected them."""
    return await bench.count(
        "select count(distinct xmin::text) from order_event where effect = 'reserve_stock'"
    )


async def test_a_flash_sale_sells_all_there_is_each_order_whole_and_once(bench: Bench) -> None:
    await bench.stocked("HOT", 70)
    await bench.stocked("MUG", 1000)
    random = Random(8)
    workers = [Inventory(bench.pool), Inventory(bench.pool)]
    orders = [
        an_order(*random.sample([("HOT", random.randint(1, 3)), ("MUG", 1)], k=2))
        for _ in range(100)
    ]
    await bench.on_record(*orders, policy=WHOLE)
    asks = [ReserveStock(order_id=order.order_id) for order in orders]
    # Each order comes twice, to two workers, as when an answer was late.
    calls = [worker.reserve_stock(ask) for ask in asks for worker in workers]
    answers, refusals = await at_once(calls)
    assert refusals == []
    assert answers[0::2] == answers[1::2]
    sold = [answer for answer in answers[0::2] if answer.fulfilments]
    assert not any(answer.missing for answer in sold)
    on_hand, allocated = await bench.level("HOT")
    assert on_hand == 70
    assert allocated + (await bench.level("MUG"))[1] == units(sold)
    assert (await bench.level("MUG"))[1] == len(sold)
    # What is left is less than the smallest order that came too late would have taken.
    assert allocated >= 68
    assert await transactions(bench) < 50
    assert [f for f in await faults_in(bench.pool) if f.startswith("stock")] == []


async def test_orders_that_waited_for_a_row_are_served_in_the_order_in_which_they_came(
    bench: Bench,
) -> None:
    await bench.stocked("HOT", 5)
    orders = [an_order(("HOT", 1)) for _ in range(9)]
    await bench.on_record(*orders)
    async with bench.pool.acquire() as conn, conn.transaction():
        await lock_stock(conn, ["HOT"])
        first = asyncio.create_task(bench.reserve(orders[0]))
        while not await bench.count("select count(*) from pg_locks where not granted"):
            await asyncio.sleep(0.01)
        rest = [asyncio.create_task(bench.reserve(order)) for order in orders[1:]]
        while len(bench.inventory._reservations._waiting) < len(rest):
            await asyncio.sleep(0.01)
    answers = [await first, *await asyncio.gather(*rest)]
    assert [bool(answer.fulfilments) for answer in answers] == [True] * 5 + [False] * 4
    assert await transactions(bench) == 2
    story = await bench.pool.fetch(
        "select order_id from movement join customer_order using (order_no) order by movement_id"
    )
    assert [row["order_id"] for row in story] == [order.order_id for order in orders[:5]]


def test_a_worker_knows_the_holidays_before_it_holds_stock_for_an_order() -> None:
    program = """
import sys
from activities.stock.inventory import Inventory
assert "holidays.countries" not in sys.modules
Inventory(None)
assert "holidays.countries" in sys.modules
"""
    done = subprocess.run(
        [sys.executable, "-c", program], check=False, capture_output=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr


async def test_a_bad_order_fails_alone_and_its_neighbours_are_reserved(bench: Bench) -> None:
    await bench.stocked("TEA", 9)
    ended = an_order(("TEA", 1))
    await bench.reserve(ended)
    await bench.records.close_order(
        CloseOrder(order_id=ended.order_id, decision="closed", reason="long ago")
    )
    good = [an_order(("TEA", 1)) for _ in range(4)]
    await bench.on_record(*good)
    asks = [*good[:3], ended, good[3]]
    answers, refusals = await at_once(bench.reserve(order) for order in asks)
    assert [type(refusal) for refusal in refusals] == [Conflict]
    assert units(answers) == 4
    assert await bench.level("TEA") == (9, 5)


async def test_one_batch_may_hold_an_order_twice_and_one_that_was_reserved_before(
    bench: Bench,
) -> None:
    await bench.stocked("TEA", 9)
    orders = an_order(("TEA", 2)), an_order(("TEA", 3))
    known, new = await bench.on_record(*orders)
    before = await bench.reserve(orders[0])
    async with bench.pool.acquire() as conn, conn.transaction():
        answers = await reservations.reserve(conn, [new, known, new], Catalogue())
    assert answers[0] == answers[2]
    assert answers[1].fulfilments == before.fulfilments
    assert await bench.level("TEA") == (9, 5)


async def test_a_batch_gives_each_order_what_it_would_get_alone_and_in_as_few_statements(
    bench: Bench,
) -> None:
    random = Random(3)
    await bench.stocked("OTHER", 1)
    for where in ("together", "alone"):
        for sku in "ABC":
            await bench.stocked(f"{sku}-{where}", 15, "east")
            await bench.stocked(f"{sku}-{where}", 10, "west")
    wanted = [
        (
            random.choice([Policy(), WHOLE]),
            [(random.choice("ABC"), random.randint(1, 6)) for _ in range(size)],
        )
        for size in random.choices([1, 2, 3], k=25)
    ]

    async def asks(where: str) -> list[OnRecord]:
        found = []
        for policy, lines in wanted:
            order = an_order(*((f"{sku}-{where}", quantity) for sku, quantity in lines))
            found += await bench.on_record(order, policy=policy)
        return found

    together_asked, alone_asked = await asks("together"), await asks("alone")
    first = await bench.on_record(an_order(("OTHER", 1)))

    statements: list[str] = []
    async with bench.pool.acquire() as conn:
        async with conn.transaction():  # a new connection asks for the types of arrays first
            await reservations.reserve(conn, first, Catalogue())
        with conn.query_logger(lambda query: statements.append(query.query)):
            async with conn.transaction():
                together = await reservations.reserve(conn, together_asked, Catalogue())
            in_batch = len(statements)
            alone, most = [], 0
            for ask in alone_asked:
                statements.clear()
                async with conn.transaction():
                    alone += await reservations.reserve(conn, [ask], Catalogue())
                most = max(most, len(statements))
    assert [outcome(answer) for answer in together] == [outcome(answer) for answer in alone]
    # Some of each kind, else this says little.
    assert len({(bool(a.fulfilments), bool(a.missing)) for a in together}) == 3
    # A batch has orders that are rejected beside such as are not, and says both.
    assert in_batch <= most + 1
    assert [f for f in await faults_in(bench.pool) if f.startswith(("stock", "lines"))] == []


def outcome(answer: Reserved) -> tuple[list[tuple[str, LineUnits]], LineUnits]:
    return [(part.location, part.units) for part in answer.fulfilments], answer.missing


async def test_a_location_with_a_limit_promises_each_order_of_a_batch_a_place_of_its_own(
    bench: Bench,
) -> None:
    await bench.stocked("TEA", 9)
    lane = Lane.model_validate({"cost": "4.00", "currency": "EUR"})
    orders = await bench.on_record(*(an_order(("TEA", 1)) for _ in range(6)))
    async with bench.pool.acquire() as conn, conn.transaction():
        await locations.save(conn, [Location(location="main", parcels_a_day=2, lanes=(lane,))])
        await reservations.reserve(conn, orders, Catalogue())
    days = await bench.pool.fetch(
        "select count(*) from fulfilment group by promised_leave order by promised_leave"
    )
    assert [row["count"] for row in days] == [2, 2, 2]


# Baskets ------------------------------------------------------------------------------------------


async def hold(bench: Bench, basket: str, units: int) -> None:
    until = datetime.now(UTC) + timedelta(minutes=10)
    await bench.baskets.hold(basket, {"TEA": units}, expires_at=until)


async def waits(bench: Bench, quantity: int) -> Order:
    """An order that waits for all of its units, since others hold them."""
    async with bench.pool.acquire() as conn:
        await items.save(conn, [Item(sku="TEA", backorder=True)])
    order = an_order(("TEA", quantity))
    assert (await bench.reserve(order)).backordered == {"1": quantity}
    return order


async def soft_reserved(bench: Bench) -> dict[str, int]:
    """Basket or order → units."""
    rows = await bench.pool.fetch(
        "select basket, order_id, quantity "
        "from soft_reservation left join customer_order using (order_no)"
    )
    return {row["basket"] or row["order_id"]: row["quantity"] for row in rows}


async def test_what_a_basket_holds_is_no_others_in_the_same_batch(bench: Bench) -> None:
    await bench.stocked("TEA", 3)
    await hold(bench, "B-1", 2)
    other, own = an_order(("TEA", 3)), an_order(("TEA", 1), basket="B-1")
    last = an_order(("TEA", 1))
    orders = await bench.on_record(other, own, last)
    async with bench.pool.acquire() as conn, conn.transaction():
        answers = await reservations.reserve(conn, orders, Catalogue())
    # What its order leaves of the basket is there for those who come after.
    assert [answer.missing for answer in answers] == [{"1": 2}, {}, {}]
    assert await bench.level("TEA") == (3, 3)
    assert await soft_reserved(bench) == {}


async def test_who_waits_gets_what_a_baskets_order_leaves_and_not_what_it_wants(
    bench: Bench,
) -> None:
    await bench.stocked("TEA", 3)
    await hold(bench, "B-1", 3)
    waiting = await waits(bench, 2)
    own = await bench.reserve(an_order(("TEA", 2), basket="B-1"))
    assert units([own]) == 2
    assert await soft_reserved(bench) == {waiting.order_id: 1}


async def test_a_basket_that_is_changed_keeps_what_it_held_though_others_wait(
    bench: Bench,
) -> None:
    await bench.stocked("TEA", 3)
    await hold(bench, "B-1", 3)
    waiting = await waits(bench, 2)
    await hold(bench, "B-1", 2)
    assert await soft_reserved(bench) == {"B-1": 2, waiting.order_id: 1}
