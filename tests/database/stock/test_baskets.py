"""Soft reservations: held for a basket until a moment, and then an order's own."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from domain.errors import IllegalTransition
from domain.stock.items import Item
from store.stock import backorders, baskets, items
from tests.support.builders import an_order
from tests.support.shop import Shop


def in_(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


async def test_what_a_basket_holds_is_its_orders_alone(shop: Shop) -> None:
    await shop.stocked("TEA", 2)
    await shop.stocked("TEA", 3, "outlet")
    held = await shop.baskets.hold("B-1", {"TEA": 4}, expires_at=in_(600))
    assert held.units == {"TEA": 4}
    levels = [await shop.level("TEA", place) for place in ("main", "outlet")]
    assert sum(level.available for level in levels) == 1
    other = await shop.orders.place(an_order(("TEA", 2)))
    assert [missing.quantity for missing in other.missing] == [1]
    own = await shop.orders.place(an_order(("TEA", 4), basket="B-1"))
    assert (own.outcome, own.missing) == ("confirmed", ())
    assert await shop.baskets.list() == []
    for placement in (own, other):
        await shop.finish(placement.order_id)
    await shop.settled()


async def test_a_hold_is_all_or_nothing_replaces_the_earlier_one_and_can_be_released(
    shop: Shop,
) -> None:
    await shop.stocked("TEA", 3)
    await shop.baskets.hold("B-1", {"TEA": 2}, expires_at=in_(600))
    with pytest.raises(IllegalTransition, match="only 1 of 2 TEA are free"):
        await shop.baskets.hold("B-2", {"TEA": 2}, expires_at=in_(600))
    with pytest.raises(IllegalTransition, match="only 3 of 4 TEA"):
        await shop.baskets.hold("B-1", {"TEA": 4}, expires_at=in_(600))
    assert [one.units for one in await shop.baskets.list()] == [{"TEA": 2}]
    await shop.baskets.hold("B-1", {"TEA": 1}, expires_at=in_(600))
    await shop.baskets.hold("B-2", {"TEA": 2}, expires_at=in_(700))
    assert [one.basket for one in await shop.baskets.list()] == ["B-1", "B-2"]
    await shop.baskets.release("B-2")
    await shop.baskets.release("B-2")
    assert (await shop.level("TEA")).available == 2


async def test_a_basket_that_has_expired_holds_nothing_though_nothing_runs(shop: Shop) -> None:
    await shop.stocked("TEA", 1)
    await shop.baskets.hold("B-1", {"TEA": 1}, expires_at=in_(0.3))
    assert (await shop.level("TEA")).available == 0
    await asyncio.sleep(0.3)
    assert (await shop.level("TEA")).available == 1
    await shop.baskets.hold("B-2", {"TEA": 1}, expires_at=in_(600))
    async with shop.pool.acquire() as conn:
        assert await conn.fetchval("select count(*) from soft_reservation") == 1
        # Its order comes too late: what another holds is not taken.
        assert [one.basket for one in await baskets.find(conn)] == ["B-2"]
    late = await shop.orders.place(an_order(("TEA", 1), basket="B-1"))
    assert late.outcome == "rejected"


async def test_of_many_baskets_for_the_last_units_as_many_hold_them_as_there_are(
    shop: Shop,
) -> None:
    await shop.stocked("TEA", 3)
    answers = await asyncio.gather(
        *(shop.baskets.hold(f"B-{n}", {"TEA": 1}, expires_at=in_(600)) for n in range(8)),
        return_exceptions=True,
    )
    assert sum(isinstance(answer, IllegalTransition) for answer in answers) == 5
    assert (await shop.level("TEA")).available == 0


async def test_those_who_wait_come_before_baskets_and_are_served_when_one_expires(
    shop: Shop,
) -> None:
    async with shop.pool.acquire() as conn:
        await items.save(conn, [Item(sku="TEA", backorder=True)])
    await shop.stocked("TEA", 1)
    await shop.baskets.hold("B-1", {"TEA": 1}, expires_at=in_(0.5))
    waiting = await shop.orders.place(an_order(("TEA", 1)))
    await shop.phase(waiting.order_id, "in fulfilment")
    await asyncio.sleep(0.5)
    with pytest.raises(IllegalTransition, match="only 0 of 1"):
        await shop.baskets.hold("B-2", {"TEA": 1}, expires_at=in_(600))
    async with shop.pool.acquire() as conn:
        await backorders.serve_late(conn, 10)  # as the relay does every minute
    await shop.finish(waiting.order_id)
    await shop.settled()


async def test_a_soft_reservation_stays_where_it_is(shop: Shop) -> None:
    await shop.stocked("TEA", 3)
    await shop.stocked("TEA", 1, "outlet")
    await shop.baskets.hold("B-1", {"TEA": 2}, expires_at=in_(600))
    with pytest.raises(IllegalTransition, match="only 1 TEA can leave main"):
        await shop.transfers.send("T", "main", "outlet", {"TEA": 2}, who="a", why="b")
    await shop.transfers.send("T", "main", "outlet", {"TEA": 1}, who="a", why="b")
    assert [one.units for one in await shop.baskets.list()] == [{"TEA": 2}]
