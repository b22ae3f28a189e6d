"""Locations on the real database: the closest lane counts, and what is wrong changes nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from domain.errors import Conflict
from domain.orders.order import Shipping
from domain.stock.locations import Lane, Location
from store.database import Pool
from store.stock import locations, promises
from tests.support.bench import Bench
from tests.support.builders import address_of, an_order


def a_lane(cost: str, **fields: Any) -> Lane:
    return Lane.model_validate({"cost": cost, "currency": "EUR", **fields})


def to(country: str, postal_code: str | None, service: str = "standard") -> Shipping:
    order = an_order(("TEA", 1))
    update = {"country": country, "postal_code": postal_code}
    address = address_of(order).model_copy(update=update)
    return order.shipping.model_copy(update={"address": address, "service": service})


BERLIN = Location(
    location="berlin",
    lanes=(
        a_lane("20.00"),
        a_lane("9.00", country="DE"),
        a_lane("4.00", country="DE", postal_prefix="1"),
        a_lane("3.00", country="DE", postal_prefix="101"),
        a_lane("30.00", service="express"),
        a_lane("15.00", country="DE", service="express"),
    ),
)


@pytest.mark.parametrize(
    ("shipping", "cost"),
    [
        (to("DE", "10115"), 300),
        (to("DE", "12043"), 400),
        (to("DE", "80331"), 900),
        (to("DE", None), 900),
        (to("FR", "10115"), 2000),
        (to("DE", "10115", "express"), 1500),
        (to("FR", "75001", "express"), 3000),
    ],
)
async def test_the_closest_lane_counts(pool: Pool, shipping: Shipping, cost: int) -> None:
    async with pool.acquire() as conn:
        await locations.save(conn, [BERLIN])
        (way,) = await locations.ways(conn, ["berlin", "unknown"], shipping)
    assert (way.cost_minor, way.currency) == (cost, "EUR")


async def test_a_location_reads_as_it_was_set_and_is_set_anew_as_a_whole(pool: Pool) -> None:
    other = Location.model_validate(
        {
            "location": "ulm",
            "priority": 5,
            "parcels_a_day": 40,
            "calendar": {"time_zone": "Europe/Berlin", "cut_off": "14:30", "holidays": "DE-BW"},
        }
    )
    async with pool.acquire() as conn:
        await locations.save(conn, [BERLIN, other])
        found = await locations.find(conn)
        assert {place.location: set(place.lanes) for place in found} == {
            "berlin": set(BERLIN.lanes),
            "ulm": set(),
        }
        assert found[1] == other.model_copy(update={"seller": "main"})
        await locations.save(conn, [other.model_copy(update={"location": "berlin"})])
        assert await locations.find(conn, "berlin") == [
            other.model_copy(update={"location": "berlin", "seller": "main"})
        ]


async def test_lanes_in_two_currencies_are_refused_and_change_nothing(pool: Pool) -> None:
    dollars = Location(location="boston", lanes=(a_lane("5.00", currency="USD"),))
    async with pool.acquire() as conn:
        await locations.save(conn, [BERLIN])
        with pytest.raises(Conflict, match="berlin in EUR, boston in USD; nothing was changed"):
            await locations.save(conn, [dollars])
        assert [place.location for place in await locations.find(conn)] == ["berlin"]
        # All at once is another matter.
        await locations.save(conn, [BERLIN.model_copy(update={"lanes": dollars.lanes}), dollars])


async def test_a_location_with_a_limit_counts_what_it_has_to_send(pool: Pool) -> None:
    bench = Bench(pool)
    await bench.stocked("TEA", 100)
    for stage in ("confirmed", "labelled", "shipped", "delivered"):
        await bench.at(an_order(("TEA", 1)), stage)
    async with pool.acquire() as conn:
        shipping = to("DE", "10115")
        (way,) = await locations.ways(conn, ["main"], shipping)
        assert (way.parcels_a_day, way.to_send) == (None, 0)
        await locations.save(conn, [Location(location="main", parcels_a_day=1)])
        (way,) = await locations.ways(conn, ["main"], shipping)
        assert (way.parcels_a_day, way.to_send) == (1, 2)


async def test_a_promise_that_slips_is_told_once_before_its_day_and_once_after(pool: Pool) -> None:
    bench = Bench(pool)
    await bench.stocked("TEA", 100)
    lane = a_lane("4.00", transit_days=3)
    async with pool.acquire() as conn:
        await locations.save(conn, [Location(location="main", lanes=(lane,))])
    slow, late, kept, gone = [
        await bench.at(an_order(("TEA", 1)), stage)
        for stage in ("confirmed", "shipped", "confirmed", "delivered")
    ]
    today = await pool.fetchval("select (now() at time zone 'UTC')::date")
    move = "update fulfilment set promised_leave = $2, promised_on = $3 where fulfilment_id = $1"
    await pool.execute(move, slow, today - timedelta(days=1), today + timedelta(days=2))
    await pool.execute(move, late, today - timedelta(days=4), today - timedelta(days=1))
    await pool.execute(move, gone, today - timedelta(days=4), today - timedelta(days=1))

    async def told() -> dict[str, str]:
        rows = await pool.fetch(
            "select what, data from order_event where effect like 'promise:%' order by event_id"
        )
        return {row["data"]["fulfilment_id"]: row["what"] for row in rows}

    async with pool.acquire() as conn:
        assert await promises.notice_slips(conn, 100) == 2
        assert await promises.notice_slips(conn, 100) == 0
    assert await told() == {slow: "promise at risk", late: "promise missed"}
    why = await pool.fetchval("select why from order_event where what = 'promise at risk'")
    assert "it is picking at main" in why
    await pool.execute(move, slow, today - timedelta(days=4), today - timedelta(days=1))
    async with pool.acquire() as conn:
        assert await promises.notice_slips(conn, 100) == 1
    assert (await told())[slow] == "promise missed"
    assert kept not in await told()
