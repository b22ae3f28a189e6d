"""A closed order takes what comes late: goodwill, a claim, a return; then it is closed again."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from activities.orders.retention import EndedOrders
from domain.errors import Refused
from domain.orders.messages import CancelRequest, RefundRequest
from domain.orders.return_messages import ReturnRequest
from starter.service.resuming import LostOrders
from tests.support.builders import an_order, shipping
from tests.support.shop import Shop
from tests.workflows.lives import BRISK


async def a_closed_order(shop: Shop) -> str:
    """Three teas, delivered and charged, whose return window is over."""
    await shop.stocked("TEA", 10)
    order = an_order(("TEA", 3, "10.00"), shipping=shipping("0"))
    parcel = await shop.placed(order, BRISK)
    await shop.drive(parcel, "delivered")
    assert (await shop.result(order.order_id))["outcome"] == "closed"
    return order.order_id


def goodwill(amount: str, **fields: str) -> RefundRequest:
    return RefundRequest.model_validate({"reason": "sorry", "amount": amount, **fields})


def sent_back(quantity: int, **fields: Any) -> ReturnRequest:
    line = {"line_id": "1", "quantity": quantity}
    return ReturnRequest.model_validate({"reason": "broken", "lines": [line], **fields})


async def ended_again(shop: Shop, order_id: str, refunded: int) -> None:
    """Its late run has ended, so much was paid back in all, and every record agrees."""
    assert (await shop.result(order_id))["outcome"] == "closed"
    summary = (await shop.orders.get(order_id)).summary
    assert (summary.state, summary.refunded_minor) == ("closed", refunded)
    await shop.settled()


async def test_goodwill_and_a_claim_are_paid_after_the_end(shop: Shop) -> None:
    order_id = await a_closed_order(shop)
    outcome = await shop.aftersales.refund(order_id, goodwill("2.00"))
    assert outcome.outcome == "refunded"
    await ended_again(shop, order_id, 200)
    claim = RefundRequest.model_validate(
        {"reason": "arrived broken", "lines": [{"line_id": "1", "quantity": 1}]}
    )
    assert (await shop.aftersales.refund(order_id, claim)).outcome == "refunded"
    await ended_again(shop, order_id, 1200)
    with pytest.raises(Refused):  # no more than was paid
        await shop.aftersales.refund(order_id, goodwill("29.00"))


async def test_a_late_return_is_taken_where_somebody_says_so(shop: Shop) -> None:
    order_id = await a_closed_order(shop)
    with pytest.raises(Refused, match=r"is closed since .*, but for a late return"):
        await shop.aftersales.request_return(order_id, sent_back(2))
    approved = await shop.aftersales.request_return(order_id, sent_back(2, late=True))
    assert approved.return_id is not None
    assert (await shop.orders.get(order_id)).summary.state == "closed"
    assert (await shop.audit(patience=timedelta(seconds=5))).clean, "its workflow has to run"
    await shop.task("receive-return", approved.return_id)
    await shop.warehouse.receive_return(approved.return_id, who="receiver")
    await ended_again(shop, order_id, 2000)
    assert (await shop.level("TEA")).on_hand == 9
    await EndedOrders(shop.pool, timedelta(0)).forget()
    assert await shop.pool.fetchval("select count(*) from effect") == 0, "it has ended again"


async def test_what_comes_so_late_that_the_steps_are_forgotten_is_done_once(shop: Shop) -> None:
    order_id = await a_closed_order(shop)
    early = goodwill("1.00", request_id="r1")
    first = await shop.aftersales.refund(order_id, early)
    await ended_again(shop, order_id, 100)
    await EndedOrders(shop.pool, timedelta(0)).forget()
    assert await shop.aftersales.refund(order_id, early) == first
    again = sent_back(1, late=True, request_id="r2")
    approved = await shop.aftersales.request_return(order_id, again)
    await EndedOrders(shop.pool, timedelta(0)).forget()
    assert await shop.aftersales.request_return(order_id, again) == approved
    assert approved.return_id is not None
    await shop.warehouse.receive_return(approved.return_id, who="receiver")
    await ended_again(shop, order_id, 1100)


async def test_requests_that_come_at_once_are_all_met(shop: Shop) -> None:
    order_id = await a_closed_order(shop)
    refunds, approved = await asyncio.gather(
        asyncio.gather(*(shop.aftersales.refund(order_id, goodwill("1.00")) for _ in range(3))),
        shop.aftersales.request_return(order_id, sent_back(1, late=True)),
    )
    assert [refund.outcome for refund in refunds] == ["refunded"] * 3
    assert approved.return_id is not None
    await shop.warehouse.receive_return(approved.return_id, who="receiver")
    await ended_again(shop, order_id, 1300)


async def test_a_late_return_whose_run_is_lost_is_found_and_taken_up(shop: Shop) -> None:
    order_id = await a_closed_order(shop)
    approved = await shop.aftersales.request_return(order_id, sent_back(2, late=True))
    assert approved.return_id is not None
    await shop.workflow(order_id).terminate()
    await shop.warehouse.receive_return(approved.return_id, who="receiver")
    (violation,) = (await shop.audit(patience=timedelta(seconds=0.1))).violations
    assert (violation.rule, violation.subject) == ("liveness", order_id)
    lost = LostOrders(shop.pool, shop.temporal, shop.task_queue)
    taken = [one async for one in lost.take_up_all(timedelta(0))]
    assert [(one.subject, one.outcome) for one in taken] == [(order_id, "resumed")]
    await ended_again(shop, order_id, 2000)
    assert [one async for one in lost.take_up_all(timedelta(0))] == []
    with pytest.raises(Refused, match="closed"):
        await lost.take_up(order_id, timedelta(0))


async def test_an_order_that_was_cancelled_or_is_only_to_be_cancelled_is_left_alone(
    shop: Shop,
) -> None:
    order_id = await a_closed_order(shop)
    for _ in range(2):
        with pytest.raises(Refused, match="is closed since"):
            await shop.aftersales.cancel(order_id, CancelRequest(reason="too late"))
    order = an_order(("TEA", 1, "10.00"))
    await shop.placed(order, BRISK)
    await shop.aftersales.cancel(order.order_id, CancelRequest(reason="changed my mind"))
    await shop.result(order.order_id)
    with pytest.raises(Refused, match="is cancelled since"):
        await shop.aftersales.refund(order.order_id, goodwill("1.00"))
