"""An order of a hundred, and what is asked for to charge it and to pay it back."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from typing import Any

from activities.payments.contracts import Charge, Refund
from activities.providers.sandbox.payment import Card
from domain import ids
from domain.errors import OrderloomError
from domain.orders.amounts import Worth
from domain.orders.charges import Due, Owed
from domain.orders.order import Order
from store.locks import lock_order
from store.payments import billing, payments, tallies
from tests.support.bench import Bench, at_once, authorizing, charging
from tests.support.billing import billed
from tests.support.books import faults_in
from tests.support.builders import an_order, shipping

HUNDRED = 100_00

CLAIM_ENDS = """
    update reservation set quantity = quantity - $2
    where order_no = order_no_of($1) and fulfilment_id = $1 || ':1'
"""
"""Units of the one fulfilment have left, in whatever parcel."""


def of_a_hundred(token: str = Card.OK) -> Order:
    """Ten units that are worth 10.00 each, and nothing else."""
    return an_order(("TEA", 10, "10.00"), token=token, shipping=shipping("0"))


async def due(bench: Bench, order: Order, number: int, minor: int) -> Charge:
    """So much is due for a parcel, whatever its units are worth. Returns how it is charged."""
    part = ids.fulfilment_id(order.order_id, number)
    async with bench.pool.acquire() as conn, conn.transaction():
        await lock_order(conn, order.order_id)
        found = await tallies.load(conn, order.order_id)
        await tallies.take(conn, found, part, Due({"1": 1}, Worth(goods=minor)))
        await conn.execute(CLAIM_ENDS, order.order_id, 1)
    return charging(part)


async def left(bench: Bench, order: Order, number: int, units: int) -> Charge:
    """A parcel left with so many units: what they are worth is due, and invoiced."""
    part = ids.fulfilment_id(order.order_id, number)
    async with bench.pool.acquire() as conn, conn.transaction():
        await lock_order(conn, order.order_id)
        await billed(conn, part, {"1": units})
        await conn.execute(CLAIM_ENDS, order.order_id, units)
    return charging(part)


async def granted(bench: Bench, order: Order, number: int, minor: int, units: int = 0) -> Refund:
    """So much is owed back. Returns how it is paid back."""
    refund_id = f"{order.order_id}:R{number}"
    worth = Worth(goods=minor)
    async with bench.pool.acquire() as conn, conn.transaction():
        await lock_order(conn, order.order_id)
        found = await tallies.load(conn, order.order_id)
        owed = Owed({"1": units} if units else {}, worth, worth)
        grant = await billing.grant(conn, found, owed, refund_id, kind="return", why="test")
        await billing.credit(conn, grant)
    return Refund(refund_id=refund_id)


async def came_back(bench: Bench, order: Order, number: int, units: int) -> Refund:
    """So many units came back: what they are worth is owed. Returns how it is paid back."""
    refund_id = f"{order.order_id}:R{number}"
    async with bench.pool.acquire() as conn, conn.transaction():
        await lock_order(conn, order.order_id)
        found = await tallies.load(conn, order.order_id)
        owed = found.charges.came_back({"1": units})
        grant = await billing.grant(conn, found, owed, refund_id, kind="return", why="test")
        await billing.credit(conn, grant)
    return Refund(refund_id=refund_id)


async def refunded(bench: Bench, order: Order, number: int, minor: int, units: int = 0) -> None:
    """So much is owed back, and is paid back."""
    await bench.payments.refund_payment(await granted(bench, order, number, minor, units))


async def authorized(bench: Bench, order: Order) -> Order:
    await bench.reserve(order)
    await bench.authorizations.authorize_payment(authorizing(order))
    return order


async def captured(bench: Bench, order: Order) -> Order:
    await authorized(bench, order)
    await bench.payments.charge_payment(await left(bench, order, 1, 10))
    return order


async def refusals_of(calls: Iterable[Awaitable[Any]]) -> list[OrderloomError]:
    _, refusals = await at_once(calls)
    return refusals


async def sums(bench: Bench, order: Order) -> tuple[int, int, int]:
    """(authorized, captured, refunded), once it is clear that the company has the same."""
    faults = [
        f for f in await faults_in(bench.pool) if f.startswith(("the payment", "the journal"))
    ]
    assert [f for f in faults if "holds money" not in f] == []
    async with bench.pool.acquire() as conn:
        money = await payments.sums(conn, order.order_id)
    return money.authorized, money.captured, money.refunded
