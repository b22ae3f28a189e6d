"""A customer cancels while nobody knows whether the payment was authorized."""

from __future__ import annotations

import asyncio

from domain.orders.messages import CancelRequest
from store.sandbox import companies
from store.sandbox.companies import FaultKind
from tests.support.builders import a_policy, an_order
from tests.support.shop import Shop

REASON = "changed mind"


async def test_who_asked_and_why_stays_in_the_story_and_show_tells_that_it_is_being_cancelled(
    shop: Shop,
) -> None:
    await shop.stocked("TEA", 2)
    async with shop.pool.acquire() as conn:
        await companies.set_fault(
            conn, "payment", "authorize", FaultKind.TIMEOUT_AFTER, 1, remaining=1
        )
        await companies.set_fault(conn, "payment", "lookup", FaultKind.UNAVAILABLE, 1)
    order = an_order(("TEA", 2, "10.00"))
    placing = asyncio.create_task(shop.orders.place(order, policy=a_policy(give_up_after=1)))
    await shop.begun()
    await shop.parked(order.order_id)
    request = CancelRequest(reason=REASON, by="ann", request_id="c-1")
    cancelling = asyncio.create_task(shop.aftersales.cancel(order.order_id, request))
    await shop.told(order.order_id, "cancellation asked for")
    asked = (await shop.orders.get(order.order_id)).cancelling
    assert asked is not None
    assert (asked.who, asked.why) == ("ann", REASON)

    async def releasing() -> bool:
        return f"void_payment {order.order_id}" in await shop.attention(order.order_id)

    await shop.until(releasing, "the release of the authorization needs a person")
    async with shop.pool.acquire() as conn:
        await companies.clear_faults(conn)
    await shop.retry(order.order_id, f"void_payment {order.order_id}")
    assert (await cancelling).outcome == "cancelled"
    assert (await placing).outcome == "rejected"
    assert (await shop.result(order.order_id))["outcome"] == "cancelled"
    detail = await shop.orders.get(order.order_id)
    assert detail.cancelling is None
    told = [(event.who, event.why) for event in await shop.orders.events(order.order_id)]
    assert told.count(("ann", REASON)) == 1
    await shop.settled()


async def test_of_an_order_under_way_the_reason_is_told_with_its_units_and_not_twice(
    shop: Shop,
) -> None:
    await shop.stocked("TEA", 2)
    order = an_order(("TEA", 2, "10.00"))
    await shop.placed(order, a_policy(give_up_after=5))
    await shop.aftersales.cancel(order.order_id, CancelRequest(reason=REASON, by="ann"))
    await shop.result(order.order_id)
    assert "cancellation asked for" not in await shop.story(order.order_id)
    events = await shop.orders.events(order.order_id)
    assert [event.who for event in events if event.why == REASON] != []
    await shop.settled()
