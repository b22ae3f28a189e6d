"""Returns by rules: approved, refused, put before a person, given up; end to end."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from domain.aftersales.return_counts import FoundGoods
from domain.aftersales.return_rules import Limit, ReturnRule
from domain.errors import Refused
from domain.orders.return_messages import ReturnAnswer, ReturnGivenUp, ReturnRequest
from domain.stock.items import Item
from tests.support.builders import a_policy, an_order, shipping
from tests.support.shop import Shop


def wanted(*codes: str, **fields: Any) -> ReturnRequest:
    """One unit of each line, with these reasons."""
    lines = [
        {"line_id": f"{number}", "quantity": 1, "reason_code": code}
        for number, code in enumerate(codes, 1)
        if code
    ]
    return ReturnRequest.model_validate({"reason": "not wanted", "lines": lines, **fields})


async def delivered(shop: Shop, *lines: Any, **policy: Any) -> str:
    order = an_order(*lines, shipping=shipping("0"))
    parcel = await shop.placed(order, a_policy(**{"return_window": 60} | policy))
    await shop.drive(parcel, "delivered")
    await shop.heard(order.order_id, "delivered", sum(line[1] for line in lines))
    return order.order_id


def answer(return_id: str | None, decision: str, **fields: Any) -> ReturnAnswer:
    return ReturnAnswer.model_validate(
        {"return_id": return_id, "decision": decision, "note": "as it is", **fields}
    )


async def test_rules_refuse_approve_and_ask_a_person_who_decides(shop: Shop) -> None:
    await shop.stocked("TEA", 20)
    await shop.stocked("GEM", 20)
    await shop.catalogue.set_items([Item(sku="TEA", category="food")])
    limit = Limit(amount=Decimal("100.00"), currency="USD")
    await shop.returns.set_rules(
        [ReturnRule(review_above=limit), ReturnRule(category="food", final_sale=True)]
    )
    order_id = await delivered(shop, ("TEA", 3, "10.00"), ("GEM", 3, "120.00"))
    ask, decide = shop.aftersales.request_return, shop.aftersales.decide_return
    with pytest.raises(Refused) as no:
        await ask(order_id, wanted("changed_mind"))
    assert (no.value.reason, no.value.instead) == ("final_sale", ("refund_order",))
    torn = await ask(order_id, wanted("damaged"))
    assert (torn.outcome, torn.return_id) == ("approved", f"{order_id}:R1")

    # A person is asked once, and the answer is one for all.
    first = await ask(order_id, wanted("", "did_not_fit", request_id="call-1"))
    assert await ask(order_id, wanted("", "did_not_fit", request_id="call-1")) == first
    assert (first.outcome, first.asks) == ("requested", ("worth_more",))
    (listed,) = await shop.returns.list(state="requested")
    assert (listed.return_id, listed.lines[0].reason_code) == (first.return_id, "did_not_fit")
    (attention,) = (await shop.orders.get(order_id)).attention
    assert attention.step == f"decide_return {first.return_id}"
    refusal = await decide(order_id, answer(first.return_id, "refuse", request_id="d1"))
    assert refusal.outcome == "refused"
    assert await decide(order_id, answer(first.return_id, "refuse", request_id="d1")) == refusal
    assert (await shop.orders.get(order_id)).attention == ()
    with pytest.raises(Refused) as no:
        await decide(order_id, answer(first.return_id, "approve"))
    assert no.value.reason == "return_refused"
    assert (await shop.returns.get(first.return_id or "")).ended_because == "as it is"

    # What was refused can be asked for again, and what is approved is expected and paid back.
    second = await ask(order_id, wanted("", "defective"))
    approved = await decide(order_id, answer(second.return_id, "approve"))
    assert approved.outcome == "approved"
    await shop.warehouse.receive_return(second.return_id or "", who="dock")
    await shop.told(order_id, "refunded")
    # A return that is given up holds its units no longer.
    kept = ReturnGivenUp(return_id=torn.return_id or "", reason="keeps it")
    assert (await shop.aftersales.cancel_return(order_id, kept)).outcome == "cancelled"
    everything = await ask(order_id, wanted(reason_code="damaged"))
    assert {each.line_id: each.quantity for each in everything.lines} == {"1": 3, "2": 2}
    await decide(order_id, answer(everything.return_id, "approve"))
    await shop.warehouse.receive_return(everything.return_id or "", who="dock")
    await shop.settled()
    summary = (await shop.orders.get(order_id)).summary
    assert summary.refunded_minor == summary.total_minor
    states = {each.return_id[-2:]: each.state for each in await shop.returns.list()}
    assert states == {"R1": "closed", "R2": "refused", "R3": "refunded", "R4": "refunded"}


async def test_an_order_that_has_come_back_is_not_opened_for_another_return(shop: Shop) -> None:
    await shop.stocked("TEA", 5)
    order_id = await delivered(shop, ("TEA", 2, "10.00"), return_window=600)
    back = await shop.aftersales.request_return(order_id, wanted())
    await shop.warehouse.receive_return(back.return_id or "", who="dock")
    assert (await shop.result(order_id))["outcome"] == "closed"
    story = await shop.story(order_id)
    with pytest.raises(Refused, match="nothing can be changed") as refused:
        await shop.aftersales.request_return(order_id, wanted())
    assert refused.value.reason == "order_closed"
    assert await shop.story(order_id) == story
    await shop.settled()


async def test_a_longer_window_of_a_rule_opens_an_order_that_is_closed(shop: Shop) -> None:
    await shop.stocked("BOOT", 5)
    order_id = await delivered(shop, ("BOOT", 2, "50.00"), return_window=0.5)
    assert (await shop.result(order_id))["outcome"] == "closed"
    # The worker's clock can close an order some moments before its window ends by the door's.
    await asyncio.sleep(0.5)
    with pytest.raises(Refused, match="nothing can be changed"):
        await shop.aftersales.request_return(order_id, wanted("did_not_fit"))
    await shop.catalogue.set_items([Item(sku="BOOT", category="shoes")])
    await shop.returns.set_rules([ReturnRule(category="shoes", window_days=100)])
    back = await shop.aftersales.request_return(order_id, wanted("did_not_fit"))
    assert back.outcome == "approved"
    await asyncio.gather(
        shop.warehouse.receive_return(back.return_id or "", who="dock"), shop.result(order_id)
    )
    await shop.settled()
    assert (await shop.orders.get(order_id)).summary.refunded_minor == 5000


async def test_a_return_is_paid_back_when_a_carrier_has_it_and_counted_when_it_comes(
    shop: Shop,
) -> None:
    await shop.stocked("TEA", 5)
    await shop.returns.set_rules([ReturnRule(label="free", instant_refund="always")])
    order_id = await delivered(shop, ("TEA", 2, "10.00"), return_window=600)
    back = (await shop.aftersales.request_return(order_id, wanted())).return_id or ""
    await shop.told(order_id, "return label bought")
    label = (await shop.returns.get(back)).label
    assert label is not None
    for event in ("one", "two"):
        await shop.carriers.event(
            carrier=label.carrier or "",
            tracking_number=label.tracking_number or "",
            event_id=event,
            status="in_transit",
        )
    await shop.told(order_id, "refunded")
    assert (await shop.returns.get(back)).state == "in_transit"
    await shop.warehouse.receive_return(back, who="dock")
    assert (await shop.result(order_id))["outcome"] == "closed"
    await shop.settled()
    assert (await shop.returns.get(back)).state == "refunded"
    assert (await shop.orders.get(order_id)).summary.refunded_minor == 2000


async def test_a_parcel_that_nobody_announced_is_a_return_by_the_rules_or_a_persons_task(
    shop: Shop,
) -> None:
    await shop.stocked("TEA", 5)
    order_id = await delivered(shop, ("TEA", 2, "10.00"), return_window=0.5)
    assert (await shop.result(order_id))["outcome"] == "closed"
    goods = [FoundGoods(sku="TEA", quantity=1)]
    dock = shop.unannounced
    found = await dock.receive(order_id, goods, location="main", order_id=order_id, who="dock")
    with pytest.raises(Refused) as no:
        await dock.take(found.parcel_no, who="dock")
    assert no.value.reason == "order_closed", "the window is over"
    (waits,) = [x for x in await dock.list(open_only=True) if x.order_id == order_id]
    assert "late return" in (waits.why or "")
    taken = await dock.take(found.parcel_no, late=True, who="ann")
    assert taken.return_id == f"{order_id}:R1"
    await shop.told(order_id, "refunded")
    await shop.settled()
    assert (await shop.returns.get(taken.return_id)).state == "refunded"
    assert (await dock.take(found.parcel_no, who="ann")).return_id == taken.return_id
