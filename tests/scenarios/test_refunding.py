"""Refunds that come with no return: units that stay, shipping, goodwill; end to end."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from domain.errors import InvalidInput, NotFound, Refused
from domain.orders.messages import CancelRequest, LineRequest, RefundRequest
from domain.orders.order import Order
from domain.orders.return_messages import ReturnLine, ReturnRequest
from tests.scenarios.test_payment import paid
from tests.support.builders import a_policy, an_order, shipping
from tests.support.shop import Shop

PATIENT = {"give_up_after": 60, "return_window": 60}


async def delivered(shop: Shop, order: Order, **policy: Any) -> str:
    """Place an order and bring all of it to the customer. Returns its id."""
    first = await shop.placed(order, a_policy(**{**PATIENT, **policy}))
    await shop.drive(first, "delivered")
    units = sum(line.quantity for line in order.lines)
    await shop.heard(order.order_id, "delivered", units)
    await shop.told(order.order_id, "charged")
    return order.order_id


async def refunds(shop: Shop, order: Order) -> list[int]:
    return [minor for kind, minor, _ in await paid(shop, order) if kind == "refund"]


async def send_back(shop: Shop, order_id: str, **units: int) -> None:
    """The customer sends units of lines back, and all of them arrive."""
    lines = tuple(ReturnLine(line_id=k.removeprefix("line_"), quantity=n) for k, n in units.items())
    approved = await shop.aftersales.request_return(
        order_id, ReturnRequest(reason="not wanted", lines=lines)
    )
    assert approved.return_id is not None
    await shop.warehouse.receive_return(approved.return_id, who="receiver")


def units(quantity: int, **fields: Any) -> RefundRequest:
    line = LineRequest(line_id="1", quantity=quantity)
    return RefundRequest(reason="scratched", lines=(line,), **fields)


async def test_units_that_the_customer_keeps_are_paid_back_once(shop: Shop) -> None:
    await shop.stocked("TEA", 3)
    order = an_order(("TEA", 3, "10.00"), shipping=shipping("3.00"))
    order_id = await delivered(shop, order)
    outcome = await shop.aftersales.refund(order_id, units(1))
    assert (outcome.outcome, str(outcome.amount)) == ("refunded", "10.00 USD")
    assert outcome.refund_id == f"{order_id}:G1"
    # Two of three come back: they are paid back with their shipping. Then the one that was kept.
    await send_back(shop, order_id, line_1=2)
    await shop.until_many(order_id, "refunded", 2)
    await send_back(shop, order_id, line_1=1)
    await shop.settled()
    assert await refunds(shop, order) == [10_00, 22_00, 1_00]
    assert (await shop.level("TEA")).on_hand == 3


async def test_units_can_be_paid_back_with_their_share_of_the_shipping(shop: Shop) -> None:
    await shop.stocked("TEA", 3)
    order = an_order(("TEA", 3, "10.00"), shipping=shipping("3.00"))
    order_id = await delivered(shop, order, return_window=1.5)
    outcome = await shop.aftersales.refund(order_id, units(2, shipping=True))
    assert str(outcome.amount) == "22.00 USD"
    with pytest.raises(Refused, match="2 cannot be paid back; 1 can"):
        await shop.aftersales.refund(order_id, units(2))
    await shop.settled()
    assert await refunds(shop, order) == [22_00]


async def test_shipping_is_paid_back_once_and_not_again_with_what_comes_back(shop: Shop) -> None:
    await shop.stocked("TEA", 2)
    order = an_order(("TEA", 2, "10.00"), shipping=shipping("3.00", "0.60"))
    order_id = await delivered(shop, order)
    late = RefundRequest(reason="came late", shipping=True)
    assert str((await shop.aftersales.refund(order_id, late)).amount) == "3.60 USD"
    with pytest.raises(Refused, match="no shipping and no fee is charged"):
        await shop.aftersales.refund(order_id, late)
    await send_back(shop, order_id, line_1=2)
    await shop.settled()
    assert await refunds(shop, order) == [3_60, 20_00]


async def test_goodwill_has_a_limit_and_never_pays_twice(shop: Shop) -> None:
    await shop.stocked("TEA", 2)
    order = an_order(("TEA", 2, "50.00"), shipping=shipping("0"))
    order_id = await delivered(shop, order)
    some = RefundRequest(reason="sorry", amount=Decimal("15.00"), request_id="R-1")
    first, again = await asyncio.gather(
        shop.aftersales.refund(order_id, some), shop.aftersales.refund(order_id, some)
    )
    assert first == again  # one request, one refund
    with pytest.raises(Refused, match=r"more than goodwill may come to: 20\.00 USD"):
        await shop.aftersales.refund(
            order_id, RefundRequest(reason="sorry", amount=Decimal("5.01"))
        )
    await send_back(shop, order_id, line_1=2)
    await shop.settled()
    assert await refunds(shop, order) == [15_00, 85_00]


async def test_a_refund_as_store_credit_leaves_the_card_alone(shop: Shop) -> None:
    await shop.stocked("TEA", 2)
    order = an_order(("TEA", 2, "50.00"), shipping=shipping("0"))
    order_id = await delivered(shop, order, return_window=1.5)
    credit = RefundRequest(reason="sorry", amount=Decimal("10.00"), to="store_credit")
    assert (await shop.aftersales.refund(order_id, credit)).outcome == "refunded"
    await shop.settled()
    assert await refunds(shop, order) == []
    async with shop.pool.acquire() as conn:
        balance = await conn.fetchval("select balance_minor from credit_account")
        owed = await conn.fetchval(
            "select sum(amount_minor) from posting where account = 'store_credit_liability'"
        )
    assert (balance, owed) == (10_00, -10_00)


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        (RefundRequest(reason="x", amount=Decimal("1.001")), "more decimals than USD allows"),
        (
            RefundRequest(reason="x", amount=Decimal("25.01")),
            "more than the 25.00 USD that can",
        ),
        (RefundRequest(reason="x", lines=(LineRequest(line_id="9"),)), "no line 9"),
        (RefundRequest(reason="x", lines=(LineRequest(line_id="1"),) * 2), "named twice"),
    ],
    ids=["decimals", "too much", "line", "twice"],
)
async def test_a_refund_that_cannot_be_is_refused_and_changes_nothing(
    shop: Shop, request_: RefundRequest, why: str
) -> None:
    await shop.stocked("TEA", 2)
    order = an_order(("TEA", 2))
    order_id = await delivered(shop, order, goodwill_percent_max=100, return_window=1.5)
    with pytest.raises((Refused, InvalidInput), match=why):
        await shop.aftersales.refund(order_id, request_)
    await shop.settled()
    assert await refunds(shop, order) == []


async def test_nothing_is_paid_back_of_an_order_that_is_unknown_cancelled_or_not_charged(
    shop: Shop,
) -> None:
    request = RefundRequest(reason="sorry", amount=Decimal("1.00"))
    with pytest.raises(NotFound):
        await shop.aftersales.refund("web-none", request)
    await shop.stocked("TEA", 2)
    order = an_order(("TEA", 2))
    await shop.placed(order)
    with pytest.raises(Refused, match=r"0\.00 USD that can be paid back"):
        await shop.aftersales.refund(order.order_id, request)
    await shop.aftersales.cancel(order.order_id, CancelRequest(reason="changed my mind"))
    await shop.result(order.order_id)
    with pytest.raises(Refused, match=r"nothing can be changed$"):
        await shop.aftersales.refund(order.order_id, request)
    await shop.settled()


async def test_what_is_charged_after_a_refund_is_decided_may_be_booked_before_it(
    shop: Shop,
) -> None:
    # Shipping of 0.04 for three units is 0.01 + 0.01 + 0.02; charged after one was paid back, the
    # last is 0.01. The second charge takes so long that the third is on record before the refund.
    for location in ("east", "north", "west"):
        await shop.stocked("TEA", 1, location)
    order = an_order(("TEA", 3, "10.00"), shipping=shipping("0.04"))
    first = await shop.placed(order, a_policy(give_up_after=60, return_window=0.5))
    second, third = (f"{order.order_id}:{number}" for number in (2, 3))
    await shop.drive(third, "labelled")
    await shop.drive(first, "shipped")
    await shop.told(order.order_id, "charged")
    shop.faults.hold("charge_payment")
    await shop.drive(second, "delivered")
    await shop.faults.reached["charge_payment"].wait()
    await shop.scan(first, "failure")
    await shop.heard(order.order_id, "lost", 1)
    await shop.warehouse.hand_over(third, who="packer")
    await shop.heard(order.order_id, "shipped", 3)
    shop.faults.release("charge_payment")
    await shop.finish(order.order_id)
    money = await paid(shop, order)
    assert [minor for kind, minor, _ in money if kind == "capture"] == [10_01, 10_01, 10_01]
    assert await refunds(shop, order) == [10_01]
    await shop.settled()
