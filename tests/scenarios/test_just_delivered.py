"""Asked in the moment between the row of a parcel's end and the report of it to the order."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import pytest_asyncio
from temporalio.client import Client

from domain.errors import Refused
from domain.orders.claim_messages import ClaimRequest
from domain.orders.exchange_messages import ExchangeRequest
from domain.orders.interception_messages import ParcelAnew
from domain.orders.order import Order
from domain.orders.return_messages import ReturnRequest
from store.database import Pool
from tests.support.builders import a_policy, an_order, shipping
from tests.support.shop import Shop


@pytest_asyncio.fixture(loop_scope="session")
async def shop(pool: Pool, temporal_client: Client) -> Shop:
    """Nobody works in it yet."""
    return Shop(pool, temporal_client, a_policy(give_up_after=60, return_window=60))


def line(number: int) -> list[dict[str, Any]]:
    return [{"line_id": f"{number}", "quantity": 1}]


async def shipped(shop: Shop, order: Order) -> str:
    parcel = await shop.placed(order)
    await shop.drive(parcel, "shipped")
    await shop.heard(order.order_id, "shipped", sum(line.quantity for line in order.lines))
    return parcel


async def test_what_the_rows_know_to_be_delivered_is_sent_back_exchanged_and_claimed(
    shop: Shop,
) -> None:
    await shop.stocked("TEA", 10)
    await shop.stocked("POT", 10)
    await shop.stocked("MUG", 10)
    order = an_order(("TEA", 1), ("POT", 1), ("MUG", 1), shipping=shipping("0"))
    async with shop.working():
        parcel = await shipped(shop, order)
        with pytest.raises(Refused) as no:
            await shop.aftersales.request_return(order.order_id, ReturnRequest(reason="early"))
        assert no.value.reason == "not_delivered"
    await shop.scan(parcel, "delivered")
    back = ReturnRequest.model_validate({"reason": "too small", "lines": line(1)})
    other = ExchangeRequest.model_validate({"reason": "too small", "lines": line(2)})
    broken = ClaimRequest.model_validate({"kind": "damaged", "reason": "broken", "lines": line(3)})
    async with shop.working(relay=False):  # a report waits for the relay
        asked = asyncio.gather(
            shop.aftersales.request_return(order.order_id, back),
            shop.exchanges.exchange(order.order_id, other),
            shop.aftersales.claim(order.order_id, broken),
        )
        await asyncio.sleep(0.5)
        assert not asked.done(), asked.exception()
    async with shop.working():
        approved, exchanged, claimed = await asked
    assert (approved.outcome, claimed.outcome) == ("approved", "open")
    assert exchanged.exchange_order_id == f"{order.order_id}-X1"


async def test_a_parcel_that_turns_back_is_sent_anew_though_its_order_has_not_heard_of_it(
    shop: Shop,
) -> None:
    await shop.stocked("TEA", 1)
    order = an_order(("TEA", 1))
    async with shop.working():
        parcel = await shipped(shop, order)
    await shop.scan(parcel, "return_to_sender")
    wanted = ParcelAnew(fulfilment_id=parcel, reason="the door was closed")
    async with shop.working(relay=False):
        asked = asyncio.ensure_future(shop.interceptions.send_anew(order.order_id, wanted))
        await asyncio.sleep(0.5)
        assert not asked.done(), asked.exception()
    async with shop.working():
        assert (await asked).return_id == f"{order.order_id}:R1"
