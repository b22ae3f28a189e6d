"""Stripe takes no payment below its least amount: what is too little is charged with others."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from temporalio.client import Client

from activities.providers.stripe.payment import StripePayment
from domain.orders.messages import CancelRequest, LineRequest
from domain.orders.order import Order
from domain.stock.items import Item
from store.database import Pool
from store.stock import items
from tests.localstripe.stand_in import StandIn, stand_in
from tests.support.builders import a_policy, an_order, shipping
from tests.support.shop import Shop
from tests.support.stripe_calls import VISA, a_client

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
async def at_stripe(
    pool: Pool, temporal_client: Client, stripe: StripePayment
) -> AsyncIterator[Shop]:
    shop = Shop(pool, temporal_client, a_policy(give_up_after=20, return_window=0.5))
    shop.providers["stripe"] = stripe
    async with shop.working():
        yield shop


def ten_dollars() -> Order:
    """9.70 and 0.30."""
    lines = (("CUP", 1, "9.70"), ("STICKER", 1, "0.30"))
    return an_order(*lines, shipping=shipping("0"), payment=PAID)


async def two_parcels(shop: Shop) -> dict[str, str]:
    """The order is placed. Returns its fulfilments by their locations."""
    await shop.stocked("CUP", 1, "east")
    await shop.stocked("STICKER", 1, "west")
    order = ten_dollars()
    assert (await shop.orders.place(order)).outcome == "confirmed"
    found = (await shop.orders.get(order.order_id)).fulfilments
    return {part.location: part.fulfilment_id for part in found}


async def captured(shop: Shop) -> list[int]:
    rows = await shop.pool.fetch(
        "select amount_minor from payment where kind = 'capture' and state = 'succeeded'"
    )
    return [row["amount_minor"] for row in rows]


async def is_clean(shop: Shop) -> None:
    report = await shop.audit()
    assert report.clean, "\n".join(report.lines())


@pytest.mark.parametrize(("first", "second"), [("east", "west"), ("west", "east")])
async def test_in_two_parcels_all_is_authorized_once_and_charged_with_the_first_that_leaves(
    at_stripe: Shop, here: StandIn, first: str, second: str
) -> None:
    shop = at_stripe
    parts = await two_parcels(shop)
    (order_id,) = {part.split(":")[0] for part in parts.values()}
    await shop.drive(parts[second], "labelled")  # both wait at the dock
    await shop.drive(parts[first], "delivered")
    await shop.told(order_id, "charged")
    assert await captured(shop) == [10_00]
    await shop.warehouse.hand_over(parts[second], who="packer")
    assert (await shop.finish(order_id))["outcome"] == "closed"
    assert await captured(shop) == [10_00]
    assert sorted((await here.books())[order_id]) == [("authorize", 10_00), ("capture", 10_00)]
    await is_clean(shop)


async def test_what_is_backordered_and_too_little_is_charged_with_what_is_there(
    at_stripe: Shop, here: StandIn
) -> None:
    shop = at_stripe
    await shop.stocked("CUP", 1, "east")
    async with shop.pool.acquire() as conn:
        await items.save(conn, [Item(sku="STICKER", backorder=True)])
    order = ten_dollars()
    assert (await shop.orders.place(order)).outcome == "confirmed"
    assert "charged" not in await shop.story(order.order_id)
    await shop.drive(f"{order.order_id}:1", "delivered")
    await shop.told(order.order_id, "charged")
    assert await captured(shop) == [10_00]
    (charge,) = [x for x in await shop.orders.events(order.order_id) if x.what == "charged"]
    assert charge.why.endswith("with all that is left: a part of it may be too little alone")
    await shop.stocked("STICKER", 1, "east")
    assert (await shop.finish(order.order_id))["outcome"] == "closed"
    assert sorted((await here.books())[order.order_id]) == [
        ("authorize", 10_00),
        ("capture", 10_00),
    ]
    assert not (await shop.orders.get(order.order_id)).attention
    await is_clean(shop)


async def test_what_was_charged_with_another_and_is_cancelled_is_paid_back(
    at_stripe: Shop, here: StandIn
) -> None:
    shop = at_stripe
    parts = await two_parcels(shop)
    order_id = parts["east"].split(":")[0]
    await shop.drive(parts["east"], "delivered")
    await shop.told(order_id, "charged")
    sticker = CancelRequest(reason="no sticker", lines=(LineRequest(line_id="2"),))
    assert (await shop.aftersales.cancel(order_id, sticker)).outcome == "cancelled"
    assert (await shop.finish(order_id))["outcome"] == "closed"
    assert ("refund", 30) in (await here.books())[order_id]
    await is_clean(shop)


async def test_what_is_cancelled_before_anything_leaves_is_not_charged(
    at_stripe: Shop, here: StandIn
) -> None:
    shop = at_stripe
    parts = await two_parcels(shop)
    order_id = parts["east"].split(":")[0]
    sticker = CancelRequest(reason="no sticker", lines=(LineRequest(line_id="2"),))
    assert (await shop.aftersales.cancel(order_id, sticker)).outcome == "cancelled"
    await shop.drive(parts["east"], "delivered")
    assert (await shop.finish(order_id))["outcome"] == "closed"
    assert await captured(shop) == [9_70]
    (charge,) = [x for x in await shop.orders.events(order_id) if x.what == "charged"]
    assert "a part of the rest" not in charge.why  # nothing was left beside it
    assert (await here.books())[order_id].count(("authorize", 10_00)) == 1
    await is_clean(shop)


async def test_parts_that_are_enough_have_an_authorization_each(at_stripe: Shop) -> None:
    shop = at_stripe
    await shop.stocked("CUP", 1, "east")
    await shop.stocked("STICKER", 2, "west")
    order = an_order(
        ("CUP", 1, "9.70"), ("STICKER", 2, "0.30"), shipping=shipping("0"), payment=PAID
    )
    assert (await shop.orders.place(order)).outcome == "confirmed"
    assert (await shop.finish(order.order_id))["outcome"] == "closed"
    assert sorted(await captured(shop)) == [60, 9_70]
    await is_clean(shop)
