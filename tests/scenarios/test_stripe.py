"""Orders that are paid through Stripe's SDK, at localstripe: whole lives, with faults between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest_asyncio
from temporalio.client import Client

from activities.payments.reconciliation import ProviderDay, Reconciliation
from activities.providers.stripe.payment import StripePayment
from domain.orders.return_messages import ReturnRequest
from store.database import Pool
from tests.localstripe.company import INTENTS, REFUNDS
from tests.localstripe.stand_in import StandIn, stand_in
from tests.support.books import faults_in
from tests.support.builders import a_policy, an_order, shipping
from tests.support.shop import Shop
from tests.support.stripe_calls import VISA, a_client

ORDERS = 4
PAID = {"provider": "stripe", "token": VISA}


@pytest_asyncio.fixture(loop_scope="session")
async def here() -> AsyncIterator[StandIn]:
    async with stand_in() as here:
        yield here


@pytest_asyncio.fixture(loop_scope="session")
async def stripe(here: StandIn) -> AsyncIterator[StripePayment]:
    client = a_client(here)
    yield client
    await client.close()


@pytest_asyncio.fixture(loop_scope="session")
async def paid_at_stripe(
    pool: Pool, temporal_client: Client, stripe: StripePayment
) -> AsyncIterator[Shop]:
    shop = Shop(pool, temporal_client, a_policy(give_up_after=60))
    shop.providers["stripe"] = stripe
    async with shop.working():
        yield shop


async def test_orders_paid_at_stripe_are_charged_by_parcel_paid_back_and_all_is_reconciled(
    paid_at_stripe: Shop, here: StandIn, stripe: StripePayment
) -> None:
    shop = paid_at_stripe
    await shop.stocked("TEA", 2 * ORDERS, "east")
    await shop.stocked("MUG", ORDERS, "west")
    here.fail("reset after", "POST", INTENTS)
    here.fail("500 after", "POST", INTENTS)
    here.fail("429", "POST", f"{INTENTS}/.*/capture")
    here.fail("reset after", "POST", f"{INTENTS}/.*/capture", times=2)
    here.fail("reset after", "POST", REFUNDS)
    orders = [
        an_order(("TEA", 2, "12.50"), ("MUG", 1, "25.00"), shipping=shipping("0"), payment=PAID)
        for _ in range(ORDERS)
    ]
    back = orders[0].order_id
    lenient = a_policy(give_up_after=60, return_window=60)
    await asyncio.gather(
        *(shop.placed(order, lenient if order is orders[0] else None) for order in orders)
    )

    async def live(order_id: str) -> None:
        if order_id != back:
            await shop.finish(order_id)
            return
        for number in (1, 2):
            await shop.drive(f"{order_id}:{number}", "delivered")
        await shop.heard(order_id, "delivered", 3)
        await shop.aftersales.request_return(order_id, ReturnRequest(reason="too many"))
        await shop.finish(order_id)

    await asyncio.gather(*(live(order.order_id) for order in orders))
    # What is compared with the sandbox's tables has nothing to say here.
    faults = [fault for fault in await faults_in(shop.pool) if "payment company" not in fault]
    assert faults == []
    report = await shop.audit()
    assert report.clean, "\n".join(report.lines())

    books = await here.books()
    for order in orders:
        charged = [("authorize", 25_00), ("authorize", 25_00), ("capture", 25_00)]
        assert sorted(books.pop(order.order_id)) == [
            *charged,
            ("capture", 25_00),
            *([("refund", 25_00), ("refund", 25_00)] if order.order_id == back else []),
        ]
        summary = (await shop.orders.get(order.order_id)).summary
        assert summary.captured_minor == 50_00
        assert summary.refunded_minor == (50_00 if order.order_id == back else 0)
    assert books == {}

    (today,) = {receipt.at.date() for receipt in await stripe.operations(back)}
    compared = await Reconciliation(shop.pool, {"stripe": stripe}, shop.temporal).reconcile_day(
        ProviderDay(provider="stripe", day=today)
    )
    assert (compared.listed, compared.differences) == (ORDERS * 4 + 2, 0)
