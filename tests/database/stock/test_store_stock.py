"""Stock under contention: many orders, the same SKUs, the real database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

import asyncpg
import pytest

from activities.orders.order_records import CloseOrder
from activities.stock.contracts import Reassign, ReleaseStock
from domain.errors import Conflict, IllegalTransition, InvalidInput, NotFound, OrderloomError
from domain.orders.order import Order
from domain.stock.reservations import Reserved, ReserveStock
from store.database import Connection, Pool
from store.locks import lock_order, lock_stock
from store.stock import stock
from tests.support.bench import Bench, at_once, until_one_waits
from tests.support.books import faults_in
from tests.support.builders import an_order

STOCK_IS_RIGHT = "stock is the sum of its movements"


@pytest.fixture
def bench(pool: Pool) -> Bench:
    return Bench(pool)


async def stock_faults(bench: Bench) -> list[str]:
    return [fault for fault in await faults_in(bench.pool) if fault.startswith(STOCK_IS_RIGHT)]


def reserved_units(reserved: Reserved) -> int:
    return sum(sum(planned.units.values()) for planned in reserved.fulfilments)


def releasing(order: Order, reserved: Reserved) -> ReleaseStock:
    return ReleaseStock(
        order_id=order.order_id,
        effect="release_stock",
        units={planned.fulfilment_id: planned.units for planned in reserved.fulfilments},
        decision="cancelled",
        what="cancelled",
        why="test",
    )


# Races -------------------------------------------------------------------------------------------


async def test_s1_exactly_one_of_many_orders_gets_the_last_unit(bench: Bench) -> None:
    await bench.stocked("LAST", 1)
    orders = [an_order(("LAST", 1)) for _ in range(40)]
    answers, refusals = await at_once(bench.reserve(o) for o in orders)
    assert refusals == []
    assert sum(bool(answer.fulfilments) for answer in answers) == 1
    assert await bench.level("LAST") == (1, 1)
    assert (
        await bench.count("select count(*) from customer_order where decision = 'rejected'") == 39
    )
    assert await stock_faults(bench) == []


async def test_s2_lines_that_share_a_sku_share_its_stock(bench: Bench) -> None:
    await bench.stocked("TEA", 5)
    reserved = await bench.reserve(an_order(("TEA", 4), ("TEA", 4)))
    assert reserved_units(reserved) == 5
    assert reserved.missing == {"2": 3}
    assert await bench.level("TEA") == (5, 5)


async def test_s3_orders_with_their_lines_in_any_order_never_deadlock_and_get_all_the_stock(
    bench: Bench,
) -> None:
    random = Random(3)
    skus = ["A", "B", "C", "D"]
    for sku in skus:
        await bench.stocked(sku, 30, "east")
        await bench.stocked(sku, 30, "west")

    async def customer() -> int:
        """Orders some of each in a sequence of its own, and thinks better of it now and then."""
        lines = [(sku, random.randint(1, 3)) for sku in random.sample(skus, k=len(skus))]
        order = an_order(*lines)
        reserved = await bench.reserve(order)
        if reserved.fulfilments and random.random() < 0.3:
            await bench.inventory.release_stock(releasing(order, reserved))
            return 0
        return reserved_units(reserved)

    given, refusals = await at_once(customer() for _ in range(120))
    assert refusals == []
    greedy = await bench.reserve(an_order(*((sku, 99) for sku in skus)))
    assert sum(given) + reserved_units(greedy) == 240
    for sku in skus:
        assert await bench.level(sku, "east") == await bench.level(sku, "west") == (30, 30)
    assert await stock_faults(bench) == []


async def test_stock_is_received_corrected_and_reserved_at_once_without_losing_a_unit(
    bench: Bench,
) -> None:
    await bench.stocked("TEA", 10)
    await bench.stocked("MUG", 10)
    orders = [an_order(("MUG", 1), ("TEA", 1)) for _ in range(10)]
    orders += [an_order(("TEA", 1), ("MUG", 1)) for _ in range(10)]
    _, refusals = await at_once(
        [
            *(bench.reserve(order) for order in orders),
            *(bench.stock.receive(f"r{n}", "TEA", "main", 3, who="t", why="t") for n in range(10)),
            *(bench.stock.adjust(f"a{n}", "MUG", "main", -1, who="t", why="t") for n in range(20)),
        ]
    )
    on_hand, allocated = await bench.level("MUG")
    # Each mug went to an order or was found missing, never both.
    assert all(isinstance(refusal, IllegalTransition) for refusal in refusals)
    assert on_hand == 10 - (20 - len(refusals)) == allocated
    assert (await bench.level("TEA"))[0] == 40
    assert await stock_faults(bench) == []


# Locks -------------------------------------------------------------------------------------------


@asynccontextmanager
async def holding(pool: Pool, sku: str) -> AsyncIterator[None]:
    """The stock of a SKU is locked by somebody else inside this block."""
    async with pool.acquire() as conn, conn.transaction():
        await lock_stock(conn, [sku])
        yield


async def is_free(pool: Pool, sku: str) -> bool:
    async with pool.acquire() as conn:
        found = await conn.fetch(
            "select from inventory where sku = $1 for no key update skip locked", sku
        )
    return bool(found)


SKUS = ["A", "B", "C", "D"]


@pytest.mark.parametrize("held", range(len(SKUS)))
async def test_stock_is_locked_sku_by_sku_sorted_wherever_it_lies(bench: Bench, held: int) -> None:
    for sku in reversed(SKUS):
        for location in ("east", "west"):
            await bench.stocked(sku, 1, location)

    async def lock_all(conn: Connection) -> None:
        await lock_stock(conn, ["D", "B", "A", "C", "B", "A"])

    async with (
        bench.pool.acquire() as conn,
        holding(bench.pool, SKUS[held]),
        conn.transaction(),
    ):
        locking = asyncio.create_task(lock_all(conn))
        await until_one_waits(bench.pool)
        # All before the one that is held are locked by now, and none after it.
        free = [await is_free(bench.pool, sku) for sku in SKUS]
        assert free == [False] * (held + 1) + [True] * (len(SKUS) - held - 1)
        locking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await locking


async def test_locked_stock_stays_locked_until_the_transaction_ends(bench: Bench) -> None:
    await bench.stocked("A", 7)
    async with bench.pool.acquire() as conn:
        async with conn.transaction():
            (available,) = await lock_stock(conn, ["A", "UNKNOWN"])
            assert available.quantity == 7
            assert not await is_free(bench.pool, "A")
        assert await is_free(bench.pool, "A")


async def test_an_order_is_locked_for_writers_while_readers_go_on(bench: Bench) -> None:
    await bench.stocked("A", 1)
    order = an_order(("A", 1))
    await bench.reserve(order)
    async with bench.pool.acquire() as conn, bench.pool.acquire() as other:
        async with conn.transaction():
            await lock_order(conn, order.order_id)
            assert await other.fetchval("select order_id from customer_order") == order.order_id
            await other.execute("set lock_timeout = '50ms'")
            with pytest.raises(asyncpg.LockNotAvailableError):
                await lock_order(other, order.order_id)
            # What refers to the order can be written: a child's foreign key does not need the lock.
            await other.execute(
                "insert into attention (order_no, step, reason) values (order_no_of($1), 'x', 'y')",
                order.order_id,
            )
        await lock_order(other, order.order_id)
        await other.execute("reset lock_timeout")


async def test_locking_an_order_that_is_not_there_says_so(pool: Pool) -> None:
    async with pool.acquire() as conn, conn.transaction():
        with pytest.raises(NotFound, match="there is no order web-0"):
            await lock_order(conn, "web-0")


async def test_s3_releasing_several_fulfilments_locks_all_their_stock_sorted(bench: Bench) -> None:
    # The first fulfilment is of B, the second of A: one by one, they would lock B before A.
    await bench.stocked("B", 2, "east")
    await bench.stocked("A", 1, "west")
    order = an_order(("B", 2), ("A", 1))
    reserved = await bench.reserve(order)
    assert [list(planned.units) for planned in reserved.fulfilments] == [["1"], ["2"]]
    async with holding(bench.pool, "A"):
        release = asyncio.create_task(bench.inventory.release_stock(releasing(order, reserved)))
        await until_one_waits(bench.pool)
        assert await is_free(bench.pool, "B")
    await release
    assert await bench.level("A", "west") == (1, 0)
    assert await bench.level("B", "east") == (2, 0)


# Receipts and corrections ------------------------------------------------------------------------


async def test_a_receipt_counts_once_however_often_it_is_told(bench: Bench) -> None:
    async def receive(quantity: int) -> int:
        level = await bench.stock.receive(
            "D-1", "TEA", "main", quantity, who="dock", why="delivery"
        )
        return level.on_hand

    answers, refusals = await at_once(receive(5) for _ in range(8))
    assert refusals == []
    assert set(answers) == {5}
    with pytest.raises(Conflict, match="5 units of TEA already"):
        await receive(6)
    assert await bench.level("TEA") == (5, 0)


@pytest.mark.parametrize("quantity", [0, -5])
async def test_nothing_or_less_cannot_be_received(bench: Bench, quantity: int) -> None:
    await bench.stocked("TEA", 9)
    with pytest.raises(InvalidInput, match="more than zero"):
        await bench.stock.receive("D-1", "TEA", "main", quantity, who="dock", why="delivery")
    assert await bench.level("TEA") == (9, 0)


async def test_a_correction_counts_once_and_keeps_what_orders_have_claimed(bench: Bench) -> None:
    await bench.stocked("TEA", 5)
    await bench.at(an_order(("TEA", 3)), "picked")

    async def adjust(key: str, change: int) -> stock.StockLevel:
        return await bench.stock.adjust(key, "TEA", "main", change, who="clerk", why="count")

    assert (await adjust("C-1", -2)).on_hand == 3
    assert (await adjust("C-1", -2)).on_hand == 3
    with pytest.raises(Conflict, match="-2 units"):
        await adjust("C-1", -1)
    with pytest.raises(IllegalTransition, match="1 more TEA have left the shelf"):
        await adjust("C-2", -1)
    assert await bench.level("TEA") == (3, 3)
    # What was refused left no trace: the same key may be used when it fits.
    assert (await adjust("C-2", 1)).on_hand == 4


async def test_stock_that_is_not_kept_cannot_be_corrected(bench: Bench) -> None:
    with pytest.raises(NotFound, match="no stock is kept of TEA at main"):
        await bench.stock.adjust("C-1", "TEA", "main", 1, who="clerk", why="count")


# Effects ------------------------------------------------------------------------------------------


async def test_an_order_is_recorded_and_reserved_once_by_attempts_that_overlap(
    bench: Bench,
) -> None:
    await bench.stocked("TEA", 9)
    order = an_order(("TEA", 3))
    answers, refusals = await at_once(bench.reserve(order) for _ in range(8))
    assert refusals == []
    assert all(answer == answers[0] for answer in answers)
    assert await bench.level("TEA") == (9, 3)


async def test_nothing_is_reserved_again_for_an_order_that_has_ended(bench: Bench) -> None:
    await bench.stocked("TEA", 9)
    order = an_order(("TEA", 3))
    await bench.reserve(order)
    end = CloseOrder(order_id=order.order_id, decision="closed", reason="long ago")
    await bench.records.close_order(end)
    with pytest.raises(Conflict, match="was placed before, and is closed"):
        await bench.reserve(order)
    assert await bench.level("TEA") == (9, 3)


async def test_nothing_is_reserved_for_an_order_that_is_not_on_record(bench: Bench) -> None:
    with pytest.raises(NotFound, match="no order web-none on record"):
        await bench.inventory.reserve_stock(ReserveStock(order_id="web-none"))


async def test_a_release_happens_once_by_attempts_that_overlap(bench: Bench) -> None:
    await bench.stocked("TEA", 9)
    order, other = an_order(("TEA", 3)), an_order(("TEA", 4))
    reserved = await bench.reserve(order)
    await bench.reserve(other)
    _, refusals = await at_once(
        bench.inventory.release_stock(releasing(order, reserved)) for _ in range(8)
    )
    assert refusals == []
    assert await bench.level("TEA") == (9, 4)
    assert await stock_faults(bench) == []


async def test_claims_are_carried_over_to_a_new_fulfilment_once(bench: Bench) -> None:
    await bench.stocked("TEA", 9)
    order = an_order(("TEA", 3))
    part = await bench.at(order, "confirmed")
    new = f"{order.order_id}:2"
    ask = Reassign(fulfilment_id=part, units={"1": 2})
    answers, refusals = await at_once(bench.inventory.reassign(ask) for _ in range(6))
    assert refusals == []
    assert {answer.fulfilment_id for answer in answers} == {new}
    claims = "select coalesce(sum(quantity), 0) from reservation where fulfilment_id = $1"
    assert (await bench.count(claims, part), await bench.count(claims, new)) == (1, 2)
    assert await bench.level("TEA") == (9, 3)


async def test_no_claim_is_given_back_twice_under_two_names(bench: Bench) -> None:
    await bench.stocked("TEA", 9)
    order = an_order(("TEA", 3))
    reserved = await bench.reserve(order)
    await bench.reserve(an_order(("TEA", 4)))
    ask = releasing(order, reserved)
    await bench.inventory.release_stock(ask)
    with pytest.raises((OrderloomError, asyncpg.CheckViolationError)):
        await bench.inventory.release_stock(ask.model_copy(update={"effect": "again"}))
    assert await bench.level("TEA") == (9, 4)
