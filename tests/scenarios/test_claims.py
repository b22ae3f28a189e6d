"""Claims: what is wrong with a delivery is decided once, paid once, and never more than came."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest

from domain.errors import Refused
from domain.orders.claim_messages import ClaimDecision, ClaimOutcome, ClaimRequest
from domain.orders.claim_messages import DecideClaimRequest as Decide
from domain.orders.claim_rules import ClaimRules
from domain.orders.messages import CancelRequest, RefundRequest
from domain.orders.order import Order
from domain.orders.return_messages import ReturnLine, ReturnRequest
from tests.support.builders import a_policy, an_order
from tests.support.shop import Shop

ALONE = ClaimRules(alone_up_to={"USD": Decimal(50)}, alone_per_customer=1)


def one(line_id: str = "1", quantity: int = 1) -> tuple[ReturnLine, ...]:
    return (ReturnLine(line_id=line_id, quantity=quantity),)


async def delivered(shop: Shop, rules: ClaimRules | None = None) -> Order:
    """An order of two units of tea, for 20.00 and 5.00 of shipping, that its customer has."""
    order = an_order(("TEA", 2), customer={"id": "C-77", "name": "Kim Minji"})
    await shop.stocked("TEA", 2)
    policy = a_policy(give_up_after=60, return_window=3)
    policy = policy.model_copy(update={"claims": rules or ClaimRules()})
    await shop.drive(await shop.placed(order, policy), "delivered")
    await shop.heard(order.order_id, "delivered", 2)
    await shop.told(order.order_id, "charged")
    return order


async def claim(shop: Shop, order: Order, kind: str = "damaged", **fields: object) -> ClaimOutcome:
    content = {"kind": kind, "reason": "broken", "by": "ann", **fields}
    return await shop.aftersales.claim(order.order_id, ClaimRequest.model_validate(content))


async def decide(
    shop: Shop, claimed: ClaimOutcome, decision: ClaimDecision, **fields: object
) -> ClaimOutcome:
    content = {"claim_id": claimed.claim_id, "decision": decision, "note": "seen", **fields}
    order_id = claimed.claim_id.split(":")[0]
    return await shop.aftersales.decide_claim(order_id, Decide.model_validate(content))


async def test_a_person_decides_and_the_customer_is_paid_back_once(shop: Shop) -> None:
    order = await delivered(shop)
    made = await claim(shop, order, lines=one(), evidence=["photo 7731"], request_id="c-1")
    assert (made.outcome, made.claim_id) == ("open", f"{order.order_id}:C1")
    again = await claim(shop, order, lines=one(), evidence=["photo 7731"], request_id="c-1")
    assert again == made
    (task,) = await shop.needs_attention.tasks()
    assert (task.kind, task.name) == ("claim", made.claim_id)
    both = await asyncio.gather(
        *(decide(shop, made, "refund", request_id=f"d-{n}", by=f"agent-{n}") for n in range(2)),
        return_exceptions=True,
    )
    (lost,) = [each for each in both if isinstance(each, Refused)]
    assert (lost.reason, lost.instead) == ("claim_decided", ("claim_items", "refund_order"))
    (won,) = [each for each in both if isinstance(each, ClaimOutcome)]
    assert str(won.amount) == "12.50 USD"  # with its share of the shipping
    kept = await shop.claims.get(made.claim_id)
    assert (kept.decision, kept.amount_minor, kept.units) == ("refund", 1250, {"1": 1})
    assert not await shop.needs_attention.tasks()
    await shop.settled()


async def test_units_are_claimed_sent_back_or_paid_back_once(shop: Shop) -> None:
    order = await delivered(shop)
    await claim(shop, order, lines=one())
    with pytest.raises(Refused, match="2 cannot be claimed; 1 can") as no:
        await claim(shop, order, lines=one(quantity=2))
    assert no.value.reason == "more_than_delivered"
    await shop.aftersales.request_return(
        order.order_id, ReturnRequest(reason="too small", lines=one())
    )
    with pytest.raises(Refused) as nothing:
        await claim(shop, order)
    assert nothing.value.reason == "nothing_left"
    await shop.finish(order.order_id)
    await shop.settled()


async def test_a_part_is_paid_and_the_units_stay_the_customers(shop: Shop) -> None:
    order = await delivered(shop)
    made = await claim(shop, order, "wrong", lines=one())
    with pytest.raises(Refused, match="more than what was claimed") as no:
        await decide(shop, made, "part_refund", amount="12.51")
    assert no.value.reason == "more_than_worth"
    paid = await decide(shop, made, "part_refund", percent=30)
    assert str(paid.amount) == "3.75 USD"
    with pytest.raises(Refused, match="1 can"):
        await claim(shop, order, lines=one(quantity=2))
    no_more = await decide(shop, await claim(shop, order, lines=one()), "refused")
    assert (no_more.decision, no_more.amount) == ("refused", None)
    await claim(shop, order, lines=one())  # who was refused may show more
    await shop.settled()


async def test_small_ones_are_decided_by_the_rules_and_the_second_within_a_year_by_a_person(
    shop: Shop,
) -> None:
    order = await delivered(shop, ALONE)
    first = await claim(shop, order, lines=one(), wish="refund")
    assert (first.outcome, str(first.amount)) == ("decided", "12.50 USD")
    second = await claim(shop, order, lines=one(), wish="refund")
    assert (second.outcome, second.decision) == ("open", None)
    assert second.message.endswith("the customer has made 1 claims within a year")
    await shop.settled()


async def test_a_parcel_that_came_too_late_pays_its_shipping_once(shop: Shop) -> None:
    order = await delivered(shop)
    with pytest.raises(Refused) as no:
        await claim(shop, order, "late")
    assert no.value.reason == "promise_kept"
    await shop.pool.execute(
        "update fulfilment set promised_leave = '2026-01-01', promised_on = '2026-01-02' "
        "where order_no = order_no_of($1)",
        order.order_id,
    )
    paid = await claim(shop, order, "late")
    assert (paid.decision, str(paid.amount)) == ("refund", "5.00 USD")
    with pytest.raises(Refused) as twice:
        await claim(shop, order, "late")
    assert twice.value.reason == "already_claimed"
    await shop.settled()


async def test_what_the_customer_never_got_is_claimed_in_time_and_decided_after_the_close(
    shop: Shop,
) -> None:
    early = an_order(("TEA", 1))
    await shop.stocked("TEA", 1)
    parcel = await shop.placed(early, a_policy(give_up_after=60))
    with pytest.raises(Refused) as too_early:
        await claim(shop, early)
    assert too_early.value.reason == "not_delivered"
    await shop.drive(parcel, "delivered")
    await shop.result(early.order_id)
    rules = ClaimRules(within=timedelta(milliseconds=1))
    order = await delivered(shop, rules)
    with pytest.raises(Refused) as over:
        await claim(shop, order)
    assert over.value.reason == "window_over"
    made = await claim(shop, order, "missing", late=True)
    await shop.result(order.order_id)
    kept = await shop.claims.get(made.claim_id)
    assert kept.answer_by is not None
    assert kept.answer_by - kept.since > timedelta(days=6)
    paid = await decide(shop, made, "refund", to="store_credit")
    assert str(paid.amount) == "25.00 USD"
    refused = RefundRequest(amount=Decimal(1), reason="more")
    with pytest.raises(Refused):
        await shop.aftersales.refund(order.order_id, refused)
    await shop.settled()


async def test_others_are_sent_for_free_and_returned_like_the_first_ones(shop: Shop) -> None:
    order = await delivered(shop)
    made = await claim(shop, order, lines=one())
    with pytest.raises(Refused, match="not in stock: 1 of TEA") as none:
        await decide(shop, made, "reship")
    assert (none.value.reason, none.value.instead) == ("not_in_stock", ("decide_claim",))
    await shop.stocked("TEA", 1)
    sent = await decide(shop, made, "reship")
    again = f"{order.order_id}:2"
    assert (sent.decision, sent.fulfilments, sent.amount) == ("reship", (again,), None)
    await shop.drive(again, "delivered")
    await shop.heard(order.order_id, "delivered", 2)
    assert (await shop.level("TEA")).on_hand == 0
    back = ReturnRequest(reason="did not like it", lines=one(quantity=2))
    taken = await shop.aftersales.request_return(order.order_id, back)
    await shop.task("receive-return", taken.return_id or "")
    await shop.warehouse.receive_return(taken.return_id or "", who="kim")
    await shop.settled()
    detail = await shop.orders.get(order.order_id)
    assert detail.summary.refunded_minor == 2500
    documents = await shop.pool.fetch("select kind from document order by issued_at, kind")
    assert [row["kind"] for row in documents] == ["invoice", "credit_note"]


async def test_a_small_claim_is_sent_again_by_the_rules_and_cancelled_it_is_paid_back(
    shop: Shop,
) -> None:
    order = await delivered(shop, ALONE)
    await shop.stocked("TEA", 1)
    sent = await claim(shop, order, lines=one(), wish="reship")
    assert (sent.outcome, sent.fulfilments) == ("decided", (f"{order.order_id}:2",))
    await shop.task("pick", f"{order.order_id}:2")
    cancelled = await shop.aftersales.cancel(
        order.order_id, CancelRequest(reason="no more", lines=one())
    )
    assert cancelled.outcome == "cancelled"
    await shop.settled()
    assert (await shop.orders.get(order.order_id)).summary.refunded_minor == 1250
