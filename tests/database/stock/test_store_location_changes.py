"""Locations that are renamed, retired, opened again and removed; and safety stock."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.errors import Conflict, IllegalTransition, NotFound
from domain.stock.locations import Location
from domain.stock.stock_levels import StockLevels
from store.database import Pool
from store.stock.location_changes import Left
from store.stock.receipts import Arrival
from store.views import audit
from tests.database.stock.test_store_receipts import taken_in
from tests.support.bench import Bench
from tests.support.builders import an_order


@pytest.fixture
async def bench(pool: Pool) -> Bench:
    return Bench(pool)


SAID: dict[str, Any] = {"who": "anna", "why": "test"}


async def shelf(bench: Bench, location: str, sku: str = "TEA") -> tuple[int, int, int]:
    (level,) = await bench.stock.list(sku=sku, location=location)
    return level.on_hand, level.allocated, level.available


async def clean(bench: Bench) -> None:
    async with bench.pool.acquire() as conn:
        assert (await audit.look(conn)).violations == ()


async def test_a_mistyped_location_goes_on_under_the_right_name(bench: Bench) -> None:
    await bench.stocked("TEA", 9, "mian")
    await bench.stocked("CUP", 4, "mian")
    await bench.stock.set_levels(
        [StockLevels(sku="TEA", location="mian", reorder_point=2, order_up_to=9, safety=1)]
    )
    await bench.at(an_order(("TEA", 2)), "confirmed")
    moved, left = await bench.locations.rename("mian", "main", who="anna")
    assert (moved, left) == (11, Left(units=2, to_send=1, awaited=0))
    assert await shelf(bench, "mian") == (2, 2, 0)
    assert await shelf(bench, "main") == (7, 0, 6)
    (level,) = await bench.stock.levels()
    assert (level.location, level.reorder_point, level.position) == ("main", 2, 6)
    assert (await bench.stock.history("CUP"))[-1].why == "mian is main from now on"
    await clean(bench)


async def test_a_rename_keeps_what_is_known_and_takes_no_name_that_is_taken(bench: Bench) -> None:
    await bench.locations.save([Location(location="a", priority=7, parcels_a_day=3)])
    await bench.locations.rename("a", "b", who="anna")
    (b,) = await bench.locations.list("b")
    assert (b.priority, b.parcels_a_day) == (7, 3)
    await bench.stocked("TEA", 1, "c")
    await bench.stocked("TEA", 2, "b")
    with pytest.raises(Conflict, match="--merge"):
        await bench.locations.rename("c", "b", who="anna")
    with pytest.raises(IllegalTransition, match="a is retired"):
        await bench.locations.rename("c", "a", merge=True, who="anna")
    with pytest.raises(NotFound, match="did you mean"):
        await bench.locations.rename("cc", "d", who="anna")
    await bench.locations.rename("c", "b", merge=True, who="anna")
    assert await shelf(bench, "b") == (3, 0, 3)
    await clean(bench)


async def test_a_retired_location_sends_nothing_and_takes_nothing(bench: Bench) -> None:
    await bench.stocked("TEA", 5, "old")
    await bench.stocked("CUP", 5, "main")
    await bench.baskets.hold("B-1", {"TEA": 1}, expires_at=datetime.now(UTC) + timedelta(hours=1))
    assert await bench.locations.retire("old") == Left(units=5, to_send=0, awaited=0)
    assert await shelf(bench, "old") == (5, 0, 0)
    rejected = await bench.reserve(an_order(("TEA", 1)))
    assert rejected.missing == {"1": 1}
    for refused in (
        bench.stock.receive("k", "TEA", "old", 1, **SAID),
        bench.transfers.send("T", "main", "old", {"CUP": 1}, who="anna", why="x"),
        bench.stock.set_levels([StockLevels(sku="TEA", location="old", safety=1)]),
        bench.baskets.hold("B-2", {"TEA": 1}, expires_at=datetime.now(UTC) + timedelta(hours=1)),
    ):
        with pytest.raises(IllegalTransition):
            await refused
    _, faults = await taken_in(bench.pool, Arrival(2, "TEA", "old", 1), key=uuid.uuid4().hex)
    assert "old is retired and takes nothing" in faults[0].reason
    await bench.transfers.send("T", "old", "main", {"TEA": 2}, who="anna", why="x")
    await bench.locations.reopen("old")
    assert await shelf(bench, "old") == (3, 0, 3)
    await clean(bench)


async def test_only_a_location_without_a_history_is_removed(bench: Bench) -> None:
    await bench.stocked("TEA", 1)
    await bench.locations.save([Location(location="mars")])
    await bench.stock.set_levels(
        [StockLevels(sku="TEA", location="mars", reorder_point=1, order_up_to=2)]
    )
    await bench.locations.remove("mars")
    assert [one.location for one in await bench.locations.list()] == ["main"]
    with pytest.raises(IllegalTransition, match="orderloom locations retire main"):
        await bench.locations.remove("main")
    assert await shelf(bench, "main") == (1, 0, 1)
    with pytest.raises(NotFound):
        await bench.locations.remove("mars")


async def test_safety_stock_is_neither_sold_nor_counted_when_buying(bench: Bench) -> None:
    await bench.stocked("TEA", 5)
    await bench.backorderable("TEA")
    levels = StockLevels(sku="TEA", location="main", reorder_point=2, order_up_to=9)
    keep = StockLevels(sku="TEA", location="main", safety=3)
    await bench.stock.set_levels([levels])
    calls = "select count(*) from replenishment_call"
    assert await bench.pool.fetchval(calls) == 0
    await bench.stock.set_levels([keep])
    assert await shelf(bench, "main") == (5, 0, 2)
    (row,) = await bench.stock.levels()
    assert (row.reorder_point, row.safety, row.position) == (2, 3, 2)
    assert await bench.pool.fetchval(calls) == 1  # what is kept back is not there to be sold
    await bench.at(an_order(("TEA", 3)), "confirmed")
    assert await shelf(bench, "main") == (5, 2, 0)
    await bench.stock.set_levels([keep.model_copy(update={"safety": 0})])
    assert await bench.pool.fetchval("select sum(quantity) from soft_reservation") == 1
    await clean(bench)
