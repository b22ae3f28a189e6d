"""The fakes take and decide claims as the real activities do; see test_contract.py."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from activities.fulfilment.contracts import Part
from activities.stock.claim_contracts import ClaimAnswer, DecideClaim, MakeClaim
from domain.orders.claim_messages import ClaimRequest, DecideClaimRequest
from domain.orders.claim_rules import ClaimRules
from domain.orders.order import Order
from tests.simulation.both_worlds import World
from tests.simulation.test_contract import confirmed, left, twice, world
from tests.support.bench import charging, sending
from tests.support.builders import an_order

__all__ = ["world"]

ALONE = ClaimRules(alone_up_to={"USD": Decimal(50)}, alone_per_customer=9)


async def delivered(world: World, order: Order, on_the_shelf: int = 9) -> str:
    """The customer has all of it. Returns its fulfilment's id."""
    part = await left(world, order, await confirmed(world, order, on_the_shelf))
    await world.do("charge_payment", charging(part))
    await world.arrive(part, "delivered")
    await world.do("await_delivery", Part(fulfilment_id=part))
    return part


async def claim(
    world: World, order: Order, request_id: str, rules: ClaimRules | None = None, **fields: Any
) -> ClaimAnswer:
    content = {"kind": "damaged", "reason": "broken", **fields}
    ask = MakeClaim(
        order_id=order.order_id,
        request_id=request_id,
        request=ClaimRequest.model_validate(content),
        rules=rules or ClaimRules(),
    )
    answer: ClaimAnswer = await twice(world, "make_claim", ask)
    return answer


async def decide(
    world: World,
    order: Order,
    request_id: str,
    decision: str,
    number: int = 1,
    turn: str = "",
    **fields: Any,
) -> ClaimAnswer:
    content = {"claim_id": f"{order.order_id}:C{number}", "decision": decision, "note": "seen"}
    ask = DecideClaim(
        order_id=order.order_id,
        request_id=request_id,
        request=DecideClaimRequest.model_validate({**content, **fields}),
        rules=ClaimRules(),
        turn=turn or request_id,
    )
    answer: ClaimAnswer = await twice(world, "decide_claim", ask)
    return answer


def one(quantity: int = 1) -> list[dict[str, Any]]:
    return [{"line_id": "1", "quantity": quantity}]


def reason(answer: ClaimAnswer) -> str:
    assert answer.refused is not None
    return answer.refused.reason


async def test_a_claim_waits_is_decided_once_and_pays_for_its_units(world: World) -> None:
    order = an_order(("TEA", 3))
    await delivered(world, order)
    made = (await claim(world, order, "c1", lines=one(2))).outcome
    assert made is not None
    assert (made.outcome, made.claim_id) == ("open", f"{order.order_id}:C1")
    assert reason(await claim(world, order, "c2", lines=one(2))) == "more_than_delivered"
    paid = await decide(world, order, "d1", "refund")
    assert paid.refund is not None
    assert (paid.refund.refund_id, paid.refund.amount.minor) == (f"{order.order_id}:C1", 23_34)
    assert reason(await decide(world, order, "d2", "refund")) == "claim_decided"
    part = await claim(world, order, "c3")  # all that is left
    assert part.outcome is not None
    assert [(x.line_id, x.quantity) for x in part.outcome.lines] == [("1", 1)]
    half = await decide(world, order, "d3", "part_refund", 2, percent=50)
    assert half.refund is not None
    assert half.refund.amount.minor == 583
    assert reason(await claim(world, order, "c4")) == "nothing_left"


async def test_others_are_sent_if_all_are_there_and_never_again_charged(world: World) -> None:
    order = an_order(("TEA", 3))
    await delivered(world, order, on_the_shelf=4)
    await claim(world, order, "c1", lines=one(2))
    assert reason(await decide(world, order, "d1", "reship")) == "not_in_stock"
    assert await world.shelf("TEA") == (1, 0)
    await world.goods_come("TEA", 1)
    again = (await decide(world, order, "d2", "reship")).sent_again
    assert [(x.fulfilment_id, x.units) for x in again] == [(f"{order.order_id}:2", {"1": 2})]
    assert await world.shelf("TEA") == (2, 2)
    part = again[0].fulfilment_id
    await world.pick(part)
    await world.pack(part)
    await world.do("pick_pack_ship", sending(part))
    await world.hand_over(part)
    sent = await world.do("pick_pack_ship", sending(part))
    assert (sent.outcome, sent.due_minor) == ("shipped", 0)


async def test_the_rules_decide_alone_and_leave_to_a_person_what_is_not_there(world: World) -> None:
    order = an_order(("TEA", 3))
    await delivered(world, order, on_the_shelf=3)
    lacks = (await claim(world, order, "c1", ALONE, lines=one(), wish="reship")).outcome
    assert lacks is not None
    assert lacks.outcome == "open"
    paid = await claim(world, order, "c2", ALONE, lines=one(), wish="refund")
    assert paid.outcome is not None
    assert (paid.outcome.decision, paid.refund is not None) == ("refund", True)
    assert reason(await claim(world, order, "c3", kind="late")) == "promise_kept"


async def test_claimed_units_are_asked_back_once_and_owed_nothing_for(world: World) -> None:
    order = an_order(("TEA", 3))
    await delivered(world, order)
    await claim(world, order, "c1", lines=one(2))
    paid = await decide(world, order, "d1", "refund", send_back=True)
    assert paid.outcome is not None
    assert paid.outcome.return_id == f"{order.order_id}:R1"
    before = await world.sums(order)
    on_hand, _ = await world.shelf("TEA")
    await world.count(f"{order.order_id}:R1", {"1": 2})
    assert await world.shelf("TEA") == (on_hand + 2, 0)
    assert await world.sums(order) == before
    await claim(world, order, "c2", kind="damaged", lines=one())
    again = await decide(world, order, "d2", "reship", 2, send_back=True)
    assert again.outcome is not None
    assert again.outcome.return_id == f"{order.order_id}:R2"


async def test_what_was_refused_stays_refused_for_a_late_attempt_and_can_be_asked_again(
    world: World,
) -> None:
    order = an_order(("TEA", 1))
    await delivered(world, order, on_the_shelf=1)
    await claim(world, order, "c1", lines=one())
    assert reason(await decide(world, order, "d1", "reship")) == "not_in_stock"
    await world.goods_come("TEA", 1)
    assert reason(await decide(world, order, "d1", "reship")) == "not_in_stock"
    assert (await decide(world, order, "d1", "reship", turn="again")).sent_again
