"""Hard cases of customer service: cancellations and returns, in the middle of everything."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from random import Random
from typing import Any

import pytest

from activities.providers.sandbox.payment import Card
from domain.errors import IllegalTransition, InvalidInput, Refused
from domain.orders.messages import CancelOutcome, CancelRequest
from domain.orders.order import Order
from domain.orders.return_messages import ReturnLine, ReturnRequest
from store.aftersales.returns import Counted
from tests.support.builders import a_policy, an_order, shipping
from tests.support.shop import Shop

PATIENT = {"give_up_after": 60, "return_window": 60}


def lines(**units: int) -> tuple[ReturnLine, ...]:
    """`lines(_1=2)`: two units of line 1."""
    return tuple(ReturnLine(line_id=k.strip("_"), quantity=n) for k, n in units.items())


def cancel(reason: str = "changed my mind", **fields: Any) -> CancelRequest:
    return CancelRequest(reason=reason, **fields)


async def kinds(shop: Shop, order: Order) -> dict[str, int]:
    """Kind of payment → what it comes to at the payment company."""
    found: Counter[str] = Counter()
    for done in await shop.payment.operations(order.order_id):
        found[done.kind] += done.amount.minor
    return dict(found)


async def delivered(shop: Shop, order: Order, units: int, **policy: float) -> str:
    """Place an order and deliver its one parcel. Returns the parcel's id."""
    parcel = await shop.placed(order, a_policy(**PATIENT | policy))
    await shop.drive(parcel, "delivered")
    await shop.heard(order.order_id, "delivered", units)
    await shop.told(order.order_id, "charged")
    return parcel


# Cancel races ship -------------------------------------------------------------------------------


async def collide(shop: Shop, random: Random, order: Order) -> list[CancelOutcome]:
    """Bring an order to a random point, and there let work and cancellations happen at once."""
    order_id = order.order_id
    parcel = f"{order_id}:1"
    point = random.choice(["placing", "pick", "pack", "label", "hand over", "scan"])

    async def work() -> None:
        await asyncio.sleep(random.random() * 0.03)
        match point:
            case "pick":
                await shop.warehouse.pick(parcel, who="picker")
            case "pack" | "label":
                await shop.warehouse.pack(parcel, who="packer")
            case "hand over":
                await shop.warehouse.hand_over(parcel, who="packer")
            case "scan":
                await shop.scan(parcel, "in_transit")

    async def ask(number: int) -> CancelOutcome:
        wanted = random.choice([(), (), lines(_1=1), lines(_1=2, _2=1), lines(_2=2)])
        request = cancel(lines=wanted, request_id=f"C-{number}")
        await asyncio.sleep(random.random() * 0.08)
        first, again = await asyncio.gather(
            *(shop.aftersales.cancel(order_id, request) for _ in range(2))
        )
        assert first == again
        return first

    placing = asyncio.create_task(shop.placed(order))
    if point == "placing":
        await shop.until(lambda: exists(shop, order_id), f"{order_id} exists")
    else:
        await placing
        ready = {"pick": "confirmed", "pack": "picked", "label": "picked"}.get(point, "labelled")
        await shop.drive(parcel, ready)  # type: ignore[arg-type]  # a stage
        if ready == "confirmed":
            await shop.task("pick", parcel)
    asking = [ask(number) for number in range(random.randint(1, 2))]
    outcomes = await asyncio.gather(*asking, work(), placing, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException) and not isinstance(outcome, IllegalTransition):
            assert isinstance(outcome, Refused), outcome
            # All was cancelled a moment ago, or the label was given back.
            assert re.search("nothing can be changed|no parcel has", str(outcome)), outcome
    return [outcome for outcome in outcomes if isinstance(outcome, CancelOutcome)]


async def exists(shop: Shop, order_id: str) -> bool:
    async with shop.pool.acquire() as conn:
        return bool(
            await conn.fetchval("select true from customer_order where order_id = $1", order_id)
        )


@pytest.mark.parametrize("seed", [22])
async def test_s22_each_unit_is_cancelled_or_shipped_and_the_caller_is_told_which(
    shop: Shop, seed: int
) -> None:
    random = Random(seed)
    await shop.stocked("TEA", 500)
    await shop.stocked("MUG", 500)
    shop.carrier._slow_seconds = 0.1
    orders = [
        an_order(
            ("TEA", 3),
            ("MUG", 2),
            token=random.choice([Card.OK, Card.SLOW]),
            shipping=shipping("5.00", service=random.choice(["standard", "slow"])),
        )
        for _ in range(12)
    ]
    shop.payment._slow_seconds = 0.1
    told = await asyncio.gather(*(collide(shop, random, order) for order in orders))
    async with shop.staffed():
        await shop.settled()
    for order, outcomes in zip(orders, told, strict=True):
        cancelled: Counter[str] = Counter()
        for outcome in outcomes:
            cancelled.update({units.line_id: units.quantity for units in outcome.cancelled})
            assert outcome.return_offered == any("handed over" in u.why for u in outcome.refused)
        for line in (await shop.orders.get(order.order_id)).lines:
            assert line.cancelled + line.delivered == line.ordered
            assert line.cancelled == cancelled[line.line_id], (order.order_id, outcomes)


