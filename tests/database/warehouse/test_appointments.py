"""Services that are to be given, as they are listed."""

from __future__ import annotations

from datetime import UTC, datetime

from domain import ids
from domain.stock.items import Item
from starter.service.appointments import Appointments
from store.database import Pool
from store.stock import items
from tests.support.bench import Bench
from tests.support.builders import an_order

AT = datetime(2099, 12, 4, 22, 30, tzinfo=UTC)


async def test_a_service_that_is_not_paid_yet_is_listed_since_a_time_can_be_agreed_for_it(
    pool: Pool,
) -> None:
    bench, appointments = Bench(pool), Appointments(pool)
    async with pool.acquire() as conn:
        await items.save(conn, [Item(sku="FITTING", handling="service")])
    await bench.stocked("FITTING", 2)
    order = an_order(("FITTING", 1))
    await bench.reserve(order)
    part = ids.fulfilment_id(order.order_id, 1)
    for begins_at in (None, AT):
        if begins_at is not None:
            await appointments.make(part, begins_at, who="anna")
        (listed,) = await appointments.to_come()
        assert (listed.fulfilment_id, listed.state) == (part, "open")
        assert (listed.begins_at, listed.units) == (begins_at, {"FITTING": 1})
