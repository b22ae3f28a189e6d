"""Order holds, end to end: nothing is handed over while one stands, and all goes on after."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.client import Client

from domain.errors import IllegalTransition, NotFound, Refused
from domain.orders.hold_messages import (
    ExtendRequest,
    HoldRequest,
    RejectRequest,
    ReleaseRequest,
)
from domain.orders.hold_rules import HoldRule
from domain.orders.messages import CancelRequest, LineRequest
from domain.orders.order import Address, Order
from store.database import Pool
from store.orders import hold_rules, states
from tests.support.builders import a_policy, an_order, shipping
from tests.support.shop import Shop

FAR = datetime(2099, 12, 1, 12, tzinfo=UTC)


def hold(**fields: Any) -> HoldRequest:
    return HoldRequest.model_validate(
        {"reason": "fraud_review", "note": "two names", "owner": "risk team", **fields}
    )


async def confirmed(shop: Shop, units: int = 2) -> tuple[Order, str]:
    await shop.stocked("TEA", units)
    order = an_order(("TEA", units))
    return order, await shop.placed(order, a_policy(return_window=0.5))


async def state(shop: Shop, order: Order) -> str:
    return (await shop.orders.get(order.order_id)).summary.state


async def test_a_held_order_is_not_picked_until_the_last_of_its_holds_has_ended(
    shop: Shop,
) -> None:
    order, part = await confirmed(shop)
    placed = await shop.holds.hold(order.order_id, hold(until=FAR, at_end="reject"))
    assert (placed.outcome, placed.hold_ids) == ("held", ("H1",))
    second = await shop.holds.hold(order.order_id, hold(reason="address", note="no such street"))
    assert [one.hold_id for one in second.holds] == ["H1", "H2"]
    assert await state(shop, order) == "held"
    with pytest.raises(IllegalTransition, match="risk team sees to: two names") as no:
        await shop.warehouse.pick(part, who="picker")
    assert (no.value.reason, no.value.instead) == ("order_held", ("release_order", "cancel_order"))
    assert await shop.warehouse.tasks(order_id=order.order_id) == []
    (task, other) = [
        one for one in await shop.needs_attention.tasks(at_most=10) if one.kind == "hold"
    ]
    assert (task.subject, task.name, task.due) == (order.order_id, "H1", FAR)
    assert "risk team" in task.reason
    assert other.due is None

    first = await shop.holds.release(order.order_id, ReleaseRequest(note="called", hold="H1"))
    assert [one.hold_id for one in first.holds] == ["H2"]
    with pytest.raises(IllegalTransition, match="H2"):
        await shop.warehouse.pick(part, who="picker")
    with pytest.raises(NotFound) as gone:
        await shop.holds.release(order.order_id, ReleaseRequest(note="called", hold="H1"))
    assert gone.value.reason == "no_such_hold"
    assert (await shop.holds.release(order.order_id, ReleaseRequest(note="found it"))).holds == ()
    assert await state(shop, order) == "confirmed"
    assert (await shop.finish(order.order_id))["outcome"] == "closed"
    await shop.settled()


async def test_a_run_that_goes_on_with_a_held_order_waits_as_if_it_had_just_begun(
    shop: Shop,
) -> None:
    """Else each run would find it late by the row, look, and go over into the next one."""

    async def since() -> datetime:
        async with shop.pool.acquire() as conn:
            (waits,) = (await states.read(conn, order.order_id)).fulfilments
        assert waits.since is not None
        return waits.since

    order, _ = await confirmed(shop)
    planned = await since()
    assert await since() == planned
    await shop.holds.hold(order.order_id, hold())
    held = await since()
    assert planned < held < await since()
    await shop.holds.release(order.order_id, ReleaseRequest(note="found it"))
    released = await since()
    assert held < released == await since()
    assert (await shop.finish(order.order_id))["outcome"] == "closed"


async def test_a_packed_parcel_gets_its_label_by_itself_when_the_hold_ends(shop: Shop) -> None:
    order, part = await confirmed(shop)
    await shop.drive(part, "picked")
    await shop.holds.hold(order.order_id, hold())
    await shop.warehouse.pack(part, who="packer")
    await shop.idle(order.order_id)
    (parcel,) = (await shop.orders.get(order.order_id)).fulfilments
    assert (parcel.state, parcel.tracking_number) == ("packed", None)
    await shop.holds.release(order.order_id, ReleaseRequest(note="is sound"))
    await shop.task("handover", part)
    await shop.finish(order.order_id)
    await shop.settled()


async def test_what_has_its_label_stays_here_but_what_the_carrier_has_is_gone(shop: Shop) -> None:
    order, part = await confirmed(shop)
    await shop.drive(part, "labelled")
    await shop.holds.hold(order.order_id, hold())
    with pytest.raises(IllegalTransition, match="is held"):
        await shop.warehouse.hand_over(part, who="packer")
    await shop.scan(part, "in_transit")  # nobody had reported the hand-over
    (parcel,) = (await shop.orders.get(order.order_id)).fulfilments
    assert parcel.state == "shipped"
    with pytest.raises(Refused) as no:
        await shop.holds.hold(order.order_id, hold())
    assert no.value.reason == "nothing_to_hold"
    await shop.scan(part, "delivered")
    assert (await shop.result(order.order_id))["outcome"] == "closed"
    await shop.settled()  # with the order, its hold has ended


async def test_a_rejected_order_is_cancelled_and_paid_back_and_its_holds_end(shop: Shop) -> None:
    order, part = await confirmed(shop)
    await shop.drive(part, "packed")
    await shop.task("handover", part)
    request = RejectRequest(note="the card was stolen", request_id="r1", by="risk team")
    with pytest.raises(Refused) as no:
        await shop.holds.reject(order.order_id, request)
    assert (no.value.reason, no.value.instead) == ("not_held", ("hold_order",))
    await shop.holds.hold(order.order_id, hold())
    answer = await shop.holds.reject(order.order_id, request)
    assert (answer.outcome, answer.holds) == ("rejected", ())
    assert [(units.line_id, units.quantity) for units in answer.cancelled] == [("1", 2)]
    assert (await shop.result(order.order_id)) == {
        "order_id": order.order_id,
        "outcome": "cancelled",
        "reason": "the card was stolen",
    }
    assert await shop.holds.reject(order.order_id, request) == answer, "the same request"
    await shop.settled()
    assert (await shop.level("TEA")).available == 2


async def test_units_of_a_held_order_can_be_cancelled_and_its_deadline_moved(shop: Shop) -> None:
    order, _ = await confirmed(shop, 3)
    await shop.holds.hold(order.order_id, hold(until=FAR))
    one = CancelRequest(reason="less", lines=(LineRequest(line_id="1", quantity=1),))
    assert (await shop.aftersales.cancel(order.order_id, one)).outcome == "cancelled"
    assert await state(shop, order) == "held"
    moved = await shop.holds.extend(order.order_id, ExtendRequest(note="not yet", until=None))
    assert [(each.hold_id, each.until, each.at_end) for each in moved.holds] == [("H1", None, None)]
    early = ExtendRequest(note="not yet", until=datetime(2020, 1, 1, tzinfo=UTC))
    with pytest.raises(Refused) as no:
        await shop.holds.extend(order.order_id, early)
    assert no.value.reason == "time_is_over"
    await shop.holds.release(order.order_id, ReleaseRequest(note="sound"))
    await shop.finish(order.order_id)
    await shop.settled()


async def test_a_hold_for_the_payment_is_not_for_people_to_release(shop: Shop) -> None:
    await shop.stocked("TEA", 2)
    order = an_order(("TEA", 2), token="tok_action_required")
    assert (await shop.orders.place(order)).outcome == "held"
    with pytest.raises(Refused) as no:
        await shop.holds.release(order.order_id, ReleaseRequest(note="let it go"))
    assert no.value.reason == "held_for_payment"
    assert no.value.instead == ("pay_order", "cancel_order")
    beside = await shop.holds.hold(order.order_id, hold())
    assert [(one.hold_id, one.owner) for one in beside.holds] == [
        ("P1", "customer"),
        ("H1", "risk team"),
    ]
    assert (await shop.orders.place(order)).reason != "two names", "it still waits for its payment"
    await shop.aftersales.cancel(order.order_id, CancelRequest(reason="never mind"))
    await shop.settled()


async def test_a_hold_and_a_hand_over_at_once_meet_at_the_row(shop: Shop) -> None:
    order, part = await confirmed(shop)
    await shop.drive(part, "labelled")
    held, left = await asyncio.gather(
        shop.holds.hold(order.order_id, hold()),
        shop.warehouse.hand_over(part, who="packer"),
        return_exceptions=True,
    )
    parcel = (await shop.orders.get(order.order_id)).fulfilments[0]
    if isinstance(left, BaseException):
        assert not isinstance(held, BaseException)
        assert parcel.state == "labelled"
        await shop.holds.release(order.order_id, ReleaseRequest(note="sound"))
        await shop.warehouse.hand_over(part, who="packer")
    else:
        # It left first: the hold was refused, or stands beside what is on its way.
        assert isinstance(held, Refused)
        assert parcel.state == "shipped"
    await shop.scan(part, "delivered")
    await shop.result(order.order_id)
    await shop.settled()


async def test_a_deadline_releases_the_order_or_rejects_it_once(shop: Shop) -> None:
    released, _ = await confirmed(shop)
    rejected, _ = await confirmed(shop)
    soon = datetime.now(UTC) + timedelta(seconds=1.5)
    await shop.holds.hold(released.order_id, hold(until=soon))
    await shop.holds.hold(rejected.order_id, hold(until=soon, at_end="reject"))
    assert await shop.result(rejected.order_id) == {
        "order_id": rejected.order_id,
        "outcome": "cancelled",
        "reason": "its time was over: H1",
    }
    await shop.told(released.order_id, "released")
    await shop.finish(released.order_id)
    assert (await shop.story(rejected.order_id)).count("rejection asked for") == 1
    await shop.settled()


async def test_an_order_that_a_rule_holds_is_confirmed_and_waits_for_a_person(shop: Shop) -> None:
    large = {"amount_over": {"amount": "10.00", "currency": "USD"}}
    rule = HoldRule.model_validate({"rule": "large", "when": large, "reason": "fraud_review"})
    await shop.hold_rules.save([rule], who="test")
    order, part = await confirmed(shop)
    assert await state(shop, order) == "held"
    with pytest.raises(IllegalTransition, match=r"more than 10\.00 USD"):
        await shop.warehouse.pick(part, who="picker")
    await shop.holds.release(order.order_id, ReleaseRequest(note="is sound"))
    await shop.finish(order.order_id)
    await shop.settled()


ADDRESSES = HoldRule.model_validate(
    {"rule": "addresses", "when": {"address_refused": True}, "reason": "address", "owner": "desk"}
)


async def test_an_address_is_checked_while_the_order_goes_on_and_a_sound_one_holds_nothing(
    shop: Shop,
) -> None:
    await shop.hold_rules.save([ADDRESSES], who="test")
    await shop.stocked("TEA", 2)
    sound = an_order(("TEA", 1))
    wrong = an_order(("TEA", 1), shipping=shipping("5.00", postal_code="4524"))
    for order in (sound, wrong):
        await shop.placed(order, a_policy(return_window=0.5))
    await shop.told(wrong.order_id, "address refused")
    (held,) = await shop.holds.standing(wrong.order_id)
    assert (held.note, held.rule, held.owner) == ("postal_code: invalid", "addresses", "desk")
    await shop.told(sound.order_id, "released")
    await shop.finish(sound.order_id)
    await shop.holds.reject(wrong.order_id, RejectRequest(note="nobody lives there"))
    await shop.settled()


class Broken:
    """An address check that is down."""

    async def check(self, address: Address) -> str | None:
        del address
        raise ConnectionError("down")


async def test_a_check_that_fails_keeps_no_order_from_being_placed(
    pool: Pool, temporal_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hold_rules, "CHECKED_WITHIN", timedelta(0))
    shop = Shop(pool, temporal_client, a_policy(return_window=0.5))
    shop.address_check = Broken()
    await shop.hold_rules.save([ADDRESSES], who="test")
    async with shop.working():
        order, _ = await confirmed(shop)
        await shop.told(order.order_id, "address refused")
        (held,) = await shop.holds.standing(order.order_id)
        assert "could not be checked" in held.note
        await shop.holds.release(order.order_id, ReleaseRequest(note="we know it"))
        await shop.finish(order.order_id)
        await shop.settled()
