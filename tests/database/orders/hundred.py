"""An order of a hundred, and what is asked for to charge it and to pay it back."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable

from activities.payments.contracts import Capture, Refund
from activities.providers.sandbox.payment import Card
from domain.errors import OrderloomError
from domain.orders.amounts import Worth
from domain.orders.order import Order
from store.payments import payments
from tests.support.bench import Bench, at_once, authorizing
from tests.support.books import faults_in
from tests.support.builders import an_order, shipping

HUNDRED = 100_00


def of_a_hundred(token: str = Card.OK) -> Order:
    """Ten units that are worth 10.00 each, and nothing else."""
    return an_order(("TEA", 10, "10.00"), token=token, shipping=shipping("0"))


def capture(order: Order, number: int, minor: int, units: int = 0) -> Capture:
    return Capture(
        order_id=order.order_id,
        fulfilment_id=f"{order.order_id}:{number}",
        worth=Worth(goods=minor),
        currency="USD",
        units={"1": units} if units else {},
    )


def refund(order: Order, number: int, minor: int, units: int = 0, attempt: int = 1) -> Refund:
    return Refund(
        order_id=order.order_id,
        refund_id=f"{order.order_id}:R{number}",
        worth=Worth(goods=minor),
        credited=Worth(goods=minor),
        currency="USD",
        units={"1": units} if units else {},
        why="test",
        attempt=attempt,
    )


async def authorized(bench: Bench, order: Order) -> Order:
    await bench.reserve(order)
    await bench.authorizations.authorize_payment(authorizing(order))
    return order


async def captured(bench: Bench, order: Order) -> Order:
    await authorized(bench, order)
    await bench.payments.charge_payment(capture(order, 1, HUNDRED, units=10))
    return order


async def refusals_of(calls: Iterable[Awaitable[None]]) -> list[OrderloomError]:
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
