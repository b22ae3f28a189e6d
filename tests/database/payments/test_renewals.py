"""Authorizations that end: what is renewed, and what is not because it would not help."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from activities.payments import ending_authorizations
from activities.payments.ending_authorizations import EndingAuthorizations
from domain import ids
from domain.orders.order import Order
from store.database import Pool
from tests.support.bench import Bench, authorizing, securing
from tests.support.builders import an_order


async def authorized(bench: Bench, age: timedelta = timedelta(0)) -> Order:
    """An order whose authorization was made so long ago."""
    await bench.stocked("TEA", 100)
    order = an_order(("TEA", 2))
    await bench.reserve(order)
    await bench.authorizations.authorize_payment(authorizing(order))
    await bench.pool.execute(
        "with ends as (update payment_authorization set expires_at = expires_at - $2::interval "
        "where order_no = order_no_of($1)) "
        "update payment_operation set requested_at = requested_at - $2::interval "
        "where order_no = order_no_of($1)",
        *(order.order_id, age),
    )
    return order


async def secure(bench: Bench, order: Order, days: float) -> int:
    """Have it hold for so many days. Returns how many authorizations the company has in all."""
    part, until = ids.fulfilment_id(order.order_id, 1), datetime.now(UTC) + timedelta(days=days)
    ask = securing(order, part, until, spare=timedelta(hours=12))
    await asyncio.wait_for(bench.authorizations.authorize_payment(ask), 5)
    operations = await bench.payment.operations(order.order_id)
    return [done.kind for done in operations].count("authorize")


async def test_what_holds_long_enough_is_left_as_it_is(pool: Pool) -> None:
    bench = Bench(pool)
    assert await secure(bench, await authorized(bench), days=6) == 1


async def test_what_ends_too_soon_is_renewed_once(pool: Pool) -> None:
    bench = Bench(pool)
    order = await authorized(bench, age=timedelta(days=4))
    assert await secure(bench, order, days=6) == 2
    assert await secure(bench, order, days=6) == 2


async def test_what_no_authorization_could_hold_for_is_renewed_when_its_end_is_near(
    pool: Pool,
) -> None:
    bench = Bench(pool)
    assert await secure(bench, await authorized(bench), days=10) == 1
    assert await secure(bench, await authorized(bench, age=timedelta(days=5)), days=10) == 1
    old = await authorized(bench, age=timedelta(days=6.6))
    assert await secure(bench, old, days=10) == 2
    assert await secure(bench, old, days=10) == 2


async def waiting_with(bench: Bench, age: timedelta, renew_before: timedelta) -> str:
    """A parcel that waits for its hand-over; its authorization, of seven days, was made then."""
    order = await authorized(bench, age)
    part = ids.fulfilment_id(order.order_id, 1)
    await bench.warehouse.pick(part, who="picker")
    await bench.warehouse.pack(part, who="packer")
    assert await bench.send(part) is None
    await bench.pool.execute(
        "update shipment set renew_before = $2, to_charge_minor = 1500 where fulfilment_id = $1",
        *(part, renew_before),
    )
    return part


async def test_orders_are_told_in_the_last_quarter_of_an_authorizations_life_and_once(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ending_authorizations, "BATCH", 2)  # those that are not told fill it
    bench = Bench(pool)
    month = timedelta(days=30)
    young = [await waiting_with(bench, timedelta(days=days), month) for days in (1, 4, 5)]
    ending = [await waiting_with(bench, timedelta(days=days), month) for days in (5.3, 6.9)]
    for _ in range(2):
        await EndingAuthorizations(pool).notice()
        told = await pool.fetch(
            "select activity_id, outcome from wait_report where outcome is not null"
        )
        assert {row["activity_id"] for row in told} == {ids.sending_id(part) for part in ending}
        assert [row["outcome"] for row in told] == [{"outcome": "unpaid"}] * 2
        unpaid = await pool.fetch("select fulfilment_id from shipment where unpaid_at is not null")
        assert {row["fulfilment_id"] for row in unpaid} == set(ending)
    assert len(young) == 3


async def test_an_order_is_told_so_long_before_the_end_as_it_wants_and_no_sooner(
    pool: Pool,
) -> None:
    bench = Bench(pool)
    await waiting_with(bench, timedelta(days=6), timedelta(hours=12))
    ending = await waiting_with(bench, timedelta(days=6.6), timedelta(hours=12))
    await EndingAuthorizations(pool).notice()
    told = "select activity_id from wait_report where outcome is not null"
    assert [row["activity_id"] for row in await pool.fetch(told)] == [ids.sending_id(ending)]
