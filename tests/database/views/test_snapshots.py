"""An order as the world outside sees it: whole, of one moment, and without the person."""

from __future__ import annotations

from datetime import date

import pytest

from domain.views.order_snapshot import OrderSnapshot
from store.database import Pool
from store.views.snapshots import snapshot, snapshots
from tests.support.bench import Bench
from tests.support.builders import an_order, shipping
from tests.support.planted import WORDS, found_in, planted


@pytest.fixture
async def bench(pool: Pool) -> Bench:
    bench = Bench(pool)
    await bench.stocked("TEA", 100)
    return bench


async def shown(bench: Bench, order_id: str) -> OrderSnapshot:
    async with bench.pool.acquire() as conn:
        return await snapshot(conn, order_id)


async def test_it_tells_what_was_promised_what_happened_and_what_was_adjusted(bench: Bench) -> None:
    order = an_order(("TEA", 2, "10.00"), shipping=shipping("0"))
    part = await bench.at(order, "delivered")
    await bench.charged(part)
    granted = await bench.grant(order, lines=[{"line_id": "1", "quantity": 1}])
    async with bench.pool.acquire() as conn:  # no location here says how long anything takes
        await conn.execute(
            "update fulfilment set promised_leave = '2026-12-22', promised_on = '2026-12-24'"
        )
    found = await shown(bench, order.order_id)
    assert (found.state, found.payment_status) == ("delivered", "refund_owed")
    assert (found.total, found.captured, found.refund_owed) == ("20.00", "20.00", "10.00")
    (line,) = found.lines
    assert (line.total, line.ordered, line.shipped) == ("20.00", 2, 2)
    (parcel,) = found.fulfilments
    assert (parcel.fulfilment_id, parcel.state, parcel.units) == (part, "delivered", {"1": 2})
    (promised,) = found.promised
    assert (promised.fulfilment_id, promised.units) == (part, {"1": 2})
    assert (promised.leaves_on, promised.arrives_on) == (date(2026, 12, 22), date(2026, 12, 24))
    whats = [event.what for event in found.happened]
    assert whats.index("picked") < whats.index("packed") < whats.index("shipped")
    assert [event.event_id for event in found.happened] == sorted(
        event.event_id for event in found.happened
    )
    assert {event.of for event in found.happened if event.what == "shipped"} == {part}
    assert granted.granted is not None
    assert granted.granted.refund_id == found.adjusted[0].model_dump()["refund_id"]
    assert found.adjusted[0].model_dump()["owed"] == "10.00"


async def test_its_version_changes_with_all_that_is_shown_and_not_by_itself(bench: Bench) -> None:
    order = an_order(("TEA", 2, "10.00"))
    part = await bench.at(order, "labelled")
    before = await shown(bench, order.order_id)
    assert (await shown(bench, order.order_id)).version == before.version
    await bench.warehouse.hand_over(part, who="packer")
    after = await shown(bench, order.order_id)
    assert after.version != before.version
    # The first part of it is the last event that is shown: by that one tells what came since.
    last, _, _ = before.version.partition("-")
    assert [event.what for event in after.happened if event.event_id > int(last)] == ["shipped"]
    async with bench.pool.acquire() as conn:
        await conn.execute("update shipment set carrier_status = 'in_transit'")  # untold
    assert (await shown(bench, order.order_id)).version != after.version


async def test_many_are_shown_at_once_and_unknown_ones_are_left_out(bench: Bench) -> None:
    first, second = an_order(("TEA", 1, "10.00")), an_order(("TEA", 3, "10.00"))
    for order in (first, second):
        await bench.take_in(order)
    async with bench.pool.acquire() as conn:
        found = await snapshots(conn, [second.order_id, "web-none", first.order_id])
    assert list(found) == [second.order_id, first.order_id]
    assert found[first.order_id] == await shown(bench, first.order_id)
    assert found[second.order_id].waits_to_start


async def test_of_the_person_it_shows_the_customers_id_alone(bench: Bench) -> None:
    order = an_order(("TEA", 1, "10.00"), **planted())
    await bench.at(order, "delivered")
    found = await shown(bench, order.order_id)
    assert found.customer_id == order.customer.id
    without = found.model_copy(update={"customer_id": ""})
    assert found_in(without.model_dump_json(), WORDS) == []
