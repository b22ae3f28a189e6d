"""A first day of sale is a day of the warehouse. Two of them never have the same date here."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from domain.calendars import Calendar
from domain.orders.order import Order
from domain.stock.items import Item
from domain.stock.kits import Kit
from domain.stock.locations import Lane, Location
from store.database import Pool
from store.stock import backorders, items, kits, locations, promises
from tests.support.bench import Bench
from tests.support.builders import an_order

ZONES = {"east": "Pacific/Kiritimati", "west": "Etc/GMT+12"}


def day_in(location: str) -> date:
    return datetime.now(ZoneInfo(ZONES[location])).date()


@pytest.fixture
async def bench(pool: Pool) -> Bench:
    """NEW is on sale in the east since today, and not yet in the west."""
    lane = Lane(cost=Decimal("4.00"), currency="EUR", transit_days=0)
    async with pool.acquire() as conn:
        await locations.save(
            conn,
            [
                Location(location=name, calendar=Calendar(time_zone=zone), lanes=(lane,))
                for name, zone in ZONES.items()
            ],
        )
        await items.save(conn, [Item(sku="NEW", available_from=day_in("east"))])
    return Bench(pool)


async def waiting(bench: Bench, order: Order) -> int:
    """Units of the order that have arrived for it."""
    return await bench.count(
        "select coalesce(sum(quantity), 0)::bigint from soft_reservation "
        "where order_no = order_no_of($1)",
        order.order_id,
    )


async def serve(bench: Bench) -> None:
    async with bench.pool.acquire() as conn:
        await backorders.serve_late(conn, 100)


async def test_what_is_on_sale_at_the_warehouse_is_sent_from_there(bench: Bench) -> None:
    await bench.stocked("NEW", 5, "east")
    await bench.stocked("NEW", 5, "west")
    reserved = await bench.reserve(an_order(("NEW", 7)))
    (planned,) = reserved.fulfilments
    assert (planned.location, planned.units) == ("east", {"1": 5})
    assert reserved.backordered == {"1": 2}


async def test_what_lies_where_its_day_has_not_come_waits_until_it_has(bench: Bench) -> None:
    await bench.stocked("NEW", 5, "west")
    order = an_order(("NEW", 2))
    assert (await bench.reserve(order)).backordered == {"1": 2}
    await serve(bench)
    assert await waiting(bench, order) == 0
    async with bench.pool.acquire() as conn:
        await items.save(conn, [Item(sku="NEW", available_from=day_in("west"))])
    await serve(bench)
    assert await waiting(bench, order) == 2


async def test_units_that_come_where_it_is_on_sale_go_to_those_who_wait(bench: Bench) -> None:
    order = an_order(("NEW", 2))
    assert (await bench.reserve(order)).backordered == {"1": 2}
    await bench.stocked("NEW", 5, "west")
    await serve(bench)
    assert await waiting(bench, order) == 0
    await bench.stocked("NEW", 1, "east")
    await serve(bench)
    assert await waiting(bench, order) == 1


async def test_it_is_promised_for_its_first_day_there(bench: Bench) -> None:
    order = an_order(("NEW", 2))
    now = datetime.now(UTC)
    for location in ("west", "east"):
        await bench.stocked("NEW", 5, location)
        async with bench.pool.acquire() as conn:
            told = await promises.available(conn, "NEW", 2, order.shipping, now=now)
        assert {one.promise and one.promise.leaves_on for one in told} == {day_in("east")}


async def test_a_kit_is_sent_from_where_all_of_its_parts_are_on_sale(bench: Bench) -> None:
    async with bench.pool.acquire() as conn:
        await items.save(conn, [Item(sku="CUP")])
        await kits.define(conn, Kit(sku="SET", parts={"NEW": 1, "CUP": 2}))
    for location in ZONES:
        await bench.stocked("NEW", 5, location)
        await bench.stocked("CUP", 10, location)
    reserved = await bench.reserve(an_order(("SET", 2)))
    assert [planned.location for planned in reserved.fulfilments] == ["east"]
    async with bench.pool.acquire() as conn:
        tomorrow = day_in("east") + timedelta(days=1)
        await items.save(conn, [Item(sku="SET", available_from=tomorrow)])
    assert (await bench.reserve(an_order(("SET", 1)))).fulfilments == ()
