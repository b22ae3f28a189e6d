"""A run that goes on learns the same of both worlds: where the order stands, from rows or memory.

Each test brings an order somewhere, and looks at what the next run is told: it is what the test
says, on both worlds. Moments are only there or not there: the two worlds have clocks of their own.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from activities.fulfilment.contracts import Part
from activities.orders.order_records import (
    Attention,
    Hold,
    KeepAnswer,
    ReadState,
)
from activities.payments.contracts import Void
from activities.stock.backorders import AwaitStock, FillBackorder
from activities.stock.contracts import Reassign, ReleaseStock
from domain import ids
from domain.orders.continuation import AnsweredRequest, OrderState
from domain.orders.order import Order
from domain.orders.policy import Policy
from tests.simulation.both_worlds import WAITS, No, World
from tests.simulation.test_contract import (
    SINCE,
    again,
    approved,
    confirmed,
    expected_back,
    left,
    owed,
    reserved,
    sent,
    twice,
    units,
    world,
    worth,
)
from tests.support.bench import authorizing, charging, securing, sending
from tests.support.builders import an_order, terms_of

__all__ = ["world"]

WHOLE = 35_00
"""Three units of 10.00, and 5.00 of shipping."""

THEN = "then"
"""Some moment."""

QUIET: dict[str, Any] = {
    "decision": "confirmed",
    "last_delivery": None,
    "round": 1,
    "waits_since": None,
    "authorized": False,
    "is_undone": False,
    "prepaid": "not_begun",
    "attempt": 1,
    "attempts": {},
    "owed": [],
    "returns": [],
    "holds": 0,
    "is_held": False,
    "attention": [],
    "answered": [],
    "begun": {},
}
"""A confirmed order of which nothing but its lines and its fulfilments is to be told."""


async def state(world: World, order: Order) -> OrderState:
    """What a run that goes on is told."""
    found: OrderState = await twice(world, "read_state", ReadState(order_id=order.order_id))
    assert found.terms == terms_of(order)
    return found


async def told(world: World, order: Order) -> dict[str, Any]:
    """The same as JSON, but for terms, lines and fulfilments; some moment for each moment."""
    found = (await state(world, order)).model_dump(mode="json")
    for name in ("terms", "lines", "fulfilments"):
        del found[name]
    for name in ("last_delivery", "waits_since"):
        found[name] = found[name] and THEN
    for name in ("returns", "attention"):
        for each in found[name]:
            each["since"] = THEN
    return found


async def parts(world: World, order: Order) -> list[dict[str, Any]]:
    """What it is told of each fulfilment, but for what says nothing."""
    return [
        {
            name: THEN if name == "since" else value
            for name, value in part.model_dump().items()
            if value not in ("", 0, None)
        }
        for part in (await state(world, order)).fulfilments
    ]


async def counts(world: World, order: Order) -> dict[str, int]:
    """What it is told of the first line, but for what says nothing."""
    return {k: n for k, n in (await state(world, order)).lines["1"].model_dump().items() if n}


def part(order: Order, number: int = 1, **told: Any) -> dict[str, Any]:
    """A fulfilment as it is told; of all three units at the main location, if nothing else is."""
    usual = {
        "fulfilment_id": ids.fulfilment_id(order.order_id, number),
        "location": "main",
        "handling": "shipped",
        "units": {"1": 3},
    }
    found = usual | told
    if found["stage"] in ("planned", "await_delivery"):
        found["since"] = THEN
    return found


# Placed -------------------------------------------------------------------------------------------


async def test_an_order_that_is_nowhere_on_record_has_no_state(world: World) -> None:
    assert await world.do("read_state", ReadState(order_id="web-none")) == No("not_found")


async def test_before_its_stock_is_reserved_it_is_received(world: World) -> None:
    order = an_order(("TEA", 3))
    await world.on_record(order, Policy())
    assert await told(world, order) == QUIET | {"decision": "received"}
    assert await counts(world, order) == {"ordered": 3}
    assert await parts(world, order) == []


async def test_a_reserved_order_has_its_fulfilment_and_nothing_authorized(world: World) -> None:
    order = an_order(("TEA", 3))
    await world.stocked("TEA", 9)
    await reserved(world, order)
    assert await told(world, order) == QUIET | {"decision": "received"}
    assert await counts(world, order) == {"ordered": 3, "allocated": 3}
    assert await parts(world, order) == [part(order, state="open", stage="planned")]


async def test_a_placed_order_is_authorized(world: World) -> None:
    order = an_order(("TEA", 3))
    await confirmed(world, order)
    assert await told(world, order) == QUIET | {"authorized": True}
    assert await parts(world, order) == [part(order, state="picking", stage="planned")]


async def test_an_order_whose_authorization_was_released_before_it_was_confirmed_is_undone(
    world: World,
) -> None:
    tender = {"provider": "store_credit", "amount": "10.00"}
    order = an_order(("TEA", 3), token="tok_decline")
    await world.stocked("TEA", 9)
    token = await world.credit(order, 50_00)
    order = an_order(("TEA", 3), token="tok_decline", tenders=[{**tender, "token": token}])
    await reserved(world, order)
    assert await world.do("authorize_payment", authorizing(order)) == No("declined")
    half = await told(world, order)
    assert (half["authorized"], half["is_undone"], half["attempt"]) == (True, False, 1)
    await world.do("void_payment", Void(order_id=order.order_id, why="test"))
    undone = await told(world, order)
    assert (undone["authorized"], undone["is_undone"]) == (False, True)


async def test_what_a_person_has_released_by_hand_is_not_authorized_any_more(world: World) -> None:
    order = an_order(("TEA", 3))
    await confirmed(world, order)
    assert (await state(world, order)).authorized
    ask = Attention(
        order_id=order.order_id,
        step=f"void_payment {order.order_id}",
        since=SINCE,
        reason="the company refuses",
        allowed=("retry", "done"),
    )
    await world.do("note_attention", ask)
    assert (await state(world, order)).authorized
    await world.do("note_attention", ask.model_copy(update={"resolution": "done: by phone"}))
    assert not (await state(world, order)).authorized


async def test_a_refusal_that_stands_and_the_token_that_answers_it(world: World) -> None:
    order = an_order(("TEA", 3), token="tok_action_required")
    await world.stocked("TEA", 9)
    await reserved(world, order)
    assert await world.do("authorize_payment", authorizing(order)) == No("action_required")
    assert await told(world, order) == QUIET | {"decision": "received", "attempt": 1}
    refused = authorizing(order, attempt=2, token="tok_decline")
    assert await world.do("authorize_payment", refused) == No("declined")
    assert (await told(world, order))["attempt"] == 2
    paid = authorizing(order, attempt=3, token="tok_ok")
    assert await world.do("authorize_payment", paid) is None
    assert await told(world, order) == QUIET | {"authorized": True, "attempt": 3}


async def test_a_token_that_the_customer_brought_is_kept(world: World) -> None:
    order = an_order(("TEA", 3), token="tok_action_required")
    await world.stocked("TEA", 9)
    await reserved(world, order)
    assert await world.do("authorize_payment", authorizing(order)) == No("action_required")
    paid = authorizing(order, attempt=2, token="tok_ok")
    assert await world.do("authorize_payment", paid) is None
    await world.do("void_payment", Void(order_id=order.order_id, why="test"))
    attempt = (await state(world, order)).attempt
    first = ids.fulfilment_id(order.order_id, 1)
    renew = securing(order, first, world.now(), attempt=attempt)
    assert await twice(world, "authorize_payment", renew) is None, "it is not asked for again"
    assert (await world.sums(order)).standing == WHOLE


# Stock --------------------------------------------------------------------------------------------


async def backordered(world: World, *, there: int = 0) -> Order:
    """Three units, of which so many are there, and the others are waited for."""
    order = an_order(("TEA", 3))
    if there:
        await world.stocked("TEA", there)
    await world.backorderable("TEA")
    await reserved(world, order)
    await world.do("authorize_payment", authorizing(order))
    return order


async def test_what_is_waited_for_has_its_round(world: World) -> None:
    order = await backordered(world, there=1)
    assert await told(world, order) == QUIET | {"authorized": True, "waits_since": THEN}
    assert await counts(world, order) == {"ordered": 3, "allocated": 1, "backordered": 2}
    assert await parts(world, order) == [
        part(order, state="picking", stage="planned", units={"1": 1})
    ]


async def test_a_round_that_was_filled_leads_to_the_next(world: World) -> None:
    order = await backordered(world)
    await world.goods_come("TEA", 1)
    fill = FillBackorder(order_id=order.order_id, round=1, units={"1": 3})
    await twice(world, "fill_backorder", fill)
    assert await told(world, order) == QUIET | {
        "authorized": True,
        "round": 2,
        "waits_since": THEN,
    }
    assert await counts(world, order) == {"ordered": 3, "allocated": 1, "backordered": 2}
    await world.goods_come("TEA", 2)
    await twice(world, "fill_backorder", fill.model_copy(update={"round": 2}))
    assert await told(world, order) == QUIET | {"authorized": True, "round": 3}


async def test_a_round_that_ended_without_a_fill_leads_to_the_next(world: World) -> None:
    order = await backordered(world)
    await world.do("join_backorders", AwaitStock(order_id=order.order_id, round=2))
    assert (await state(world, order)).round == 2


async def test_claims_that_fell_back_are_waited_for_and_their_fulfilment_has_ended(
    world: World,
) -> None:
    order = an_order(("TEA", 3))
    await confirmed(world, order)
    await world.backorderable("TEA")
    await world.recount("TEA", 0)
    assert await told(world, order) == QUIET | {"authorized": True, "waits_since": THEN}
    assert await counts(world, order) == {"ordered": 3, "backordered": 3}
    assert await parts(world, order) == [part(order, state="cancelled", stage="ended", units={})]


async def test_units_that_were_not_found_are_part_of_it_until_others_are_reserved(
    world: World,
) -> None:
    order = an_order(("TEA", 3))
    first = await confirmed(world, order)
    await world.pick(first, {"1": 1})
    assert await counts(world, order) == {"ordered": 3, "allocated": 3}
    assert await parts(world, order) == [part(order, state="picked", stage="planned")]
    await world.goods_come("TEA", 5, "outlet")
    await twice(world, "reserve_again", again(order, first))
    assert await counts(world, order) == {"ordered": 3, "allocated": 3}
    assert await parts(world, order) == [
        part(order, state="picked", stage="planned", units={"1": 2}, has_lacked=True),
        part(order, 2, location="outlet", state="picking", stage="planned", units={"1": 1}),
    ]


@pytest.mark.parametrize("how", ["nothing found", "refused"])
async def test_a_fulfilment_of_which_nothing_was_found_or_sent_is_planned_until_it_is_replaced(
    world: World, how: str
) -> None:
    order = an_order(("TEA", 3))
    first = await confirmed(world, order)
    if how == "refused":
        await world.refuse(first)
    else:
        await world.pick(first, {"1": 3})
    assert await counts(world, order) == {"ordered": 3, "allocated": 3}
    assert await parts(world, order) == [part(order, state="cancelled", stage="planned")]
    gone = again(order, first, units={"1": 3}, replace=False, refused=how == "refused")
    await twice(world, "reserve_again", gone)
    assert await counts(world, order) == {"ordered": 3, "cancelled": 3}
    assert await parts(world, order) == [
        part(order, state="cancelled", stage="ended", units={}, has_lacked=True)
    ]


@pytest.mark.parametrize("stage", ["picking", "picked", "labelled"])
async def test_a_recalled_fulfilment_is_one_until_its_units_are_released_or_go_on(
    world: World, stage: str
) -> None:
    order = an_order(("TEA", 3))
    first = await confirmed(world, order)
    if stage != "picking":
        await world.pick(first)
    if stage == "labelled":
        await world.pack(first)
        assert await world.do("pick_pack_ship", sending(first)) == WAITS
    await world.do("recall", Part(fulfilment_id=first))
    recalled = part(order, state="cancelled", stage="recalled", outcome="recalled")
    assert await parts(world, order) == [recalled]
    await world.do("void_label", Part(fulfilment_id=first))
    await world.do("put_back", Part(fulfilment_id=first))
    assert await parts(world, order) == [recalled]
    less = ReleaseStock(
        order_id=order.order_id,
        effect="cancel:r1",
        units={first: {"1": 1}},
        what="cancelled",
        why="test",
    )
    await twice(world, "release_stock", less)
    assert await parts(world, order) == [recalled | {"units": {"1": 2}}]
    await twice(world, "reassign", Reassign(fulfilment_id=first, units={"1": 2}))
    ended, second = await parts(world, order)
    assert (ended["stage"], ended["outcome"]) == ("ended", "recalled")
    assert second == part(order, 2, state="picking", stage="planned", units={"1": 2})
    assert await counts(world, order) == {"ordered": 3, "allocated": 2, "cancelled": 1}


async def test_a_recalled_fulfilment_whose_units_were_not_found_is_not_undone_without_them(
    world: World,
) -> None:
    order = an_order(("TEA", 3))
    first = await confirmed(world, order)
    await world.pick(first, {"1": 1})
    await world.do("recall", Part(fulfilment_id=first))
    assert await parts(world, order) == [
        part(order, state="cancelled", stage="recalled", outcome="recalled")
    ]
    assert await counts(world, order) == {"ordered": 3, "allocated": 3}


# Sent ---------------------------------------------------------------------------------------------


async def test_a_labelled_parcel_is_still_to_be_sent(world: World) -> None:
    order = an_order(("TEA", 3))
    first = await confirmed(world, order)
    await world.pick(first)
    await world.pack(first)
    assert await world.do("pick_pack_ship", sending(first)) == WAITS
    assert await parts(world, order) == [part(order, state="labelled", stage="planned")]


async def test_a_parcel_that_left_has_its_charge_due_until_it_is_made(world: World) -> None:
    order = an_order(("TEA", 3))
    first = await left(world, order, await confirmed(world, order))
    on_its_way = part(order, state="shipped", stage="await_delivery")
    assert await parts(world, order) == [on_its_way | {"due_minor": WHOLE}]
    assert await counts(world, order) == {"ordered": 3, "shipped": 3}
    await world.do("charge_payment", charging(first))
    assert await parts(world, order) == [on_its_way]
    assert await told(world, order) == QUIET


async def test_a_delivered_parcel_that_is_not_charged_is_due(world: World) -> None:
    order = an_order(("TEA", 3))
    first = await left(world, order, await confirmed(world, order))
    await world.arrive(first, "delivered")
    assert await told(world, order) == QUIET | {"authorized": True, "last_delivery": THEN}
    assert await parts(world, order) == [
        part(order, state="delivered", stage="ended", outcome="delivered", due_minor=WHOLE)
    ]
    assert await counts(world, order) == {"ordered": 3, "shipped": 3, "delivered": 3}


async def test_a_lost_parcel_is_waited_for_until_others_are_sent_for_it(world: World) -> None:
    order = an_order(("TEA", 3))
    first = await sent(world, order)
    await world.arrive(first, "lost")
    lost = part(order, state="exception", outcome="lost", stage="await_delivery")
    assert await parts(world, order) == [lost]
    replace = again(order, first, source="shipped", units={"1": 3}, avoid=None)
    await twice(world, "reserve_again", replace)
    first_one, second = await parts(world, order)
    assert first_one == part(order, state="exception", outcome="lost", stage="ended")
    assert second == part(order, 2, state="picking", stage="planned")


async def test_an_undeliverable_parcel_is_waited_for_until_it_is_back(world: World) -> None:
    order = an_order(("TEA", 3))
    first = await sent(world, order)
    await world.arrive(first, "undeliverable")
    coming = part(order, state="exception", outcome="undeliverable", stage="await_delivery")
    assert await parts(world, order) == [coming]
    return_id = await expected_back(world, order, first)
    assert await parts(world, order) == [coming | {"return_id": return_id}]
    assert (await told(world, order))["returns"] == [], "it is no return of the customer"
    await world.count(return_id, {"1": 3})
    found = await told(world, order)
    assert found["owed"] == [
        {"refund_id": return_id, "amount": {"minor": WHOLE, "currency": order.currency}}
    ]
    (back,) = await parts(world, order)
    assert (back["stage"], back["return_id"]) == ("ended", return_id)
    assert await counts(world, order) == {"ordered": 3, "cancelled": 3}


# Money --------------------------------------------------------------------------------------------


async def test_an_order_that_is_charged_ahead_is_charged(world: World) -> None:
    order = an_order(("TEA", 3))
    await confirmed(world, order)
    whole = charging(ids.prepaid_id(order.order_id), or_nothing=True)
    assert (await told(world, order))["prepaid"] == "not_begun"
    await world.do("charge_payment", whole)
    assert await told(world, order) == QUIET | {"prepaid": "charged"}


async def test_a_charge_ahead_that_the_bank_refuses_is_begun(world: World) -> None:
    order = an_order(("TEA", 3), token="tok_capture_refused")
    await confirmed(world, order)
    whole = charging(ids.prepaid_id(order.order_id))
    assert await world.do("charge_payment", whole) == No("declined")
    assert await told(world, order) == QUIET | {"authorized": True, "prepaid": "begun"}
    second = charging(ids.prepaid_id(order.order_id), attempt=2)
    assert await world.do("charge_payment", second) == No("declined")
    assert (await told(world, order))["attempts"] == {ids.prepaid_id(order.order_id): 2}


async def test_a_charge_of_all_or_nothing_that_the_bank_refuses_is_refused(world: World) -> None:
    order = an_order(("TEA", 3), token="tok_capture_refused")
    await confirmed(world, order)
    whole = charging(ids.prepaid_id(order.order_id), or_nothing=True)
    assert await world.do("charge_payment", whole) == No("declined")
    assert await told(world, order) == QUIET | {"authorized": True, "prepaid": "refused"}


async def test_a_try_in_which_no_company_was_asked_is_no_try(world: World) -> None:
    order = an_order(("TEA", 3))
    first = await left(world, order, await confirmed(world, order))
    await world.do("void_payment", Void(order_id=order.order_id, why="test"))
    for attempt in (1, 2):
        no = await world.do("charge_payment", charging(first, attempt=attempt, renews=True))
        assert no == No("not_authorized")
    assert (await told(world, order))["attempts"] == {}


async def test_a_refund_is_owed_until_it_is_paid_back(world: World) -> None:
    order = an_order(("TEA", 3))
    await world.arrive(await sent(world, order), "delivered")
    refund = await owed(world, order, **units(1))
    worth_of_one = worth(order, 3) - worth(order, 2)
    assert (await told(world, order))["owed"] == [
        {
            "refund_id": refund.refund_id,
            "amount": {"minor": worth_of_one, "currency": order.currency},
        }
    ]
    await world.do("refund_payment", refund)
    assert (await told(world, order))["owed"] == []


async def test_a_refund_that_is_refused_has_its_tries(world: World) -> None:
    order = an_order(("TEA", 3), token="tok_refund_refused")
    await world.arrive(await sent(world, order), "delivered")
    refund = await owed(world, order, **units(1))
    for attempt in (1, 2):
        no = await world.do("refund_payment", refund.model_copy(update={"attempt": attempt}))
        assert no == No("declined")
    found = await told(world, order)
    assert found["attempts"] == {refund.refund_id: 2}
    assert [each["refund_id"] for each in found["owed"]] == [refund.refund_id]


async def test_a_refund_goes_where_it_was_granted_to(world: World) -> None:
    order = an_order(("TEA", 3), token="tok_refund_refused")
    await world.arrive(await sent(world, order), "delivered")
    refund = await owed(world, order, to="store_credit", **units(1))
    assert refund.to is None
    assert await twice(world, "refund_payment", refund) is None, "the card is not asked"
    assert (await told(world, order))["owed"] == []


async def test_a_return_of_the_customer_is_awaited_until_it_is_counted(world: World) -> None:
    order = an_order(("TEA", 3))
    await world.arrive(await sent(world, order), "delivered")
    first = await approved(world, order, {"1": 1}, "r1")
    second = await approved(world, order, {"1": 1}, "r2")
    assert (await told(world, order))["returns"] == [
        {"return_id": first, "units": {"1": 1}, "since": THEN, "paid_early": False},
        {"return_id": second, "units": {"1": 1}, "since": THEN, "paid_early": False},
    ]
    assert (await counts(world, order))["return_requested"] == 2
    await world.count(first, {"1": 1})
    found = await told(world, order)
    assert [each["return_id"] for each in found["returns"]] == [second]
    assert [each["refund_id"] for each in found["owed"]] == [first]


# The order itself ---------------------------------------------------------------------------------


async def test_what_an_order_has_answered_is_told_once_for_each_request(world: World) -> None:
    order = an_order(("TEA", 3))
    await confirmed(world, order)
    for request_id, outcome in (("r1", "cancelled"), ("r2", "refused"), ("r1", "cancelled")):
        answered = AnsweredRequest(
            request_id=request_id, digest=f"digest of {request_id}", outcome={"outcome": outcome}
        )
        ask = KeepAnswer(order_id=order.order_id, answered=answered)
        assert await twice(world, "keep_answer", ask) is None
    assert (await told(world, order))["answered"] == [
        {"request_id": "r1", "digest": "digest of r1", "outcome": {"outcome": "cancelled"}},
        {"request_id": "r2", "digest": "digest of r2", "outcome": {"outcome": "refused"}},
    ]


async def test_holds_are_counted_and_the_last_one_stands_until_it_is_released(
    world: World,
) -> None:
    order = an_order(("TEA", 3))
    await confirmed(world, order)
    first = Hold(order_id=order.order_id, number=1, note="waits")
    await world.do("note_hold", first)
    assert await told(world, order) == QUIET | {"authorized": True, "holds": 1, "is_held": True}
    await world.do("note_hold", first.model_copy(update={"released": True, "note": ""}))
    await world.do("note_hold", first.model_copy(update={"number": 2}))
    assert await told(world, order) == QUIET | {"authorized": True, "holds": 2, "is_held": True}
    last = first.model_copy(update={"number": 2, "released": True, "note": ""})
    await world.do("note_hold", last)
    assert await told(world, order) == QUIET | {"authorized": True, "holds": 2}


async def test_a_step_that_needs_a_person_is_told_until_it_does_not(world: World) -> None:
    order = an_order(("TEA", 3))
    await confirmed(world, order)
    ask = Attention(
        order_id=order.order_id, step="pick x", since=SINCE, reason="late", allowed=("retry",)
    )
    await world.do("note_attention", ask)
    (found,) = (await state(world, order)).attention
    assert (found.step, found.since, found.reason, found.allowed) == (
        *("pick x", SINCE, "late"),
        ("retry",),
    )
    again_later = ask.model_copy(update={"since": SINCE + timedelta(hours=1), "reason": "again"})
    await world.do("note_attention", again_later)
    await world.do("note_attention", ask.model_copy(update={"resolution": "retry: now"}))
    (found,) = (await state(world, order)).attention
    assert (found.since, found.reason) == (again_later.since, "again")
    await world.do("note_attention", again_later.model_copy(update={"resolution": "done: so"}))
    assert (await state(world, order)).attention == ()
