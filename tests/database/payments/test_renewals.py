"""Authorizations that end: what is renewed, and what is not because it would not help."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

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