# Cancel while money moves ------------------------------------------------------------------------


async def test_s23_a_cancellation_while_the_payment_is_authorized_waits_and_then_releases_it(
    shop: Shop,
) -> None:
    await shop.stocked("TEA", 9)
    order = an_order(("TEA", 2), token=Card.SLOW)
    placing = asyncio.create_task(shop.orders.place(order))

    async def asked() -> bool:
        return bool(await shop.payment.operations(order.order_id))

    await shop.until(asked, "the company has set it aside, and has not answered")
    outcome = await shop.aftersales.cancel(order.order_id, cancel())
    assert outcome.outcome == "cancelled"
    assert (await placing).outcome == "confirmed"
    await shop.settled()
    assert await kinds(shop, order) == {"authorize": 25_00, "void": 25_00}


async def test_s23_a_cancellation_during_a_charge_is_told_of_the_return_and_the_charge_completes(
    shop: Shop,
) -> None:
    await shop.stocked("TEA", 9)
    order = an_order(("TEA", 2))
    shop.faults.hold("charge_payment")
    parcel = await shop.placed(order, a_policy(**PATIENT))
    await shop.drive(parcel, "shipped")
    await asyncio.wait_for(shop.faults.reached["charge_payment"].wait(), 10)
    outcome = await shop.aftersales.cancel(order.order_id, cancel())
    assert (outcome.outcome, outcome.return_offered) == ("refused", True)
    shop.faults.release("charge_payment")
    await shop.scan(parcel, "delivered")
    await shop.told(order.order_id, "charged")
    await shop.heard(order.order_id, "delivered", 2)
    await shop.aftersales.request_return(order.order_id, ReturnRequest(reason="as I said"))
    await shop.warehouse.receive_return(f"{order.order_id}:R1", who="receiver")
    await shop.settled()
    assert await kinds(shop, order) == {"authorize": 25_00, "capture": 25_00, "refund": 25_00}


@pytest.mark.parametrize("ending", ["returned", "lost", "undeliverable"])
async def test_s23_a_refund_that_is_due_during_the_charge_waits_for_it_and_for_no_person(
    shop: Shop, ending: str
) -> None:
    await shop.stocked("TEA", 2)  # none is left to replace a loss
    order = an_order(("TEA", 2))
    shop.faults.hold("charge_payment")
    parcel = await shop.placed(order, a_policy(**PATIENT))
    await shop.drive(parcel, "shipped")
    await asyncio.wait_for(shop.faults.reached["charge_payment"].wait(), 10)
    match ending:
        case "returned":
            await shop.scan(parcel, "delivered")
            await shop.heard(order.order_id, "delivered", 2)
            await shop.aftersales.request_return(order.order_id, ReturnRequest(reason="no"))
            await shop.warehouse.receive_return(f"{order.order_id}:R1", who="receiver")
        case "lost":
            await shop.scan(parcel, "failure")
        case "undeliverable":
            await shop.scan(parcel, "return_to_sender")
            await shop.task("receive-return", f"{order.order_id}:R1")
            await shop.warehouse.receive_return(f"{order.order_id}:R1", who="receiver")
    counted = {"returned": "returned", "lost": "lost", "undeliverable": "cancelled"}
    await shop.heard(order.order_id, counted[ending], 2)
    await asyncio.sleep(0.5)  # long enough for a refund before the charge to be refused
    story = await shop.story(order.order_id)
    shop.faults.release("charge_payment")
    assert not any("attention" in what for what in story)
    await shop.settled()
    assert await kinds(shop, order) == {"authorize": 25_00, "capture": 25_00, "refund": 25_00}


