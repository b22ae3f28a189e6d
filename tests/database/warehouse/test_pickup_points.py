"""A parcel that waits at a carrier's pick-up point is told, once each time that it comes there."""

from __future__ import annotations

from activities.aftersales.pickup_points import PickupPoints
from store.aftersales import carrier_claims
from store.database import Pool
from tests.support.bench import Bench
from tests.support.builders import an_order


async def test_a_parcel_at_a_pick_up_point_is_told_once_until_it_moves_on(pool: Pool) -> None:
    bench = Bench(pool)
    await bench.stocked("TEA", 9)
    part = await bench.at(an_order(("TEA", 2)), "shipped")

    async def told() -> int:
        found: int = await pool.fetchval(
            "select count(*) from order_event where what = 'waits at a pick-up point'"
        )
        return found

    for event in ("s1", "s1", "s2"):  # carriers tell everything twice
        await bench.scan(part, "available_for_pickup", event_id=event)
    assert await told() == 1
    await bench.scan(part, "out_for_delivery")
    await bench.scan(part, "available_for_pickup", event_id="s3")
    assert await told() == 2
    await bench.scan(part, "delivered")
    await bench.scan(part, "available_for_pickup", event_id="s4")
    assert await told() == 2


async def test_the_end_at_a_pick_up_point_is_told_once_two_days_before_it(pool: Pool) -> None:
    bench = Bench(pool)
    await bench.stocked("TEA", 9)
    waits, gone = [await bench.at(an_order(("TEA", 1)), "shipped") for _ in range(2)]
    for part in (waits, gone):
        await bench.scan(part, "available_for_pickup", event_id="at")
    await bench.scan(gone, "delivered", event_id="fetched")
    told = "select count(*) from order_event where what = 'pick-up ends soon'"
    await pool.execute("update carrier_event set happened_at = moment() - interval '4 days'")
    await PickupPoints(pool).tell()
    assert await pool.fetchval(told) == 0
    async with pool.acquire() as conn:
        await carrier_claims.set_kept(conn, "sandbox", 6)
    for _ in range(2):
        await PickupPoints(pool).tell()
        assert await pool.fetchval(told) == 1
