"""Orders are taken in as their channels say now, at the cost of one statement."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from domain.errors import InvalidInput
from domain.orders.channels import Channel
from domain.orders.policy import Policy
from starter.service.taking_in import Asked, TakingIn
from store.database import Pool
from store.orders import channels
from tests.support.builders import an_order
from tests.support.round_trips import RoundTrips, counting_pool


@pytest.fixture
async def trips(database_url: str, pool: Pool) -> AsyncIterator[RoundTrips]:
    del pool  # it empties the database
    async with counting_pool(database_url) as trips:
        yield trips


async def test_an_order_costs_one_round_trip_once_its_channels_are_known(trips: RoundTrips) -> None:
    intake = TakingIn(trips.pool, Policy())
    for _ in range(2):
        with trips.counted() as sent:
            assert (await intake.take_in(Asked(an_order(("TEA", 1))))).new
    assert len(sent) == 1, sent


async def test_what_a_channel_says_counts_from_that_moment_on(pool: Pool) -> None:
    intake = TakingIn(pool, Policy())
    assert (await intake.take_in(Asked(an_order(("TEA", 1))))).new
    shorter = Policy(return_window=timedelta(days=3))
    async with pool.acquire() as conn:
        changed = Channel(channel="web", kind="web", seller="main", policy=shorter)
        await channels.save(conn, [changed])
    order = an_order(("TEA", 1))
    taken = await intake.take_in(Asked(order))
    assert (taken.new, taken.policy.return_window) == (True, shorter.return_window)
    stored = "select policy ->> 'return_window' from customer_order where order_id = $1"
    assert await pool.fetchval(stored, order.order_id) == "P3D"
    async with pool.acquire() as conn:
        await channels.retire(conn, "web")
    late = an_order(("TEA", 1))
    with pytest.raises(InvalidInput, match="web is retired"):
        await intake.take_in(Asked(late))
    async with pool.acquire() as conn:
        await channels.reopen(conn, "web")
    assert (await intake.take_in(Asked(late))).new
    assert not (await intake.take_in(Asked(late))).new


async def test_a_channel_that_was_made_a_moment_ago_takes_orders(pool: Pool) -> None:
    intake = TakingIn(pool, Policy())
    order = an_order(("TEA", 1)).model_copy(update={"channel": "outlet"})
    with pytest.raises(InvalidInput, match="no channel"):
        await intake.take_in(Asked(order))
    async with pool.acquire() as conn:
        await channels.save(conn, [Channel(channel="outlet", kind="pos", seller="main")])
    assert (await intake.take_in(Asked(order))).new


async def test_orders_and_a_change_of_their_channel_at_the_same_time_lose_no_order(
    pool: Pool,
) -> None:
    """Each goes by the policy that it was judged by, which the channel had at some time."""
    doors = [TakingIn(pool, Policy()) for _ in range(4)]

    async def place(door: TakingIn) -> list[timedelta]:
        taken = [await door.take_in(Asked(an_order(("TEA", 1)))) for _ in range(20)]
        assert all(each.new for each in taken)
        return [each.policy.return_window for each in taken]

    async def change() -> None:
        for days in range(1, 16):
            policy = Policy(return_window=timedelta(days=days))
            async with pool.acquire() as conn:
                await channels.save(
                    conn, [Channel(channel="web", kind="web", seller="main", policy=policy)]
                )

    found, *_ = await asyncio.gather(asyncio.gather(*map(place, doors)), change())
    for windows in found:
        changed = [window for window in windows if window != Policy().return_window]
        assert changed == sorted(changed), "no door goes back to what was before"
    assert await pool.fetchval("select count(*) from customer_order") == 80