# Cancel with a label -----------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["update", "signal"])
async def test_s24_after_the_label_was_bought_it_is_voided_and_the_goods_are_put_back(
    shop: Shop, by: str
) -> None:
    await shop.stocked("TEA", 9)
    order = an_order(("TEA", 2))
    parcel = await shop.placed(order)
    await shop.drive(parcel, "labelled")
    if by == "update":
        outcome = await shop.aftersales.cancel(order.order_id, cancel())
        assert (outcome.outcome, outcome.refused) == ("cancelled", ())
    else:
        await shop.workflow(order.order_id).signal("cancel", {"reason": "changed my mind"})
    await shop.settled()
    story = await shop.story(order.order_id)
    assert [what for what in story if what in ("label voided", "units freed", "cancelled")] == [
        *("label voided", "units freed", "cancelled", "cancelled")  # the units, then the order
    ]
    level = await shop.level("TEA")
    assert (level.on_hand, level.allocated) == (9, 0)
    with pytest.raises(IllegalTransition, match="put the goods back"):
        await shop.warehouse.hand_over(parcel, who="packer")


async def test_s24_while_the_label_is_being_bought_its_outcome_is_awaited_and_given_back(
    shop: Shop,
) -> None:
    await shop.stocked("TEA", 9)
    order = an_order(("TEA", 2), shipping=shipping("5.00", service="slow"))
    parcel = await shop.placed(order)
    await shop.drive(parcel, "packed")

    async def sold() -> bool:
        async with shop.pool.acquire() as conn:
            return bool(await conn.fetchval("select count(*) from sandbox.label"))

    await shop.until(sold, "the carrier has sold the label, and has not answered")
    outcome = await shop.aftersales.cancel(order.order_id, cancel())
    assert outcome.outcome == "cancelled"
    await shop.settled()
    assert "label voided" in await shop.story(order.order_id)


