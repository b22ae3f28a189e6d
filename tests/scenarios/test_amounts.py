"""Amounts that do not divide, end to end: whatever happens in whatever sequence, they add up."""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any

import pytest

from domain.errors import Refused
from domain.orders.messages import CancelRequest
from domain.orders.order import Order
from domain.orders.return_messages import ReturnLine, ReturnRequest
from store.aftersales.returns import Counted
from tests.support.builders import a_document, a_policy, shipping
from tests.support.shop import Shop

PATIENT = a_policy(give_up_after=60, return_window=60)

GOODS = 999 - 10 + 1998 + 2 - 100

ALL_SENT_BACK = {
    "cash_in_transit": 0,
    "receivables": 0,
    "refunds_payable": 0,
    "tax_payable": 0,
    "revenue": -GOODS,
    "shipping_income": -499,
    "refunds": GOODS + 499,
}
"""The awkward order's journal, when all of it was charged and paid back."""


def an_awkward_order(**fields: Any) -> Order:
    """7 units in 3 lines, with prices, discounts and taxes that leave a remainder everywhere."""
    document = a_document(
        ("TEA", 3, "3.33"), ("MUG", 2, "9.99"), ("JAR", 2, "0.01"), discount="1.00", **fields
    )
    document["shipping"] = shipping("4.99", "0.95")
    for line, tax in zip(document["lines"], ("1.01", "2.00", "0.01"), strict=True):
        line["tax"] = tax
    document["lines"][0]["discount"] = "0.10"
    return Order.model_validate(document)


def one(line_id: str) -> tuple[ReturnLine]:
    return (ReturnLine(line_id=line_id, quantity=1),)


async def stocked(shop: Shop) -> None:
    """Each SKU at a location of its own, so that there are three parcels."""
    for sku, location in (("TEA", "east"), ("MUG", "north"), ("JAR", "west")):
        await shop.stocked(sku, 9, location)


async def balance(shop: Shop, order: Order) -> dict[str, int]:
    """Account → what the journal says of this order."""
    async with shop.pool.acquire() as conn:
        rows = await conn.fetch(
            "select account, sum(amount_minor)::bigint from posting "
            "join journal_entry using (entry_id) where order_no = order_no_of($1) group by account",
            order.order_id,
        )
    return {row[0]: row[1] for row in rows}


async def sums(shop: Shop, order: Order) -> dict[str, int]:
    """Kind of payment → what it comes to at the payment company."""
    found = dict.fromkeys(("authorize", "capture", "refund", "void"), 0)
    for done in await shop.payment.operations(order.order_id):
        found[done.kind] += done.amount.minor
    return found


async def take_back(shop: Shop, order: Order, line_id: str) -> None:
    """The customer sends one unit back, and it arrives."""
    approved = await shop.aftersales.request_return(
        order.order_id, ReturnRequest(reason="no", lines=one(line_id))
    )
    assert approved.return_id is not None
    await shop.warehouse.receive_return(approved.return_id, who="receiver")


async def test_s19_parcels_charge_the_order_to_the_cent_each_account_for_itself(
    shop: Shop,
) -> None:
    await stocked(shop)
    order = an_awkward_order()
    await shop.placed(order)
    await shop.finish(order.order_id)
    await shop.settled()
    assert (await sums(shop, order))["capture"] == order.total_minor
    assert await balance(shop, order) == {
        "cash_in_transit": order.total_minor,
        "receivables": 0,
        "revenue": -GOODS,
        "shipping_income": -499,
        "tax_payable": -(101 + 200 + 1 + 95),
    }


@pytest.mark.parametrize("seed", [19])
async def test_s19_cancels_short_picks_losses_and_returns_in_any_sequence_add_up(
    shop: Shop, seed: int
) -> None:
    random = Random(seed)
    await stocked(shop)
    order = an_awkward_order()
    await shop.placed(order, a_policy(give_up_after=60, return_window=1.5))
    parcels = [f"{order.order_id}:{number}" for number in (1, 2, 3)]
    line_of = {
        fulfilment.fulfilment_id: next(iter(fulfilment.units))
        for fulfilment in (await shop.orders.get(order.order_id)).fulfilments
    }
    cancelled, short, gone = random.sample(parcels, k=3)
    await shop.aftersales.cancel(
        order.order_id, CancelRequest(reason="one less", lines=one(line_of[cancelled]))
    )
    await shop.task("pick", short)
    await shop.warehouse.pick(short, {line_of[short]: 1}, who="picker")
    await shop.drive(gone, "shipped")
    await shop.told(order.order_id, "charged")
    await shop.scan(gone, random.choice(["failure", "return_to_sender", "delivered"]))
    finishing = asyncio.create_task(shop.finish(order.order_id))
    for _ in range(3):
        await asyncio.sleep(random.random() * 0.3)
        try:
            await shop.aftersales.request_return(
                order.order_id, ReturnRequest(reason="no", lines=one(random.choice("123")))
            )
        except Refused:
            continue  # nothing of this line was delivered yet
    await finishing
    await shop.settled()


