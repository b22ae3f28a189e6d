"""The benchmark's ways to claim stock do the same work, and its check finds what is oversold."""

from __future__ import annotations

import itertools

import pytest

from benchmarks import hot_stock
from benchmarks.claims import ALL, Claims
from benchmarks.hot_stock import SCARCE, sell_out, wanting
from domain.orders.order import Order
from store.database import Pool
from tests.support.bench import Bench


@pytest.fixture
async def bench(pool: Pool) -> Bench:
    await hot_stock.fill(pool)
    return Bench(pool)


async def rows_of(bench: Bench, claims: Claims, order: Order) -> tuple[bool, dict[str, int]]:
    """Whether it was claimed, and how many rows that added, by table."""
    before = await bench.everything()
    claimed = await claims.claim(order)
    after = await bench.everything()
    return claimed, {name: len(after[name]) - len(before[name]) for name in after}


async def test_all_ways_write_the_same_rows_for_a_claimed_and_for_a_rejected_order(
    bench: Bench,
) -> None:
    claimed, rejected = [], []
    for number, way in enumerate(ALL):
        claims = way(bench.pool)
        claimed.append(await rows_of(bench, claims, wanting("SKU-0001", number)))
        rejected.append(await rows_of(bench, claims, wanting(f"UNKNOWN-{number}", 10 + number)))
    for _, rows in (*claimed, *rejected):
        for table in ("public.customer", "public.customer_change"):
            del rows[table]  # made when somebody orders for the first time
    assert claimed == claimed[:1] * len(ALL)
    for _, rows in rejected:
        del rows["public.inventory"]  # Orderloom's lock of a SKU, made when it is first wanted.
    assert rejected == rejected[:1] * len(ALL)
    assert (claimed[0][0], rejected[0][0]) == (True, False)
    assert claimed[0][1]["public.reservation"] == claimed[0][1]["public.movement"] == 1
    assert await bench.level("SKU-0001") == (10_000_000, len(ALL))


@pytest.mark.parametrize("way", ALL)
async def test_no_way_oversells_what_too_many_want(bench: Bench, way: type[Claims]) -> None:
    assert await sell_out(way(bench.pool), bench.pool, itertools.count(), 60) == 0
    assert await bench.level(SCARCE) == (20, 20)


class Careless:
    """Looks, and says yes to whoever looks at the same time."""

    name = "careless"

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def claim(self, order: Order) -> bool:
        free = "select on_hand - allocated from stock where sku = $1"
        take = "update stock set allocated = least(allocated + 1, on_hand) where sku = $1"
        found: int = await self._pool.fetchval(free, order.lines[0].sku)
        await self._pool.execute(take, order.lines[0].sku)
        return found > 0


async def test_what_a_careless_way_sells_twice_is_found(bench: Bench) -> None:
    assert await sell_out(Careless(bench.pool), bench.pool, itertools.count(), 60) > 0
