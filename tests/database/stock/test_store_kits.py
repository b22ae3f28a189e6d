"""Kits on the real database: made up of parts, released, shipped and returned as the same parts."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, date, datetime
from random import Random

import asyncpg
import pytest

from activities.aftersales.returns import ApproveReturn
from activities.stock.contracts import ReleaseStock, ReserveAgain
from domain.errors import IllegalTransition, InvalidInput, NotFound, OrderloomError
from domain.orders.order import Order, Shipping
from domain.stock.items import Item
from domain.stock.kits import Kit
from domain.stock.reservations import Reserved
from store.aftersales.returns import Counted
from store.database import Connection, Pool
from store.stock import kits, promises, receipts
from store.views import audit
from tests.support.bench import Bench, at_once, until_one_waits
from tests.support.builders import an_order
from tests.support.builders import shipping as shipping_document

SET = Kit(sku="SET", parts={"TEA": 2, "CUP": 1})


@pytest.fixture
def bench(pool: Pool) -> Bench:
    return Bench(pool)


async def shelves(bench: Bench, location: str = "main") -> dict[str, tuple[int, int]]:
    """(on hand, allocated) of each part. What is wrong with the books fails the test."""
    async with bench.pool.acquire() as conn:
        found = (await audit.look(conn)).violations
    assert [fault for fault in found if fault.rule in ("stock", "lines")] == []
    return {sku: await bench.level(sku, location) for sku in ("TEA", "CUP")}


def releasing(order: Order, reserved: Reserved) -> ReleaseStock:
    return ReleaseStock(
        order_id=order.order_id,
        effect="release_stock",
        units={planned.fulfilment_id: planned.units for planned in reserved.fulfilments},
        decision="cancelled",
        what="cancelled",
        why="test",
    )


async def test_a_kit_is_claimed_and_given_back_as_its_parts_whatever_it_is_made_of_meanwhile(
    bench: Bench,
) -> None:
    await bench.stocked("TEA", 10)
    await bench.stocked("CUP", 5)
    await bench.catalogue.define_kit(SET)
    order = an_order(("SET", 3), ("TEA", 1))
    reserved = await bench.reserve(order)
    assert reserved.fulfilments[0].units == {"1": 3, "2": 1}
    assert await shelves(bench) == {"TEA": (10, 7), "CUP": (5, 3)}
    await bench.catalogue.define_kit(Kit(sku="SET", parts={"CUP": 5}))
    for _ in range(2):  # and once only
        await bench.inventory.release_stock(releasing(order, reserved))
        assert await shelves(bench) == {"TEA": (10, 0), "CUP": (5, 0)}


async def test_short_shipped_replaced_and_returned_kits_are_the_parts_that_were_claimed(
    bench: Bench,
) -> None:
    for sku, units in (("TEA", 6), ("CUP", 3)):
        await bench.stocked(sku, units, "main")
        await bench.stocked(sku, units, "shop")
    await bench.catalogue.define_kit(SET)
    order = an_order(("SET", 3))
    part = await bench.at(order, "confirmed")
    await bench.catalogue.remove_kit("SET")
    await bench.warehouse.pick(part, {"1": 2}, who="picker")
    assert await shelves(bench) == {"TEA": (4, 4), "CUP": (2, 2)}
    again = await bench.inventory.reserve_again(
        ReserveAgain(
            order_id=order.order_id,
            fulfilment_id=part,
            units={"1": 1},
            source="open",
            replace=True,
            avoid="main",
            reason="not found",
        )
    )
    assert [(f.location, f.units) for f in again.fulfilments] == [("shop", {"1": 1})]
    assert await shelves(bench, "shop") == {"TEA": (6, 2), "CUP": (3, 1)}
    await bench.warehouse.pack(part, who="packer")
    await bench.send(part)
    await bench.warehouse.hand_over(part, who="packer")
    assert await shelves(bench) == {"TEA": (0, 0), "CUP": (0, 0)}
    await bench.scan(part, "delivered")
    asked = ApproveReturn(
        order_id=order.order_id, request_id="r1", units={"1": 2}, reason="x", who="x"
    )
    approved = await bench.returns.approve_return(asked)
    await bench.warehouse.receive_return(
        approved.return_id, {"1": Counted(restocked=1, scrapped=1)}, who="returns desk"
    )
    assert await shelves(bench) == {"TEA": (2, 0), "CUP": (1, 0)}


async def test_nobody_waits_for_a_kit_nor_gets_one_with_a_part_that_is_not_sold_yet(
    bench: Bench,
) -> None:
    await bench.stocked("TEA", 5)
    await bench.stocked("CUP", 5)
    await bench.catalogue.define_kit(SET)
    await bench.catalogue.set_items([Item(sku="SET", backorder=True)])
    reserved = await bench.reserve(an_order(("SET", 3)))
    assert (reserved.backordered, reserved.missing) == ({}, {"1": 1})
    assert await shelves(bench) == {"TEA": (5, 4), "CUP": (5, 2)}
    await bench.stocked("TEA", 5, "shop")
    await bench.stocked("CUP", 5, "shop")
    await bench.catalogue.set_items([Item(sku="CUP", available_from=date(2199, 1, 1))])
    reserved = await bench.reserve(an_order(("SET", 1)))
    assert (reserved.fulfilments, reserved.missing) == ((), {"1": 1})


async def test_a_count_takes_no_part_out_of_a_kit_that_is_claimed(bench: Bench) -> None:
    await bench.stocked("TEA", 6)
    await bench.stocked("CUP", 3)
    await bench.catalogue.define_kit(SET)
    part = await bench.at(an_order(("SET", 2)), "confirmed")
    await bench.stock.count("C-1", "TEA", "main", 4, who="x", why="x")
    with pytest.raises(IllegalTransition, match=r"1 more TEA .* claimed as parts of kits"):
        await bench.stock.count("C-2", "TEA", "main", 3, who="x", why="x")
    assert await shelves(bench) == {"TEA": (4, 4), "CUP": (3, 2)}
    await bench.warehouse.refuse(part, "a tea bag is torn", who="x")
    await bench.stock.count("C-2", "TEA", "main", 3, who="x", why="x")
    assert await shelves(bench) == {"TEA": (3, 0), "CUP": (3, 0)}


@pytest.mark.parametrize("seed", [1, 2])
async def test_s3_orders_for_kits_and_their_parts_at_once_oversell_nothing_and_lose_nothing(
    bench: Bench, seed: int
) -> None:
    random = Random(seed)
    here = {"TEA": 30, "CUP": 18}
    for sku, units in here.items():
        await bench.stocked(sku, units, "east")
        await bench.stocked(sku, units, "west")
    made_of: dict[str, dict[str, int]] = {"TEA": {"TEA": 1}, "CUP": {"CUP": 1}}

    async def define(sku: str) -> None:
        made_of[sku] = {"TEA": random.randint(1, 3), "CUP": random.randint(1, 2)}
        await bench.catalogue.define_kit(Kit(sku=sku, parts=made_of[sku]))

    for sku in ("SET", "BOX"):
        await define(sku)

    async def customer() -> Counter[str]:
        """Orders kits and parts in any sequence; what is still claimed in the end, by part."""
        skus = random.sample(["CUP", "TEA", "SET", "BOX"], k=3)
        order = an_order(*((sku, random.randint(1, 3)) for sku in skus))
        reserved = await bench.reserve(order)
        if reserved.fulfilments and random.random() < 0.4:
            await bench.inventory.release_stock(releasing(order, reserved))
            return Counter()
        claimed: Counter[str] = Counter()
        for planned in reserved.fulfilments:
            for line_id, units in planned.units.items():
                for part, each in made_of[skus[int(line_id) - 1]].items():
                    claimed[part] += units * each
        return claimed

    total: Counter[str] = Counter()
    for _ in range(3):
        claims, refusals = await at_once(customer() for _ in range(12))
        assert refusals == []
        total += sum(claims, Counter())
        both = [await shelves(bench, at) for at in ("east", "west")]
        for part, units in here.items():
            assert [level[part][0] for level in both] == [units, units]
            assert sum(level[part][1] for level in both) == total[part] <= 2 * units
        await define(random.choice(["SET", "BOX"]))


REFUSED: dict[str, tuple[Kit, type[OrderloomError], str]] = {
    "of nothing": (Kit(sku="BOX", parts={}), InvalidInput, "made of nothing"),
    "in itself": (Kit(sku="BOX", parts={"BOX": 1, "TEA": 1}), InvalidInput, "contains itself"),
    "unknown": (Kit(sku="BOX", parts={"TEA": 1, "POT": 1}), NotFound, "POT, which nobody knows"),
    "of a kit": (Kit(sku="BOX", parts={"SET": 1}), IllegalTransition, r"1 × CUP \+ 2 × TEA"),
    "a part": (Kit(sku="LID", parts={"TEA": 1}), IllegalTransition, "a part of the kit JAR"),
    "in stock": (Kit(sku="TEA", parts={"CUP": 1}), IllegalTransition, "stock is kept of TEA"),
}


async def test_what_cannot_be_a_kit_is_refused_and_stays_what_it_was(bench: Bench) -> None:
    await bench.stocked("TEA", 4)
    await bench.stocked("CUP", 4)
    await bench.catalogue.set_items([Item(sku="LID")])
    await bench.catalogue.define_kit(SET)
    await bench.catalogue.define_kit(Kit(sku="JAR", parts={"LID": 1}))  # none of it has come yet
    before = await bench.catalogue.kits()
    for wanted, kind, why in REFUSED.values():
        with pytest.raises(kind, match=why):
            await bench.catalogue.define_kit(wanted)
    with pytest.raises(NotFound, match="BOX is no kit"):
        await bench.catalogue.remove_kit("BOX")
    assert await bench.catalogue.kits() == before
    assert [(kit.sku, kit.available) for kit in before] == [("JAR", {}), ("SET", {"main": 2})]


async def test_nothing_is_done_to_the_stock_of_a_kit_but_to_its_parts(bench: Bench) -> None:
    await bench.stocked("TEA", 4)
    await bench.stocked("CUP", 4)
    await bench.catalogue.define_kit(SET)
    for change in (
        bench.stock.receive("k", "SET", "main", 1, who="x", why="x"),
        bench.stock.adjust("k", "SET", "main", 1, who="x", why="x"),
        bench.stock.count("k", "SET", "main", 1, who="x", why="x"),
        bench.stock.write_off("k", "SET", "main", 1, who="x", why="x"),
        bench.transfers.send("T", "main", "shop", {"SET": 1}, who="x", why="x"),
    ):
        with pytest.raises(IllegalTransition, match=r"SET is a kit .* its parts, 1 × CUP"):
            await change
    assert await bench.stock.list(sku="SET") == []
    async with bench.pool.acquire() as conn:
        with pytest.raises(asyncpg.CheckViolationError, match="it is a kit"):
            await conn.execute("""
                insert into inventory (sku) values ('SET');
                insert into stock (sku, location) values ('SET', 'main')""")


async def test_a_sku_never_becomes_a_kit_and_stock_at_once_nor_two_kits_parts_of_each_other(
    bench: Bench,
) -> None:
    await bench.stocked("TEA", 4)
    names = [f"N{number}" for number in range(12)]
    await bench.catalogue.set_items([Item(sku=name) for name in names])

    async def define(kit: Kit) -> None:
        await bench.catalogue.define_kit(kit)

    async def receive(sku: str) -> None:
        await bench.stock.receive("k", sku, "main", 1, who="test", why="test")

    async def stock_or_kit(sku: str) -> None:
        _, refusals = await at_once([receive(sku), define(Kit(sku=sku, parts={"TEA": 1}))])
        assert len(refusals) == 1

    async def one_or_other(a: str, b: str) -> None:
        both = [Kit(sku=a, parts={b: 1}), Kit(sku=b, parts={a: 1})]
        _, refusals = await at_once(map(define, both))
        assert len(refusals) == 1

    await asyncio.gather(
        *map(stock_or_kit, names[:6]), *(one_or_other(*names[k : k + 2]) for k in (6, 8, 10))
    )


async def test_whoever_comes_second_finds_what_the_first_has_not_committed_yet(
    bench: Bench,
) -> None:
    await bench.stocked("TEA", 4)

    async def receive(conn: Connection, sku: str) -> None:
        await receipts.receive(conn, "k", sku, "main", 1, who="x", why="x")

    async def define(conn: Connection, sku: str) -> None:
        await kits.define(conn, Kit(sku=sku, parts={"TEA": 1}))

    for sku, first, second, why in (
        ("A", receive, define, "stock is kept of A"),
        ("B", define, receive, "stock is kept of B, and it is a kit"),
    ):
        async with bench.pool.acquire() as conn, bench.pool.acquire() as other:
            async with conn.transaction():
                await first(conn, sku)
                waiting = asyncio.create_task(second(other, sku))
                await until_one_waits(bench.pool)
            with pytest.raises(IllegalTransition, match=why):
                await waiting


async def test_kits_are_promised_for_the_day_on_which_their_last_part_comes(bench: Bench) -> None:
    for sku, units in (("TEA", 9), ("CUP", 1)):
        await bench.stocked(sku, units, "main")
        await bench.stocked(sku, 9, "depot")
    await bench.catalogue.define_kit(SET)
    await bench.transfers.send(
        *("T-1", "depot", "main", {"CUP": 5}), expected_on=date(2026, 12, 1), who="x", why="x"
    )
    to = Shipping.model_validate(shipping_document("5.00"))
    now = datetime(2026, 11, 22, tzinfo=UTC)
    async with bench.pool.acquire() as conn:
        found = await promises.available(conn, "SET", 20, to, now=now)
        with pytest.raises(NotFound, match="no stock is kept of NONE"):
            await promises.available(conn, "NONE", 1, to, now=now)
    assert {(one.location, one.source): one.quantity for one in found} == {
        ("depot", "stock"): 4,
        ("main", "stock"): 1,
        ("main", "T-1"): 3,  # then there is no tea for more
    }


async def test_defining_a_kit_locks_that_sku_and_nobody_waits_who_orders_or_stocks_another(
    bench: Bench,
) -> None:
    await bench.stocked("TEA", 4)
    await bench.stocked("CUP", 4)
    await bench.catalogue.set_items([Item(sku="BOX")])
    async with bench.pool.acquire() as conn, conn.transaction():
        await kits.define(conn, Kit(sku="BOX", parts={"TEA": 1}))

        async def meanwhile() -> None:
            await bench.stock.receive("k", "NEW", "main", 1, who="test", why="test")
            await bench.stock.receive(
                "k", "TEA", "shop", 1, new_location=True, who="test", why="test"
            )
            await bench.catalogue.define_kit(Kit(sku="SET", parts={"CUP": 1}))
            await bench.reserve(an_order(("TEA", 1), ("BOX", 1)))

        await asyncio.wait_for(meanwhile(), timeout=5)