async def test_s20_a_full_cancellation_gives_back_shipping_and_the_tax_on_it(shop: Shop) -> None:
    await stocked(shop)
    order = an_awkward_order()
    await shop.placed(order)
    outcome = await shop.aftersales.cancel(order.order_id, CancelRequest(reason="no"))
    assert outcome.outcome == "cancelled"
    assert await shop.result(order.order_id)
    held = await sums(shop, order)
    assert held == {"authorize": order.total_minor, "capture": 0, "refund": 0} | {
        "void": order.total_minor
    }
    assert await balance(shop, order) == {}
    await shop.settled()


async def test_s20_sending_everything_back_gives_back_shipping_and_the_tax_on_it(
    shop: Shop,
) -> None:
    await stocked(shop)
    order = an_awkward_order()
    await shop.placed(order, PATIENT)
    await asyncio.gather(*(shop.drive(f"{order.order_id}:{n}", "delivered") for n in (1, 2, 3)))
    await shop.heard(order.order_id, "delivered", 7)
    approved = await shop.aftersales.request_return(order.order_id, ReturnRequest(reason="no"))
    assert approved.return_id is not None
    scrapped = {"1": Counted(scrapped=3), "2": Counted(restocked=2), "3": Counted(scrapped=2)}
    await shop.warehouse.receive_return(approved.return_id, scrapped, who="receiver")
    await shop.settled()
    paid = await sums(shop, order)
    assert paid["capture"] == paid["refund"] == order.total_minor
    assert await balance(shop, order) == ALL_SENT_BACK


async def test_s20_what_is_cancelled_beside_a_parcel_that_is_gone_takes_its_shipping_share(
    shop: Shop,
) -> None:
    await stocked(shop)
    order = an_awkward_order()
    await shop.placed(order)
    mugs = next(
        f.fulfilment_id
        for f in (await shop.orders.get(order.order_id)).fulfilments
        if f.location == "north"
    )
    await shop.drive(mugs, "shipped")
    await shop.told(order.order_id, "charged")
    outcome = await shop.aftersales.cancel(order.order_id, CancelRequest(reason="the rest is late"))
    assert outcome.outcome == "partly_cancelled"
    assert {units.line_id for units in outcome.cancelled} == {"1", "3"}
    await shop.finish(order.order_id)
    await shop.settled()
    charged = await balance(shop, order)
    held = await sums(shop, order)
    assert held["capture"] == charged["cash_in_transit"]
    assert held["capture"] + held["void"] == held["authorize"] == order.total_minor
    assert -499 < charged["shipping_income"] < 0


async def test_s21_cancelling_everything_one_unit_at_a_time_leaves_nothing_to_pay(
    shop: Shop,
) -> None:
    await stocked(shop)
    order = an_awkward_order()
    await shop.placed(order)
    for line_id in "3121231":
        outcome = await shop.aftersales.cancel(
            order.order_id, CancelRequest(reason="one less", lines=one(line_id))
        )
        assert [(u.line_id, u.quantity) for u in outcome.cancelled] == [(line_id, 1)]
    assert (await shop.result(order.order_id))["outcome"] == "cancelled"
    assert (await sums(shop, order))["void"] == order.total_minor
    await shop.settled()


async def test_s21_returning_everything_one_unit_at_a_time_gives_back_exactly_what_was_paid(
    shop: Shop,
) -> None:
    await stocked(shop)
    order = an_awkward_order()
    await shop.placed(order, PATIENT)
    await asyncio.gather(*(shop.drive(f"{order.order_id}:{n}", "delivered") for n in (1, 2, 3)))
    await shop.heard(order.order_id, "delivered", 7)
    for line_id in "3121231":
        await take_back(shop, order, line_id)
    result = await shop.result(order.order_id)
    assert result["outcome"] == "closed"
    refunds = [o for o in await shop.payment.operations(order.order_id) if o.kind == "refund"]
    assert len(refunds) == 7
    assert sum(refund.amount.minor for refund in refunds) == order.total_minor
    assert await balance(shop, order) == ALL_SENT_BACK
    await shop.settled()
