"""Exchanges on real servers: two orders, each with its workflow, and the money between them."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import Client

from domain.errors import Refused
from domain.orders.exchange_messages import ExchangeOutcome, ExchangeRequest
from domain.orders.messages import CancelRequest, PayRequest
from domain.orders.order import Order
from domain.orders.return_messages import ReturnGivenUp
from store.aftersales import return_chases
from store.database import Pool
from tests.support.builders import a_policy, an_order, shipping
from tests.support.runs import replay, restless, runs_of
from tests.support.shop import Shop

PATIENT = a_policy(give_up_after=10, return_window=1, pay_within=60)


async def delivered(shop: Shop, *lines: Any, **policy: Any) -> Order:
    await asyncio.gather(*(shop.stocked(sku, 10) for sku in ("TEA", "POT")))
    order = an_order(*lines, shipping=shipping("0"))
    parcel = await shop.placed(order, PATIENT.model_copy(update=policy))
    await shop.drive(parcel, "delivered")
    await shop.heard(order.order_id, "delivered", sum(line[1] for line in lines))
    return order


async def exchange(shop: Shop, order: Order, **request: Any) -> ExchangeOutcome:
    content = {"reason": "too small", "lines": [{"line_id": "1", "quantity": 1}], **request}
    wanted = ExchangeRequest.model_validate(content)
    outcome = await shop.exchanges.exchange(order.order_id, wanted)
    await shop.until(
        lambda: _is(shop, outcome.exchange_order_id, "received", unless=True),
        f"{outcome.exchange_order_id} is decided",
    )
    return outcome


async def _is(shop: Shop, order_id: str, decision: str, *, unless: bool = False) -> bool:
    query = "select decision from customer_order where order_id = $1"
    return bool((await shop.pool.fetchval(query, order_id) == decision) != unless)


async def calls(shop: Shop) -> list[tuple[str, int]]:
    rows = await shop.pool.fetch(
        "select kind, amount_minor from sandbox.payment_call where code is null order by called_at"
    )
    return [(row["kind"], row["amount_minor"]) for row in rows]


async def test_an_equal_exchange_costs_nothing_and_both_orders_close(shop: Shop) -> None:
    order = await delivered(shop, ("TEA", 2, "10.00"))
    # The exchange order is started by the relay alone: whoever agreed may have died since.
    outcome = await exchange(shop, order, request_id="call-1")
    assert await exchange(shop, order, request_id="call-1") == outcome
    other = outcome.exchange_order_id
    assert (await shop.orders.get(other)).summary.state == "held"
    await shop.warehouse.receive_return(outcome.return_id, who="dock")
    assert (await shop.finish(other))["outcome"] == "closed"
    assert (await shop.finish(order.order_id))["outcome"] == "closed"
    assert await calls(shop) == [("authorize", 2000), ("capture", 2000)]
    assert "exchanged" in await shop.story(order.order_id)
    assert "placed as an exchange" in await shop.story(other)
    await shop.settled()


async def test_a_dearer_one_waits_until_the_customer_pays_the_rest(shop: Shop) -> None:
    order = await delivered(shop, ("TEA", 1, "100.00"))
    wants = [{"sku": "POT", "quantity": 1, "unit_price": "250.00"}]
    content = {"reason": "another", "wants": wants, "request_id": "call-1"}
    outcome = await shop.exchanges.exchange(order.order_id, ExchangeRequest.model_validate(content))
    other = outcome.exchange_order_id
    await shop.told(other, "held: payment")
    await shop.warehouse.receive_return(outcome.return_id, who="dock")
    paid = await shop.payments.pay(other, PayRequest(token="tok_ok", provider="sandbox"))
    assert paid.outcome == "accepted"
    await shop.finish(other)
    assert (await calls(shop))[2:] == [("authorize", 15000), ("capture", 15000)]
    await shop.settled()


async def test_an_advance_exchange_whose_original_never_comes_back_is_charged(shop: Shop) -> None:
    order = await delivered(
        shop, ("TEA", 1, "100.00"), return_within=timedelta(seconds=1.5), chases_max=0
    )
    outcome = await exchange(shop, order, mode="advance")
    other = outcome.exchange_order_id
    await shop.knows(other, f"{other}:1")
    await shop.drive(f"{other}:1", "delivered")
    await shop.pool.execute("update order_return set chase_at = now()")
    async with shop.pool.acquire() as conn:
        await return_chases.chase(conn, outcome.return_id)
    assert (await shop.finish(other))["outcome"] == "closed"
    assert (await calls(shop))[2:] == [("authorize", 10000), ("capture", 10000)]
    await shop.settled()


async def test_cancelled_half_way_from_either_side(shop: Shop) -> None:
    order = await delivered(shop, ("TEA", 2, "10.00"), return_window=timedelta(seconds=5))
    first, second = await asyncio.gather(
        exchange(shop, order, request_id="a"), exchange(shop, order, request_id="b")
    )
    with pytest.raises(Refused) as no:
        await exchange(shop, order, request_id="c")
    assert no.value.reason == "more_than_delivered"
    # The customer wants the money after all: the return goes on, and is paid back.
    await shop.aftersales.cancel(first.exchange_order_id, CancelRequest(reason="money instead"))
    await shop.warehouse.receive_return(first.return_id, who="dock")
    # And keeps the other one: nothing is sent for it.
    given_up = ReturnGivenUp(return_id=second.return_id, reason="keeps it")
    await shop.aftersales.cancel_return(order.order_id, given_up)
    for other in (first.exchange_order_id, second.exchange_order_id):
        assert (await shop.result(other))["outcome"] == "cancelled"
    assert (await shop.result(order.order_id))["outcome"] == "closed"
    assert (await calls(shop))[2:] == [("refund", 1000)]
    assert (await shop.level("TEA")).on_hand == 9
    await shop.settled()


async def test_an_exchange_order_waits_for_what_comes_back_over_many_runs(
    pool: Pool, temporal_client: Client
) -> None:
    shop = Shop(pool, restless(temporal_client), PATIENT)
    async with shop.working():
        order = await delivered(shop, ("TEA", 1, "100.00"))
        wants = [{"sku": "POT", "quantity": 1, "unit_price": "130.00"}]
        outcome = await exchange(shop, order, mode="advance", wants=wants)
        other = outcome.exchange_order_id
        await shop.knows(other, f"{other}:1")
        await shop.drive(f"{other}:1", "delivered")
        await shop.told(other, "charged")
        await shop.heard(other, "delivered", 1)
        runs = len(await runs_of(shop, other))
        await shop.workflow(other).signal("nudge")

        async def continued() -> bool:
            return len(await runs_of(shop, other)) > runs

        await shop.until(continued, f"{other} goes on in a new run")
        await shop.warehouse.receive_return(outcome.return_id, who="dock")
        assert (await shop.result(other))["outcome"] == "closed"
        assert (await calls(shop))[2:] == [("authorize", 3000), ("capture", 3000)]
        assert (await shop.story(other)).count("charged") == 2
        await shop.settled()
        await replay(await runs_of(shop, other))
