"""Deliveries of many SKUs: booked once, whatever ends a run in the middle, and at their cost."""

from __future__ import annotations

from typing import Any

import pytest

from domain.errors import NotFound
from domain.money import Price, to_decimal
from domain.stock.kits import Kit
from store.database import DatabaseFault, Pool, open_pool
from store.stock import receipts
from store.stock.receipts import Arrival, Booked, Rejection
from store.views import audit
from tests.support.bench import Bench
from tests.support.builders import an_order

SAID: dict[str, Any] = {"who": "test", "why": "test"}


@pytest.fixture
async def bench(pool: Pool) -> Bench:
    return Bench(pool)


def eur(minor: int) -> Price:
    return Price(each=to_decimal(minor, "EUR"), currency="EUR")


async def taken_in(
    pool: Pool, *rows: Arrival, key: str = "D", new: tuple[str, ...] = (), batches: int = 1_000
) -> tuple[Booked, list[Rejection]]:
    """What booking came to after at most so many batches, and all rows that were rejected."""
    done = Booked()
    async with pool.acquire() as conn, receipts.delivery(conn, new=new) as delivery:
        rejected = await delivery.add(rows)
        async for done in delivery.book(key, **SAID):
            rejected += done.rejected
            batches -= 1
            if not batches:
                break
    return done, rejected


async def on_hand(pool: Pool) -> dict[tuple[str, str], int]:
    rows = await pool.fetch("select sku, location, on_hand from stock order by sku, location")
    return {(row["sku"], row["location"]): row["on_hand"] for row in rows}


async def clean(pool: Pool) -> None:
    async with pool.acquire() as conn:
        assert (await audit.look(conn)).violations == ()


async def test_a_delivery_is_booked_once_however_often_it_is_begun(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receipts, "ROWS_AT_ONCE", 2)
    rows = [Arrival(n, f"S-{n}", "main", n, eur(100 + n)) for n in range(2, 9)]
    done, _ = await taken_in(pool, *rows, batches=2)
    assert (done.rows, len(await on_hand(pool))) == (4, 4)
    done, _ = await taken_in(pool, *rows)
    assert (done.rows, done.before, done.units) == (3, 4, 6 + 7 + 8)
    done, _ = await taken_in(pool, *rows)
    assert (done.rows, done.before) == (0, 7)
    assert await on_hand(pool) == {(f"S-{n}", "main"): n for n in range(2, 9)}
    assert await pool.fetchval("select count(*) from movement") == 7
    worth = sum(n * (100 + n) for n in range(2, 9))
    assert await pool.fetchval("select sum(value_minor) from inventory_value") == worth
    await clean(pool)


async def test_a_connection_that_dies_between_batches_loses_and_doubles_nothing(
    pool: Pool, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receipts, "ROWS_AT_ONCE", 1)
    rows = [Arrival(n, f"S-{n}", "main", 5) for n in range(2, 6)]
    other = await open_pool(database_url, size_max=1)

    async def cut_off() -> None:
        async with other.acquire() as conn, receipts.delivery(conn) as delivery:
            await delivery.add(rows)
            async for done in delivery.book("D", **SAID):
                if done.rows == 2:
                    other.terminate()

    with pytest.raises(DatabaseFault):
        await cut_off()
    assert sorted((await on_hand(pool)).values()) == [5, 5]
    done, _ = await taken_in(pool, *rows)
    assert (done.rows, done.before) == (2, 2)
    assert sorted((await on_hand(pool)).values()) == [5, 5, 5, 5]
    await clean(pool)


async def test_rows_of_one_stock_row_are_summed_wherever_they_stand(pool: Pool) -> None:
    async with pool.acquire() as conn, receipts.delivery(conn) as delivery:
        assert (
            await delivery.add([Arrival(2, "TEA", "main", 1), Arrival(3, "TEA", "main", 2)]) == []
        )
        assert await delivery.add(
            [Arrival(4, "TEA", "main", 4, eur(7)), Arrival(5, "CUP", "main", 1)]
        ) == [
            Rejection(
                4, "TEA at main has another unit_cost in a row above: one delivery has one cost"
            )
        ]
        assert await delivery.rows() == 2
        async for _ in delivery.book("D", **SAID):
            pass
    assert await on_hand(pool) == {("CUP", "main"): 1, ("TEA", "main"): 3}


async def test_the_same_sku_may_have_another_cost_at_another_location(pool: Pool) -> None:
    rows = (
        Arrival(2, "TEA", "main", 2, eur(100)),
        Arrival(3, "TEA", "outlet", 2, eur(200)),
        Arrival(4, "TEA", "shop", 2),  # at what the others have cost: 150 each
    )
    done, rejected = await taken_in(pool, *rows)
    assert (done.rows, rejected) == (3, [])
    assert await pool.fetchval("select value_minor from inventory_value") == 900
    await clean(pool)


async def test_what_is_wrong_costs_only_its_row(bench: Bench) -> None:
    pool = bench.pool
    await bench.stocked("TEA", 1)
    await bench.catalogue.define_kit(Kit(sku="SET", parts={"TEA": 2}))
    await taken_in(pool, Arrival(2, "CUP", "main", 3))
    rows = (
        Arrival(2, "SET", "main", 1),
        Arrival(3, "TEA", "mian", 1),
        Arrival(4, "TEA", "main", 9, eur(10**15)),
        Arrival(5, "CUP", "main", 4),
        Arrival(6, "TIN", "main", 5),
    )
    done, rejected = await taken_in(pool, *rows)
    assert done.rows == 1
    told = {one.line: one.reason for one in rejected}
    assert sorted(told) == [2, 3, 4, 5]
    assert "SET is a kit: take in its parts, 2 × TEA" in told[2]
    assert "there is no location mian (did you mean main?)" in told[3]
    assert "cannot be meant" in told[4]
    assert "key D was used for 3 units of CUP already" in told[5]
    assert await on_hand(pool) == {("CUP", "main"): 3, ("TEA", "main"): 1, ("TIN", "main"): 5}
    await clean(pool)


async def test_only_the_first_delivery_of_all_makes_locations_unasked(bench: Bench) -> None:
    pool = bench.pool
    await taken_in(pool, Arrival(2, "TEA", "main", 1), Arrival(3, "TEA", "outlet", 1))
    _, rejected = await taken_in(pool, Arrival(2, "TEA", "outlte", 1), key="E")
    assert "did you mean outlet?" in rejected[0].reason
    done, rejected = await taken_in(pool, Arrival(2, "TEA", "shop", 1), key="F", new=("shop",))
    assert (done.rows, rejected) == (1, [])
    with pytest.raises(NotFound, match=r"no location shpo \(did you mean shop\?\)"):
        await bench.stock.receive("G", "TEA", "shpo", 1, **SAID)
    names = await pool.fetch("select location from location order by location")
    assert [row["location"] for row in names] == ["main", "outlet", "shop"]


async def test_a_delivery_serves_those_who_wait(bench: Bench) -> None:
    await bench.stocked("TEA", 1)
    await bench.backorderable("TEA")
    await bench.at(an_order(("TEA", 3)), "confirmed")
    await taken_in(bench.pool, Arrival(2, "TEA", "main", 5))
    assert await bench.pool.fetchval("select sum(quantity) from soft_reservation") == 2
    await clean(bench.pool)
