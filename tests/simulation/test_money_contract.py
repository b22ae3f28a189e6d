"""The fakes pay, charge and pay back as the real activities do; see test_contract.py.

Here: several tenders, store credit, disputes, authorizations that end, and claims that fall back.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from activities.aftersales.returns import ReturnPart
from activities.fulfilment.contracts import Part
from activities.payments.contracts import Charged, Refund, Void
from activities.stock.backorders import AwaitStock, FillBackorder
from activities.stock.contracts import Reassign, ReleaseStock
from domain import ids
from domain.orders.order import Order
from tests.simulation.both_worlds import WAITS, No, Sums, World
from tests.simulation.test_contract import (
    HOUR,
    approved,
    company,
    confirmed,
    left,
    owed,
    reserved,
    sent,
    short,
    twice,
    units,
    world,
    worth,
)
from tests.support.bench import authorizing, charging, granting, securing, sending
from tests.support.builders import an_order, shipping

__all__ = ["world"]

BY_CREDIT = 10_00
WHOLE = 35_00
"""Three units of 10.00, and 5.00 of shipping."""


async def with_credit(
    world: World, *, card: str = "tok_ok", limit: str = "10.00", **wishes: str
) -> Order:
    """Three units on record, of which store credit pays the first 10.00, and a card the rest."""
    order = an_order(("TEA", 3), token=card)
    await world.stocked("TEA", 9)
    token = await world.credit(order, 50_00)
    credit = {"provider": "store_credit", "token": token, "amount": limit}
    order = an_order(("TEA", 3), token=card, tenders=[credit])
    await reserved(world, order, **wishes)
    return order


async def one_left(world: World, order: Order, part: str) -> None:
    """One unit of the only line is found, and leaves."""
    await short(world, order, part, {"1": 2})
    await left(world, order, part, picked=True)


# Several tenders ----------------------------------------------------------------------------------


async def test_each_tender_is_authorized_and_charged_in_its_turn(world: World) -> None:
    order = await with_credit(world)
    part = ids.fulfilment_id(order.order_id, 1)
    assert await twice(world, "authorize_payment", authorizing(order)) is None
    assert await world.authorized(order) == [BY_CREDIT, WHOLE - BY_CREDIT]
    assert await world.sums(order) == Sums(0, 0, WHOLE)
    await one_left(world, order, part)
    assert await twice(world, "charge_payment", charging(part)) == Charged(authorized=True)
    some = worth(order, 1)
    assert await world.by_provider(order) == {
        "store_credit": (BY_CREDIT, 0),
        "sandbox": (some - BY_CREDIT, 0),
    }
    assert await world.sums(order) == Sums(some, 0, WHOLE - some)


async def test_what_was_charged_last_is_paid_back_first(world: World) -> None:
    order = await with_credit(world)
    await world.do("authorize_payment", authorizing(order))
    part = await left(world, order, ids.fulfilment_id(order.order_id, 1))
    await world.do("charge_payment", charging(part))
    await world.arrive(part, "delivered")
    assert await twice(world, "refund_payment", await owed(world, order, **units(3))) is None
    back = WHOLE
    by_card = WHOLE - BY_CREDIT
    assert await world.by_provider(order) == {
        "sandbox": (by_card, min(back, by_card)),
        "store_credit": (BY_CREDIT, max(0, back - by_card)),
    }


async def test_a_part_is_paid_back_in_the_ratio_of_what_each_tender_paid_if_the_policy_says_so(
    world: World,
) -> None:
    order = await with_credit(world, limit="14.00", refund_tenders="by_ratio")
    await world.do("authorize_payment", authorizing(order))
    part = await left(world, order, ids.fulfilment_id(order.order_id, 1))
    await world.do("charge_payment", charging(part))
    await world.arrive(part, "delivered")
    ask = await owed(world, order, amount=Decimal("5.00"))
    assert await twice(world, "refund_payment", ask) is None
    assert await world.by_provider(order) == {
        "store_credit": (14_00, 2_00),
        "sandbox": (21_00, 3_00),
    }


async def test_a_tender_that_stands_is_released_where_another_is_refused(world: World) -> None:
    order = await with_credit(world, card="tok_decline")
    assert await twice(world, "authorize_payment", authorizing(order)) == No("declined")
    assert (await world.sums(order)).standing == BY_CREDIT
    assert await twice(world, "void_payment", Void(order_id=order.order_id, why="test")) is None
    assert (await world.sums(order)).standing == 0
    late = authorizing(order, attempt=2, token="tok_ok")
    assert await world.do("authorize_payment", late) == No("illegal_transition")
    assert (await world.sums(order)).standing == 0


async def test_after_a_refusal_another_token_pays_and_what_stands_is_kept(world: World) -> None:
    order = await with_credit(world, card="tok_action_required")
    assert await twice(world, "authorize_payment", authorizing(order)) == No("action_required")
    again = authorizing(order, attempt=2, token="tok_confirmed")
    assert await twice(world, "authorize_payment", again) is None
    assert await world.authorized(order) == [BY_CREDIT, WHOLE - BY_CREDIT]


async def test_the_last_tender_pays_for_one_that_said_no(world: World) -> None:
    other = {"provider": "sandbox", "token": "tok_action_required", "amount": "10.00"}
    order = an_order(("TEA", 3), tenders=[other])
    await world.stocked("TEA", 9)
    await reserved(world, order)
    assert await twice(world, "authorize_payment", authorizing(order)) == No("action_required")
    again = authorizing(order, attempt=2, token="tok_confirmed")
    assert await twice(world, "authorize_payment", again) is None
    assert await world.authorized(order) == [WHOLE], "it is not asked for the same a second time"


@company(captures="once", holds_for=timedelta(days=2))
async def test_store_credit_does_not_end_and_is_charged_in_parts_whatever_the_card_does(
    world: World,
) -> None:
    order = await with_credit(world, limit="5.00")
    part, credit = ids.fulfilment_id(order.order_id, 1), 5_00
    assert await twice(world, "authorize_payment", authorizing(order)) is None
    assert await world.authorized(order) == [credit, WHOLE - credit]
    await world.days_pass(1)
    ask = securing(order, part, world.now() + timedelta(hours=40), spare=timedelta(1))
    assert await twice(world, "authorize_payment", ask) is None
    assert await world.authorized(order) == [credit, WHOLE - credit], "its end is not near"
    await one_left(world, order, part)
    assert await twice(world, "charge_payment", charging(part)) == Charged(authorized=True)
    charged = worth(order, 1)
    assert await world.by_provider(order) == {
        "sandbox": (charged, 0),
        "store_credit": (0, 0),
    }
    assert (await world.sums(order)).standing == credit, "the card's rest is released, no credit"


# A company that charges an authorization once ---------------------------------------------------


async def two_parcels(world: World, cost: str = "0") -> tuple[Order, list[str]]:
    """Three units in two parcels, of one and of two, whose shipping costs that."""
    order = an_order(("TEA", 3), shipping=shipping(cost))
    await world.stocked("TEA", 1, "east")
    await world.stocked("TEA", 2, "west")
    parts = (await reserved(world, order)).fulfilments
    by_units = sorted(parts, key=lambda part: part.units["1"])
    return order, [part.fulfilment_id for part in by_units]


@company(captures="once")
async def test_each_part_has_an_authorization_of_its_own_with_what_rounding_can_add(
    world: World,
) -> None:
    order, parts = await two_parcels(world, "0.01")
    assert await twice(world, "authorize_payment", authorizing(order)) is None
    assert sorted(await world.authorized(order)) == [10_01, 20_01]
    for part in parts:
        hold = securing(order, part, world.now() + HOUR)
        assert await twice(world, "authorize_payment", hold) is None
    assert len(await world.authorized(order)) == 2, "nothing is lacking"


@company(captures="once")
async def test_what_stands_for_a_part_that_was_stopped_pays_for_the_one_in_its_place(
    world: World,
) -> None:
    order, (one, _) = await two_parcels(world)
    await world.do("authorize_payment", authorizing(order))
    await world.do("recall", Part(fulfilment_id=one))
    again = ids.fulfilment_id(order.order_id, 3)
    moved = Reassign(fulfilment_id=one, units={"1": 1})
    await world.do("reassign", moved)
    hold = securing(order, again, world.now() + HOUR)
    assert await twice(world, "authorize_payment", hold) is None
    assert sorted(await world.authorized(order)) == [10_00, 20_00], "none was made for it"
    await left(world, order, again)
    assert await twice(world, "charge_payment", charging(again)) == Charged(authorized=True)
    assert await world.sums(order) == Sums(10_00, 0, 20_00)


@company(captures="once")
async def test_what_stands_for_units_that_were_waited_for_pays_for_them_as_they_come(
    world: World,
) -> None:
    order = an_order(("TEA", 3), shipping=shipping("0"))
    await world.backorderable("TEA")
    await world.stocked("TEA", 1)
    await reserved(world, order)
    await world.do("authorize_payment", authorizing(order))
    await world.goods_come("TEA", 2)
    fill = FillBackorder(order_id=order.order_id, round=1, units={"1": 2})
    (come,) = (await twice(world, "fill_backorder", fill)).fulfilments
    hold = authorizing(order, parts=(come.fulfilment_id,))
    assert await twice(world, "authorize_payment", hold) is None
    assert sorted(await world.authorized(order)) == [10_00, 20_00]


# Paying back as store credit, and disputes --------------------------------------------------------


def as_credit(ask: Refund, attempt: int = 1) -> Refund:
    return ask.model_copy(update={"to": "store_credit", "attempt": attempt})


async def test_what_was_paid_by_card_is_paid_back_as_store_credit(world: World) -> None:
    order = an_order(("TEA", 3))
    await world.arrive(await sent(world, order), "delivered")
    ask = as_credit(await owed(world, order, **units(1)))
    assert await twice(world, "refund_payment", ask) is None
    assert await world.sums(order) == Sums(WHOLE, WHOLE - worth(order, 2), 0)


async def test_while_a_bank_asks_nothing_is_granted(world: World) -> None:
    order = an_order(("TEA", 3))
    await world.arrive(await sent(world, order), "delivered")
    await world.dispute(order)
    refused = await twice(world, "grant_refund", granting(order, "r1", **units(1)))
    assert refused.refused.kind == "refused"
    await world.dispute(order, ends=True)
    granted = await twice(world, "grant_refund", granting(order, "r1", **units(1)))
    assert granted.granted is not None


async def test_a_return_is_owed_while_a_bank_asks_and_paid_back_when_it_has_decided(
    world: World,
) -> None:
    order = an_order(("TEA", 3))
    await world.arrive(await sent(world, order), "delivered")
    return_id = await approved(world, order, {"1": 3})
    await world.dispute(order)
    await world.count(return_id, {"1": 3})
    received = await world.do("receive_return", ReturnPart(return_id=return_id))
    assert received.refund.amount.minor == WHOLE, "what came back is a fact"
    assert await twice(world, "refund_payment", Refund(refund_id=return_id)) == No("refused")
    await world.dispute(order, ends=True)
    again = Refund(refund_id=return_id, attempt=2)
    assert await twice(world, "refund_payment", again) is None
    assert (await world.sums(order)).refunded == WHOLE


async def test_what_was_owed_before_a_bank_asked_stays_owed_until_it_has_decided(
    world: World,
) -> None:
    order = an_order(("TEA", 3), token="tok_refund_refused")
    await world.arrive(await sent(world, order), "delivered")
    ask = await owed(world, order, **units(1))
    assert await twice(world, "refund_payment", ask) == No("declined")
    await world.dispute(order)
    again = ask.model_copy(update={"attempt": 2})
    assert await twice(world, "refund_payment", again) == No("refused")
    assert await twice(world, "refund_payment", as_credit(ask, 2)) == No("refused")
    assert (await world.sums(order)).refunded == 0
    await world.dispute(order, ends=True)
    assert await twice(world, "refund_payment", as_credit(ask, 3)) is None
    assert (await world.sums(order)).refunded == WHOLE - worth(order, 2)


# Charging ahead -----------------------------------------------------------------------------------


async def test_where_one_tender_refuses_to_pay_ahead_what_the_other_has_paid_is_owed_back(
    world: World,
) -> None:
    order = await with_credit(world, card="tok_capture_refused")
    await world.do("authorize_payment", authorizing(order, ahead=True))
    prepaid = f"{order.order_id}:prepaid"
    ahead = charging(prepaid, or_nothing=True)
    assert await twice(world, "charge_payment", ahead) == No("declined")
    assert (await world.sums(order)).captured == BY_CREDIT
    assert await twice(world, "refund_payment", Refund(refund_id=prepaid)) is None
    assert (await world.sums(order)).refunded == BY_CREDIT
    (part,) = (ids.fulfilment_id(order.order_id, 1),)
    undo = ReleaseStock(
        order_id=order.order_id,
        effect="cancel:unpaid",
        units={part: {"1": 3}},
        what="cancelled",
        why="test",
    )
    assert (await twice(world, "release_stock", undo)).refund is None, "nothing stays charged"


# Authorizations that end --------------------------------------------------------------------------


@company(holds_for=timedelta(days=2))
async def test_what_ends_too_soon_is_authorized_again_and_the_old_one_released(
    world: World,
) -> None:
    order = an_order(("TEA", 3))
    part = await confirmed(world, order)
    await world.days_pass(1)
    until = world.now() + timedelta(hours=36)
    ask = securing(order, part, until)
    assert await twice(world, "authorize_payment", ask) is None
    assert await world.authorized(order) == [WHOLE, WHOLE]
    assert await world.sums(order) == Sums(0, 0, WHOLE)
    await left(world, order, part)
    assert await twice(world, "charge_payment", charging(part)) == Charged()
    assert await world.sums(order) == Sums(WHOLE, 0, 0)
    assert await world.do("authorize_payment", ask) is None
    assert (await world.sums(order)).standing == 0, "what is charged needs no authorization"


@company(holds_for=timedelta(days=7))
async def test_what_is_renewed_is_renewed_for_all_parts_and_for_no_more_than_they_need(
    world: World,
) -> None:
    order, (one, two) = await two_parcels(world)
    await world.do("authorize_payment", authorizing(order))
    await world.days_pass(6)
    await world.do("recall", Part(fulfilment_id=two))
    keep = ids.fulfilment_id(order.order_id, 3)
    await world.do("reassign", Reassign(fulfilment_id=two, units={"1": 1}))
    less = ReleaseStock(
        order_id=order.order_id,
        effect="cancel:one",
        units={two: {"1": 1}},
        what="cancelled",
        why="test",
    )
    await world.do("release_stock", less)
    until = world.now() + timedelta(days=2)
    assert await twice(world, "authorize_payment", securing(order, one, until)) is None
    assert await world.authorized(order) == [30_00, 20_00]
    assert (await world.sums(order)).standing == 20_00
    assert await twice(world, "authorize_payment", securing(order, keep, until)) is None
    assert await world.authorized(order) == [30_00, 20_00]


@company(holds_for=timedelta(days=7))
async def test_a_refused_renewal_leaves_what_stands_and_the_next_token_is_asked(
    world: World,
) -> None:
    order = an_order(("TEA", 3))
    part = await confirmed(world, order)
    await world.days_pass(6)
    ask = securing(order, part, world.now() + timedelta(days=2), token="tok_decline")
    assert await twice(world, "authorize_payment", ask) == No("declined")
    assert (await world.sums(order)).standing == WHOLE
    again = ask.model_copy(update={"attempt": 2, "token": "tok_ok"})
    assert await twice(world, "authorize_payment", again) is None
    assert await world.sums(order) == Sums(0, 0, WHOLE)


@company(holds_for=timedelta(days=2))
async def test_a_parcel_whose_authorization_ends_while_it_waits_is_told_and_renewed_in_time(
    world: World,
) -> None:
    order = an_order(("TEA", 3))
    part = await confirmed(world, order)
    await world.pick(part)
    await world.pack(part)
    spare = timedelta(hours=6)
    ask = sending(part, lasting=timedelta(days=2), renew_before=spare)
    assert await twice(world, "pick_pack_ship", ask) == WAITS
    await world.days_pass(1)
    await world.look_at_money(part)
    assert await world.reported(ids.sending_id(part)) is None, "half of its life is no reason"
    await world.hours_pass(19)
    await world.look_at_money(part)
    assert (await world.reported(ids.sending_id(part)))["outcome"] == "unpaid"
    hold = securing(order, part, world.now() + timedelta(days=2), spare=spare)
    assert await twice(world, "authorize_payment", hold) is None
    assert await world.authorized(order) == [WHOLE, WHOLE]
    await world.hand_over(part)
    assert await twice(world, "charge_payment", charging(part)) == Charged()


# Claims that fall back ----------------------------------------------------------------------------


async def test_claims_beyond_what_a_count_finds_are_waited_for_again(world: World) -> None:
    order = an_order(("TEA", 3))
    await world.backorderable("TEA")
    await world.stocked("TEA", 3)
    (planned,) = (await reserved(world, order)).fulfilments
    await world.do("authorize_payment", authorizing(order))
    await world.recount("TEA", 1)
    told = await twice(world, "pick_pack_ship", sending(planned.fulfilment_id))
    assert (told.outcome, told.units) == ("backordered", {})
    wait = AwaitStock(order_id=order.order_id, round=1)
    assert await world.do("await_stock", wait) == WAITS, "the order has not joined the round yet"
    assert await twice(world, "join_backorders", wait) is None
    assert await twice(world, "await_stock", wait) != WAITS
    fill = FillBackorder(order_id=order.order_id, round=1, units={"1": 3})
    filled = await twice(world, "fill_backorder", fill)
    assert [part.units for part in filled.fulfilments] == [{"1": 1}]
    assert filled.backordered == {"1": 2}
    assert await world.shelf("TEA") == (1, 1)
