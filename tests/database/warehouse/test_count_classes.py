"""What is to be counted next, compared with a plain computation. Who measures waits for nobody."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from domain.sellers import Seller
from domain.warehouse.counts import CYCLES
from store.accounting import sellers
from store.database import Connection, Pool
from store.warehouse import count_runs

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)


async def stocked(conn: Connection, random: Random, items: int) -> None:
    """Stock at three locations of two sellers: some of it bought, in one currency or in two."""
    await sellers.save(conn, [Seller(seller=code, name=code) for code in ("one", "two")])
    await conn.execute(
        "insert into location (location, seller) values ('a', 'one'), ('b', 'one'), ('c', 'two')"
    )
    for number in range(items):
        sku = f"SKU-{number}"
        await conn.execute("insert into item (sku) values ($1)", sku)
        await conn.execute("insert into inventory values ($1)", sku)
        for seller, places in (("one", "ab"), ("two", "c")):
            units = {place: random.choice((0, 1, 3, 8)) for place in places}
            for place, on_hand in units.items():
                await conn.execute(
                    "insert into stock (sku, location, on_hand) values ($1, $2, $3)",
                    *(sku, place, on_hand),
                )
            await conn.execute(
                "insert into holding values ($1, $2, $3)", sku, seller, sum(units.values())
            )
            for currency in random.choice(((), ("EUR",), ("USD", "EUR"))):
                worth = random.randint(1, 10 ** random.randint(2, 6))
                await conn.execute(
                    "insert into inventory_value values ($1, $2, $3, $4)",
                    *(sku, seller, currency, worth),
                )
    await conn.execute(
        "update stock_count set counted_at = $1::timestamptz - age from ("
        "select sku, location, (hashtext(sku || location) % 250) * interval '1 day' as age "
        "from stock) s where (s.sku, s.location) = (stock_count.sku, stock_count.location) "
        "and hashtext(stock_count.sku) % 4 <> 0",
        NOW,
    )


async def classes_of(conn: Connection, location: str) -> dict[str, tuple[int, float | None]]:
    """The best class that a SKU has in any currency, and the most that it is worth."""
    rows = await conn.fetch(
        "select s.sku, v.currency, v.value_minor::float8 * s.on_hand / h.quantity as worth "
        "from stock s join location l using (location) "
        "left join holding h on (h.sku, h.seller) = (s.sku, l.seller) "
        "left join inventory_value v on (v.sku, v.seller) = (h.sku, h.seller) "
        "where s.location = $1 and s.on_hand > 0",
        location,
    )
    found: dict[str, tuple[int, float | None]] = {}
    for currency in {row["currency"] for row in rows}:
        those = [row for row in rows if row["currency"] == currency]
        those.sort(key=lambda row: (-(row["worth"] or 0), row["sku"]))
        total, before = sum(row["worth"] or 0 for row in those), 0.0
        for row in those:
            share = before / total if total else 1.0
            number = sum(share >= cycle.share for cycle in CYCLES.values())
            before += row["worth"] or 0
            number, worth = min(number + 1, len(CYCLES)), row["worth"]
            known, most = found.get(row["sku"], (number, worth))
            found[row["sku"]] = min(known, number), max(most or 0, worth or 0) or None
    return found


@pytest.mark.parametrize("seed", range(5))
async def test_what_is_to_be_counted_next_is_what_has_waited_longest_for_its_class(
    pool: Pool, seed: int
) -> None:
    random, names = Random(seed), list(CYCLES)
    async with pool.acquire() as conn:
        await conn.execute("select set_config('orderloom.now', $1, false)", NOW.isoformat())
        await stocked(conn, random, 40)
        await count_runs.measure(conn)
        await conn.execute("update stock set on_hand = 0 where hashtext(sku || location) % 9 = 0")
        for location in "abc":
            classes = await classes_of(conn, location)
            kept = await conn.fetch(
                "select sku, class, worth, counted_at from stock_count join stock "
                "using (sku, location) where location = $1 and on_hand > 0",
                location,
            )
            assert {row["sku"] for row in kept} == set(classes)
            waits = []
            for row in kept:
                every = list(CYCLES.values())[row["class"] - 1].every
                never = row["counted_at"].year == 1
                waited = timedelta.max if never else NOW - row["counted_at"]
                if never or waited >= every:
                    turn = float("-inf") if never else -(waited / every)
                    waits.append((turn, row["class"], -(row["worth"] or -1), row["sku"]))
            expected = [(sku, names[number - 1]) for _, number, _, sku in sorted(waits)]
            for at_most in (1, 7, 100):
                due = await count_runs.due(conn, location, at_most)
                assert [(one.sku, one.cycle) for one in due] == expected[:at_most]


@pytest.mark.parametrize("seed", range(5))
async def test_a_class_is_the_share_of_all_that_lies_there(pool: Pool, seed: int) -> None:
    async with pool.acquire() as conn:
        await stocked(conn, Random(seed), 40)
        await count_runs.measure(conn)
        for location in "abc":
            rows = await conn.fetch(
                "select sku, class, worth from stock_count join stock using (sku, location) "
                "where location = $1 and on_hand > 0",
                location,
            )
            kept = {row["sku"]: (row["class"], row["worth"]) for row in rows}
            assert kept == await classes_of(conn, location)


async def test_who_measures_waits_for_no_count_that_is_being_booked(pool: Pool) -> None:
    """A count that books several SKUs would wait for the measuring, and that for the count."""
    measured = "select array_agg(sku order by sku) from stock_count where class = 1"
    async with pool.acquire() as conn, pool.acquire() as other:
        await stocked(conn, Random(1), 5)
        await conn.execute("update inventory_value set value_minor = 10")
        await conn.execute("update stock_count set class = 3")
        async with other.transaction(), asyncio.timeout(5):
            await other.execute("update stock_count set counted_at = now() where sku = 'SKU-1'")
            await count_runs.measure(conn)
        first = await conn.fetchval(measured)
        await count_runs.measure(conn)
        second = await conn.fetchval(measured)
    assert "SKU-1" not in first
    assert set(first) < set(second)