async def test_s24_a_label_that_is_refused_while_its_units_are_cancelled_cancels_them_once(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    await shop.stocked("TEA", 9)
    await shop.placed(an_order(("TEA", 3)))  # has claims of its own, which must not be touched
    real, asked, let_go = shop.carrier.buy_label, asyncio.Event(), asyncio.Event()

    async def slow(**content: Any) -> Any:
        asked.set()
        await let_go.wait()
        return await real(**content)

    monkeypatch.setattr(shop.carrier, "buy_label", slow)
    order = an_order(("TEA", 2), shipping=shipping("5.00", postal_code="NOWHERE"))
    parcel = await shop.placed(order)
    await shop.drive(parcel, "packed")
    await asyncio.wait_for(asked.wait(), 10)
    cancelling = asyncio.create_task(shop.aftersales.cancel(order.order_id, cancel()))

    async def recalled() -> bool:
        (fulfilment,) = (await shop.orders.get(order.order_id)).fulfilments
        return fulfilment.recalled_from is not None

    await shop.until(recalled, "the cancellation has stopped the parcel")
    let_go.set()
    outcome = await asyncio.wait_for(cancelling, 10)
    assert [(u.line_id, u.quantity) for u in outcome.cancelled] == [("1", 2)]
    assert (await shop.result(order.order_id))["outcome"] == "cancelled"
    level = await shop.level("TEA")
    assert (level.on_hand, level.allocated) == (9, 3)


# Too late to cancel ------------------------------------------------------------------------------


async def test_s25_after_hand_over_the_caller_is_told_and_offered_the_return(shop: Shop) -> None:
    await shop.stocked("TEA", 2, "east")
    await shop.stocked("MUG", 1, "west")
    order = an_order(("TEA", 2), ("MUG", 1))
    first = await shop.placed(order, a_policy(**PATIENT))
    await shop.drive(first, "shipped")
    outcome = await shop.aftersales.cancel(order.order_id, cancel())
    assert (outcome.outcome, outcome.return_offered) == ("partly_cancelled", True)
    assert [(u.line_id, u.quantity) for u in outcome.cancelled] == [("2", 1)]
    (refused,) = outcome.refused
    assert (refused.line_id, refused.quantity) == ("1", 2)
    assert "request a return" in refused.why
    assert "1 unit cancelled; line 1: 2 already handed over" in outcome.message
    # A signal has no answer, but leaves its refusal in the story.
    await shop.workflow(order.order_id).signal("cancel", {"reason": "again"})
    await shop.told(order.order_id, "cancel refused")
    # The way that was offered can be gone.
    await shop.told(order.order_id, "charged")
    await shop.scan(first, "delivered")
    await shop.heard(order.order_id, "delivered", 2)
    await shop.aftersales.request_return(order.order_id, ReturnRequest(reason="as offered"))
    await shop.warehouse.receive_return(f"{order.order_id}:R1", who="receiver")
    await shop.settled()
    paid = await kinds(shop, order)
    assert paid["capture"] == paid["refund"]


# Returns -----------------------------------------------------------------------------------------


async def test_s26_a_return_that_the_rules_do_not_allow_is_refused_with_the_reason(
    shop: Shop,
) -> None:
    await shop.stocked("TEA", 3, "east")
    await shop.stocked("MUG", 1, "west")
    order = an_order(("TEA", 3), ("MUG", 1))
    first = await shop.placed(order, a_policy(**PATIENT | {"return_window": 2}))
    ask = shop.aftersales.request_return
    with pytest.raises(Refused, match="nothing has been delivered yet; cancel"):
        await ask(order.order_id, ReturnRequest(reason="no"))
    await shop.drive(first, "delivered")
    await shop.heard(order.order_id, "delivered", 3)
    for wanted, error, message in (
        (lines(_1=4), Refused, "4 cannot be returned; 3 of 3 delivered units can"),
        (lines(_2=1), Refused, "1 cannot be returned; 0 of 0 delivered units can"),
        (lines(_1=1, _7=1), InvalidInput, r"lines\[1\]: there is no line 7; the order has 1, 2"),
        ((*lines(_1=1), *lines(_1=1)), InvalidInput, "line 1 is named twice"),
    ):
        with pytest.raises(error, match=message):
            await ask(order.order_id, ReturnRequest(reason="no", lines=wanted))
    approved = await ask(order.order_id, ReturnRequest(reason="no", lines=lines(_1=2)))
    assert approved.outcome == "approved"
    with pytest.raises(Refused, match="2 cannot be returned; 1 of 3"):
        await ask(order.order_id, ReturnRequest(reason="no", lines=lines(_1=2)))
    # The mug is still at the warehouse, so the order is open; the window of the tea is over.
    await asyncio.sleep(2)
    with pytest.raises(
        Refused, match=r"the return window ended on .*; customer service can take it"
    ):
        await ask(order.order_id, ReturnRequest(reason="no", lines=lines(_1=1)))
    await shop.warehouse.receive_return(f"{order.order_id}:R1", who="receiver")
    await shop.finish(order.order_id)
    with pytest.raises(Refused, match=r"is closed since .* nothing can be changed"):
        await ask(order.order_id, ReturnRequest(reason="no"))
    await shop.settled()


async def test_s26_returns_at_once_never_take_back_more_than_was_delivered(shop: Shop) -> None:
    await shop.stocked("TEA", 5)
    order = an_order(("TEA", 5))
    await delivered(shop, order, 5)
    wanted = [2, 1, 3, 2, 1, 4, None]
    requests = [
        ReturnRequest(
            reason="no", lines=(ReturnLine(line_id="1", quantity=n),), request_id=f"R-{number}"
        )
        for number, n in enumerate(wanted)
    ]
    outcomes = await asyncio.gather(
        *(shop.aftersales.request_return(order.order_id, request) for request in requests * 2),
        return_exceptions=True,
    )
    assert all(not isinstance(o, BaseException) or isinstance(o, Refused) for o in outcomes)
    approved = {
        str(outcome.return_id): {units.line_id: units.quantity for units in outcome.lines}
        for outcome in outcomes
        if not isinstance(outcome, BaseException)
    }
    assert sum(units["1"] for units in approved.values()) == 5
    # What is on record, and will be counted at the warehouse, is what was answered.
    returns = (await shop.orders.get(order.order_id)).returns
    assert {
        r.return_id: {k: n["quantity"] for k, n in r.lines.items()} for r in returns
    } == approved
    for return_id in approved:
        await shop.warehouse.receive_return(return_id, who="receiver")
    await shop.settled()
    assert await kinds(shop, order) == {"authorize": 55_00, "capture": 55_00, "refund": 55_00}


async def test_s27_when_2_of_3_returned_units_arrive_2_are_paid_back(shop: Shop) -> None:
    await shop.stocked("TEA", 3)
    order = an_order(("TEA", 3), shipping=shipping("0"))
    await delivered(shop, order, 3, return_window=2)
    await shop.aftersales.request_return(order.order_id, ReturnRequest(reason="no"))
    counted = {"1": Counted(restocked=1, scrapped=1)}
    outcome = await shop.warehouse.receive_return(f"{order.order_id}:R1", counted, who="receiver")
    assert outcome["missing"] == {"1": 1}
    await shop.told(order.order_id, "refunded")
    assert (await kinds(shop, order))["refund"] == 20_00
    # The third is still the customer's: it may come yet.
    again = await shop.aftersales.request_return(order.order_id, ReturnRequest(reason="found it"))
    assert [(u.line_id, u.quantity) for u in again.lines] == [("1", 1)]
    await shop.warehouse.receive_return(
        f"{order.order_id}:R2", {}, who="receiver"
    )  # an empty parcel
    await shop.settled()
    assert (await kinds(shop, order))["refund"] == 20_00
    assert (await shop.level("TEA")).on_hand == 1
