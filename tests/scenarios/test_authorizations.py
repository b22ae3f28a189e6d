"""Authorizations: renewed, ended, made again, released. End to end."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from temporalio.client import Client

from domain.errors import IllegalTransition
from domain.orders.messages import AttentionAnswer, CancelRequest, ChargeRequest, PayRequest
from store.database import Pool
from tests.scenarios.bank import PATIENT, bank, kinds, shop_with
from tests.scenarios.test_payment import paid
from tests.support.builders import a_policy, an_order, shipping
from tests.support.shop import Shop


async def test_an_authorization_of_the_first_of_two_cards_is_renewed_there(
    pool: Pool, temporal_client: Client
) -> None:
    shop = shop_with(pool, temporal_client, holds_for=timedelta(seconds=3))
    await shop.stocked("TEA", 2)
    other = {"provider": "sandbox", "token": "tok_other", "amount": "5.00"}
    order = an_order(("TEA", 2), tenders=[other])
    policy = a_policy(**PATIENT, renew_before=0.1, hand_over_within=1)
    async with shop.working():
        await shop.placed(order, policy)
        await asyncio.sleep(3.1)  # nobody picks it for so long
        await shop.finish(order.order_id)
        captures = [done for done in await paid(shop, order) if done[0] == "capture"]
        assert captures == [("capture", 5_00, "USD"), ("capture", 20_00, "USD")]
        await shop.settled()


async def test_an_authorization_that_is_always_too_short_is_not_renewed_over_and_over(
    pool: Pool, temporal_client: Client
) -> None:
    shop = shop_with(pool, temporal_client, holds_for=timedelta(minutes=10))
    await shop.stocked("TEA", 2)
    order = an_order(("TEA", 2))
    async with shop.working():
        await shop.placed(order, a_policy(**PATIENT, renew_before=2000, hand_over_within=2000))
        await shop.finish(order.order_id)
        assert await paid(shop, order) == [("authorize", 25_00, "USD"), ("capture", 25_00, "USD")]
        await shop.settled()


async def test_an_authorization_that_ends_before_the_parcel_leaves_is_renewed_and_charged(
    pool: Pool, temporal_client: Client
) -> None:
    shop = shop_with(pool, temporal_client, holds_for=timedelta(seconds=3))
    await shop.stocked("TEA", 2)
    order = an_order(("TEA", 2))
    policy = a_policy(**PATIENT, renew_before=0.1, hand_over_within=1)
    async with shop.working():
        first = await shop.placed(order, policy)
        await asyncio.sleep(3.1)  # nobody picks it for so long
        await shop.finish(order.order_id)
        operations = await shop.payment.operations(order.order_id)
        authorizations = [done for done in operations if done.kind == "authorize"]
        captures = [done for done in operations if done.kind == "capture"]
        assert len(authorizations) == 2
        assert [done.authorization for done in captures] == [authorizations[1].reference]
        assert "authorization renewed" in await shop.story(order.order_id)
        assert first == f"{order.order_id}:1"
        await shop.settled()


async def test_a_parcel_that_is_not_paid_any_more_is_held_until_the_customer_pays(
    pool: Pool, temporal_client: Client
) -> None:
    shop = shop_with(pool, temporal_client, holds_for=timedelta(seconds=3))
    await shop.stocked("TEA", 2)
    order = an_order(("TEA", 2), token="tok_blocked")
    policy = a_policy(**PATIENT, renew_before=0.1, hand_over_within=1)
    async with shop.working():
        first = await shop.placed(order, policy)
        await shop.drive(first, "labelled")
        bank(shop).blocked.add("tok_blocked")

        async def held() -> bool:
            return (await shop.orders.get(order.order_id)).summary.state == "held"

        await shop.until(held, "the order is held")
        await asyncio.sleep(2)  # it has ended by now
        with pytest.raises(IllegalTransition, match="not paid any more"):
            await shop.warehouse.hand_over(first, who="packer")
        refused = await shop.payments.pay(order.order_id, PayRequest(token="tok_decline"))
        assert (refused.outcome, await held()) == ("refused", True)
        accepted = await shop.payments.pay(order.order_id, PayRequest(token="tok_new"))
        assert (accepted.outcome, await held()) == ("accepted", False)
        await shop.finish(order.order_id)
        assert (await kinds(shop, order.order_id)).count("capture") == 1
        await shop.settled()


async def test_an_authorization_that_a_company_ends_early_is_made_again_while_the_parcel_waits(
    shop: Shop,
) -> None:
    await shop.stocked("TEA", 2)
    order = an_order(("TEA", 2))
    first = await shop.placed(order, a_policy(**PATIENT, hand_over_within=1))
    await shop.drive(first, "labelled")
    async with shop.pool.acquire() as conn:  # as its webhook says
        await conn.execute("update payment_authorization set expires_at = now()")
    await shop.told(order.order_id, "authorization renewed")
    await shop.finish(order.order_id)
    assert (await kinds(shop, order.order_id)).count("capture") == 1
    await shop.settled()


async def test_s35_what_replaces_a_lost_parcel_leaves_after_the_authorization_has_ended(
    shop: Shop,
) -> None:
    await shop.stocked("TEA", 4)
    await shop.stocked("CUP", 1, "outlet")
    order = an_order(("TEA", 2), ("CUP", 1))
    lost = await shop.placed(order, a_policy(**PATIENT, hand_over_within=1))
    await shop.drive(lost, "shipped")
    await shop.told(order.order_id, "charged")
    await shop.scan(lost, "failure")
    again = f"{order.order_id}:3"
    await shop.drive(again, "labelled")
    async with shop.pool.acquire() as conn:  # the cup's, which nobody has picked
        await conn.execute("update payment_authorization set expires_at = now()")
    await shop.warehouse.hand_over(again, who="packer")
    await shop.finish(order.order_id)
    assert (await kinds(shop, order.order_id)).count("capture") == 2
    await shop.settled()


async def ended_at_the_company(shop: Shop) -> None:
    """Every authorization there has ended, and the company told nobody."""
    await shop.pool.execute("update sandbox.payment set expires_at = now()")


async def test_an_authorization_that_a_company_ended_early_is_made_again_and_charged_as_it_leaves(
    shop: Shop,
) -> None:
    await shop.stocked("TEA", 2)
    order = an_order(("TEA", 2))
    first = await shop.placed(order, a_policy(**PATIENT))
    await shop.drive(first, "labelled")
    await ended_at_the_company(shop)
    await shop.warehouse.hand_over(first, who="packer")
    await shop.told(order.order_id, "charged")
    await shop.finish(order.order_id)
    assert await paid(shop, order) == [("authorize", 25_00, "USD")] * 2 + [
        ("capture", 25_00, "USD")
    ]
    await shop.settled()


async def test_of_several_tenders_only_the_one_that_has_ended_is_authorized_again(
    shop: Shop,
) -> None:
    await shop.stocked("TEA", 2)
    credit = await shop.credit_of("10.00")
    order = an_order(("TEA", 2), tenders=[credit])
    first = await shop.placed(order, a_policy(**PATIENT))
    await shop.drive(first, "labelled")
    await ended_at_the_company(shop)  # the card's, not ours
    await shop.warehouse.hand_over(first, who="packer")
    await shop.finish(order.order_id)
    assert await paid(shop, order) == [("authorize", 15_00, "USD")] * 2 + [
        ("capture", 15_00, "USD")
    ]
    await shop.settled()


async def test_nothing_of_several_tenders_stays_authorized_once_all_is_charged(
    pool: Pool, temporal_client: Client
) -> None:
    # A third of 1.00 is 0.33 or 0.34: the card has a cent more authorized for the parcel of two,
    # and takes it; credit has one less to pay, whichever leaves first.
    shop = shop_with(pool, temporal_client, captures="once")
    await shop.stocked("TEA", 1, "east")
    await shop.stocked("TEA", 2, "west")
    tender = await shop.credit_of("0.10")
    order = an_order(("TEA", 3, "0.35"), discount="0.05", tenders=[tender], shipping=shipping("0"))
    async with shop.working():
        await shop.placed(order, a_policy(**PATIENT))
        await shop.finish(order.order_id)
        (credit,) = await shop.credit.accounts("C-1")
        assert credit.available_minor == credit.balance_minor
        await shop.settled()


async def test_whichever_cards_have_ended_it_is_found_out_one_by_one_and_nobody_is_asked(
    shop: Shop,
) -> None:
    await shop.stocked("TEA", 1, "east")
    await shop.stocked("MUG", 1, "west")
    other = {"provider": "sandbox", "token": "tok_other", "amount": "10.00"}
    order = an_order(
        ("TEA", 1, "10.00"), ("MUG", 1, "30.00"), tenders=[other], shipping=shipping("0")
    )
    first = await shop.placed(order, a_policy(**PATIENT))
    await shop.drive(first, "labelled")
    await ended_at_the_company(shop)
    # The first card would pay for this parcel, and then the second; then it is authorized again.
    await shop.warehouse.hand_over(first, who="packer")
    await shop.told(order.order_id, "charged")
    story = await shop.story(order.order_id)
    assert story.count("capture refused") == 2
    assert not [what for what in story if "attention" in what]
    assert await paid(shop, order) == [
        ("authorize", 10_00, "USD"),
        ("authorize", 30_00, "USD"),
        ("authorize", 10_00, "USD"),
        ("capture", 10_00, "USD"),
    ]
    await shop.finish(order.order_id)
    await shop.settled()


async def test_what_another_parcel_needs_is_authorized_before_it_leaves_once_one_has_found_it_ended(
    shop: Shop,
) -> None:
    await shop.stocked("TEA", 2, "east")
    await shop.stocked("MUG", 1, "west")
    order = an_order(("TEA", 2, "12.50"), ("MUG", 1, "30.00"), shipping=shipping("0"))
    first = await shop.placed(order, a_policy(**PATIENT))
    await shop.drive(first, "labelled")
    await ended_at_the_company(shop)
    await shop.warehouse.hand_over(first, who="packer")
    await shop.told(order.order_id, "charged")
    assert [done[:2] for done in await paid(shop, order)] == [
        ("authorize", 55_00),
        ("authorize", 25_00),
        ("capture", 25_00),
    ]
    second = f"{order.order_id}:2"
    await shop.drive(second, "labelled")
    # Its own, before the warehouse may hand it over.
    assert (await paid(shop, order))[-1] == ("authorize", 30_00, "USD")
    await shop.finish(order.order_id)
    await shop.settled()


async def test_what_has_left_and_is_not_paid_any_more_is_claimed_until_the_customer_pays(
    pool: Pool, temporal_client: Client
) -> None:
    shop = shop_with(pool, temporal_client)
    await shop.stocked("TEA", 2)
    order = an_order(("TEA", 2), token="tok_blocked")
    async with shop.working():
        first = await shop.placed(order, a_policy(**PATIENT, pay_within=1))
        await shop.drive(first, "labelled")
        await ended_at_the_company(shop)
        bank(shop).blocked.add("tok_blocked")
        await shop.warehouse.hand_over(first, who="packer")
        # Nobody pays in time: a person is asked, and has it tried again, and the customer comes.
        step = await shop.parked(order.order_id)
        assert step == f"charge_payment {first}"
        invoices = (
            "select part_id from document where order_no = order_no_of($1) and kind = 'invoice'"
        )
        assert await shop.pool.fetchval(invoices, order.order_id) == first
        await shop.retry(order.order_id, step)
        await shop.until_many(order.order_id, "held: payment", 2)
        accepted = await shop.payments.pay(order.order_id, PayRequest(token="tok_new"))
        assert accepted.outcome == "accepted"
        await shop.finish(order.order_id)
        assert (await kinds(shop, order.order_id)).count("capture") == 1
        assert (await shop.orders.get(order.order_id)).summary.payment_status == "paid"
        await shop.settled()


async def test_a_parcel_that_nobody_pays_in_time_is_not_sent(
    pool: Pool, temporal_client: Client
) -> None:
    shop = shop_with(pool, temporal_client, holds_for=timedelta(seconds=2))
    await shop.stocked("TEA", 2)
    order = an_order(("TEA", 2), token="tok_blocked")
    policy = a_policy(**PATIENT, renew_before=0.1, hand_over_within=1, pay_within=0.5)
    async with shop.working():
        first = await shop.placed(order, policy)
        bank(shop).blocked.add("tok_blocked")
        await shop.drive(first, "packed")
        result = await shop.result(order.order_id)
        assert result["outcome"] == "cancelled"
        cancelled = [
            e.why for e in await shop.orders.events(order.order_id) if e.what == "cancelled"
        ]
        assert "not paid within" in cancelled[0]
        assert "capture" not in await kinds(shop, order.order_id)
        assert (await shop.level("TEA")).available == 2
        await shop.settled()


async def test_the_authorization_of_a_charge_that_was_made_by_hand_is_released(
    shop: Shop,
) -> None:
    await shop.stocked("TEA", 2)
    order = an_order(("TEA", 2), token="tok_capture_refused")
    part = await shop.placed(order, a_policy(**PATIENT))
    await shop.drive(part, "shipped")
    step = await shop.parked(order.order_id)
    answer = AttentionAnswer(step=step, action="done", note="paid in cash")
    await shop.orders.resolve_attention(order.order_id, answer)
    await shop.finish(order.order_id)
    assert await paid(shop, order) == [("authorize", 25_00, "USD"), ("void", 25_00, "USD")]
    await shop.settled()


async def test_an_order_is_not_held_any_more_once_it_is_charged_however_late_the_hold_is_recorded(
    shop: Shop,
) -> None:
    await shop.stocked("TEA", 2)
    order = an_order(("TEA", 2))
    first = await shop.placed(order, a_policy(**PATIENT, charge="manual"))
    shop.faults.before("note_hold", times=1)
    await shop.drive(first, "packed")

    async def failed() -> bool:
        return shop.faults.calls["note_hold"] == 1

    await shop.until(failed, "the hold is not on record yet")
    charged = await shop.payments.charge(order.order_id, ChargeRequest(note="credit is good"))
    assert charged.outcome == "accepted"
    await shop.finish(order.order_id)
    await shop.settled()


async def test_an_authorization_that_ends_while_its_charge_waits_is_made_again(
    pool: Pool, temporal_client: Client
) -> None:
    shop = shop_with(pool, temporal_client, holds_for=timedelta(seconds=2))
    await shop.stocked("TEA", 4)
    good, bad = an_order(("TEA", 2)), an_order(("TEA", 2), token="tok_blocked")
    policy = a_policy(give_up_after=10, return_window=0.5, charge="manual")
    async with shop.working():
        for order in (good, bad):
            await shop.placed(order, policy)
        await asyncio.sleep(2.1)
        bank(shop).blocked.add("tok_blocked")
        charged = await shop.payments.charge(good.order_id, ChargeRequest(note="credit is good"))
        assert charged.outcome == "accepted"
        refused = await shop.payments.charge(bad.order_id, ChargeRequest(note="credit is good"))
        assert refused.outcome == "refused"
        assert "the card is blocked" in refused.message
        outcome = await shop.aftersales.cancel(bad.order_id, CancelRequest(reason="not paid"))
        assert outcome.outcome == "cancelled"
        await shop.finish(good.order_id)
        assert (await kinds(shop, good.order_id)).count("capture") == 1
        assert "capture" not in await kinds(shop, bad.order_id)
        await shop.settled()


async def test_the_authorization_of_a_parcel_that_then_cost_nothing_pays_for_the_next(
    pool: Pool, temporal_client: Client
) -> None:
    shop = shop_with(pool, temporal_client, captures="once")
    await shop.stocked("TEA", 2, "east")
    await shop.stocked("TEA", 5, "west")
    order = an_order(("TEA", 2), shipping=shipping("0"))
    async with shop.working():
        first = await shop.placed(order, a_policy(**PATIENT))
        await shop.task("pick", first)
        await shop.warehouse.pick(first, {"1": 1}, who="picker")
        found = f"{order.order_id}:2"
        await shop.drive(found, "labelled")  # with an authorization of its own
        await shop.warehouse.pack(first, who="packer")
        await shop.task("handover", first)
        await shop.warehouse.hand_over(first, who="packer")
        await shop.told(order.order_id, "charged")
        # What is sent in place of the lost unit is paid for: the parcel that is about to leave is
        # the first to go, so it costs nothing, and the one after it is charged, with what was
        # authorized for the other.
        await shop.scan(first, "failure")
        await shop.knows(order.order_id, f"{order.order_id}:3")
        await shop.finish(order.order_id)
        assert await paid(shop, order) == [
            ("authorize", 20_00, "USD"),
            ("authorize", 10_00, "USD"),
            ("capture", 10_00, "USD"),
            ("capture", 10_00, "USD"),
        ]
        await shop.settled()
