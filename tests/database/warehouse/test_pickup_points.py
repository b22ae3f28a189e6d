"""A parcel that waits at a carrier's pick-up point is told, once each time that it comes there."""

from __future__ import annotations

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
