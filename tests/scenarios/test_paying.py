"""Who is charged when: per parcel, at confirmation, by hand, or once a bank agrees. End to end."""

from __future__ import annotations

import pytest
from temporalio.client import Client

from domain.errors import Refused
from domain.orders.messages import CancelRequest, ChargeRequest, LineRequest, PayRequest
from store.database import Pool
from tests.scenarios.bank import PATIENT, bank, kinds, shop_with
from tests.scenarios.test_payment import paid
from tests.support.builders import a_policy, an_order, shipping
from tests.support.shop import Shop


async def test_s13_at_a_company_that_charges_once_each_parcel_has_its_own_authorization(
    pool: Pool, temporal_client: Client
) -> None:
    shop = shop_with(pool, temporal_client, captures="once")
    await shop.stocked("TEA", 2, "east")
    await shop.stocked("MUG", 1, "west")
    order = an_order(("TEA", 2, "12.50"), ("MUG", 1, "25.00"), shipping=shipping("0"))
    async with shop.working():
        await shop.placed(order)
        assert await paid(shop, order) == [("authorize", 25_00, "USD")] * 2
        await shop.finish(order.order_id)
        operations = await shop.payment.operations(order.order_id)
        captures = [done for done in operations if done.kind == "capture"]
        assert [done.amount.minor for done in captures] == [25_00, 25_00]
        assert len({done.authorization for done in captures}) == 2
        await shop.settled()


async def test_the_rest_of_a_stopped_parcel_is_charged_through_its_own_authorization(
    pool: Pool, temporal_client: Client
) -> None:
    shop = shop_with(pool, temporal_client, captures="once")
    await shop.stocked("TEA", 3)
    order = an_order(("TEA", 3), shipping=shipping("0"))
    async with shop.working():
        first = await shop.placed(order)
        await shop.drive(first, "packed")
        one = CancelRequest(reason="one less", lines=(LineRequest(line_id="1", quantity=1),))
        assert (await shop.aftersales.cancel(order.order_id, one)).outcome == "cancelled"
        await shop.finish(order.order_id)
        assert await paid(shop, order) == [("authorize", 30_00, "USD"), ("capture", 20_00, "USD")]
        await shop.settled()


async def test_a_customer_who_confirms_pays_for_every_parcel_that_is_paid_for_alone(
    pool: Pool, temporal_client: Client
) -> None:
    shop = shop_with(pool, temporal_client, captures="once")
    await shop.stocked("TEA", 2, "east")
    await shop.stocked("MUG", 1, "west")
    order = an_order(
        ("TEA", 2, "12.50"),
        ("MUG", 1, "30.00"),
        shipping=shipping("0"),
        token="tok_action_required",
    )
    async with shop.working():
        assert (await shop.orders.place(order)).outcome == "held"
        paying = await shop.payments.pay(order.order_id, PayRequest(token="tok_confirmed"))
        assert paying.outcome == "accepted"
        await shop.placed(order)
        assert sorted(await paid(shop, order)) == [
            ("authorize", 25_00, "USD"),
            ("authorize", 30_00, "USD"),
        ]
        await shop.finish(order.order_id)
        await shop.settled()


async def test_of_an_order_that_cannot_be_paid_for_in_full_nothing_stays_authorized(
    pool: Pool, temporal_client: Client
) -> None:
    shop = shop_with(pool, temporal_client, captures="once")
    bank(shop).most = 29_99
    await shop.stocked("TEA", 2, "east")
    await shop.stocked("MUG", 1, "west")
    order = an_order(("TEA", 2, "12.50"), ("MUG", 1, "30.00"), shipping=shipping("0"))
    async with shop.working():
        placement = await shop.orders.place(order)
        assert (placement.outcome, placement.reason) == (
            "rejected",
            "there is not so much on the card",
        )
        await shop.result(order.order_id)
        assert await paid(shop, order) == [("authorize", 25_00, "USD"), ("void", 25_00, "USD")]
        await shop.settled()


async def test_an_order_that_the_bank_wants_confirmed_is_held_until_a_new_token_comes(
    shop: Shop,
) -> None:
    await shop.stocked("TEA", 2)
    order = an_order(("TEA", 2), token="tok_action_required")
    placement = await shop.orders.place(order)
    assert placement.outcome == "held"
    assert "confirm" in placement.reason
    assert (await shop.orders.place(order)).outcome == "held"  # asked again: the same answer
    refused = await shop.payments.pay(order.order_id, PayRequest(token="tok_decline"))
    assert refused.outcome == "refused"
    pay = PayRequest(token="tok_confirmed", request_id="P-1")
    accepted = await shop.payments.pay(order.order_id, pay)
    assert accepted.outcome == "accepted"
    assert (await shop.orders.place(order)).outcome == "confirmed"
    with pytest.raises(Refused, match="waits for no payment"):
        await shop.payments.pay(order.order_id, PayRequest(token="tok_again"))
    assert await shop.payments.pay(order.order_id, pay) == accepted  # the answer is remembered
    await shop.finish(order.order_id)
    assert await paid(shop, order) == [("authorize", 25_00, "USD"), ("capture", 25_00, "USD")]
    await shop.settled()


async def test_an_order_that_is_not_confirmed_at_the_bank_in_time_is_rejected(shop: Shop) -> None:
    await shop.stocked("TEA", 2)
    order = an_order(("TEA", 2), token="tok_action_required")
    policy = a_policy(**PATIENT, pay_within=0.3)
    assert (await shop.orders.place(order, policy=policy)).outcome == "held"
    result = await shop.result(order.order_id)
    assert result["outcome"] == "rejected"
    assert "not paid within" in result["reason"]
    assert (await shop.level("TEA")).available == 2
    await shop.settled()


async def test_an_order_that_waits_for_its_payment_can_be_cancelled(shop: Shop) -> None:
    await shop.stocked("TEA", 2)
    order = an_order(("TEA", 2), token="tok_action_required")
    assert (await shop.orders.place(order)).outcome == "held"
    outcome = await shop.aftersales.cancel(order.order_id, CancelRequest(reason="changed my mind"))
    assert outcome.outcome == "cancelled"
    assert (await shop.result(order.order_id))["outcome"] == "cancelled"
    assert (await shop.level("TEA")).available == 2
    await shop.settled()


async def test_what_is_charged_at_confirmation_and_cancelled_is_paid_back(shop: Shop) -> None:
    await shop.stocked("TEA", 3)
    order = an_order(("TEA", 3, "10.00"), shipping=shipping("1.00"))
    first = await shop.placed(order, a_policy(**PATIENT, charge="at_confirmation"))
    await shop.told(order.order_id, "charged")
    assert await paid(shop, order) == [("authorize", 31_00, "USD"), ("capture", 31_00, "USD")]
    await shop.drive(first, "packed")
    one = CancelRequest(reason="one less", lines=(LineRequest(line_id="1", quantity=1),))
    assert (await shop.aftersales.cancel(order.order_id, one)).outcome == "cancelled"
    await shop.finish(order.order_id)
    assert (await paid(shop, order))[2:] == [("refund", 10_34, "USD")]
    assert await balances(shop, order.order_id) == {
        "cash_in_transit": 20_66,
        "revenue": -20_00,
        "shipping_income": -66,
    }
    await shop.settled()


async def test_an_order_whose_charge_at_confirmation_is_refused_is_cancelled_by_itself(
    shop: Shop,
) -> None:
    await shop.stocked("TEA", 3)
    order = an_order(("TEA", 3), token="tok_capture_refused")
    policy = a_policy(**PATIENT, charge="at_confirmation")
    assert (await shop.orders.place(order, policy=policy)).outcome == "confirmed"
    result = await shop.result(order.order_id)
    assert (result["outcome"], result["reason"]) == ("cancelled", "the charge was refused")
    assert await kinds(shop, order.order_id) == ["authorize", "void"]
    assert (await shop.level("TEA")).available == 3
    await shop.settled()


async def test_what_one_of_two_means_had_paid_is_paid_back_where_the_other_is_refused(
    shop: Shop,
) -> None:
    await shop.stocked("TEA", 3)
    tender = await shop.credit_of("10.00")
    order = an_order(("TEA", 2, "10.00"), tenders=[tender], token="tok_capture_refused")
    policy = a_policy(**PATIENT, charge="at_confirmation")
    assert (await shop.orders.place(order, policy=policy)).outcome == "confirmed"
    result = await shop.result(order.order_id)
    assert (result["outcome"], result["reason"]) == ("cancelled", "the charge was refused")
    detail = await shop.orders.get(order.order_id)
    assert (detail.summary.captured_minor, detail.summary.refunded_minor) == (10_00, 10_00)
    (again,) = await shop.credit.accounts("C-1")
    assert again.balance_minor == 10_00
    assert await kinds(shop, order.order_id) == ["authorize", "void"]  # of the card
    assert await balances(shop, order.order_id) == {}
    await shop.settled()


async def balances(shop: Shop, order_id: str) -> dict[str, int]:
    """What the journal says of an order: account → balance, without zeros."""
    async with shop.pool.acquire() as conn:
        rows = await conn.fetch(
            "select account, sum(amount_minor)::bigint as balance from posting "
            "join journal_entry using (entry_id) where order_no = order_no_of($1) "
            "and account not in ('inventory', 'cost_of_goods_sold') "
            "group by account having sum(amount_minor) <> 0",
            order_id,
        )
    return {row["account"]: row["balance"] for row in rows}


async def test_what_is_charged_by_hand_leaves_when_somebody_has_said_so(shop: Shop) -> None:
    await shop.stocked("TEA", 2)
    order = an_order(("TEA", 2))
    first = await shop.placed(order, a_policy(**PATIENT, charge="manual"))
    await shop.drive(first, "packed")
    await shop.told(order.order_id, "held: payment")
    assert await paid(shop, order) == [("authorize", 25_00, "USD")]
    charged = await shop.payments.charge(order.order_id, ChargeRequest(note="credit is good"))
    assert charged.outcome == "accepted"
    with pytest.raises(Refused, match="told so before"):
        await shop.payments.charge(order.order_id, ChargeRequest(note="again"))
    assert (await paid(shop, order))[1:] == [("capture", 25_00, "USD")]
    await shop.finish(order.order_id)
    await shop.settled()


async def test_an_order_that_nobody_charges_can_be_cancelled(shop: Shop) -> None:
    await shop.stocked("TEA", 2)
    await shop.stocked("MUG", 1, "west")
    order = an_order(("TEA", 2), ("MUG", 1))
    first = await shop.placed(order, a_policy(**PATIENT, charge="manual"))
    await shop.drive(first, "packed")
    await shop.drive(f"{order.order_id}:2", "packed")
    await shop.told(order.order_id, "held: payment")
    outcome = await shop.aftersales.cancel(order.order_id, CancelRequest(reason="too slow"))
    assert outcome.outcome == "cancelled"
    assert (await shop.result(order.order_id))["outcome"] == "cancelled"
    assert "capture" not in await kinds(shop, order.order_id)
    await shop.settled()


async def test_an_order_that_is_charged_at_shipment_cannot_be_charged_by_hand(shop: Shop) -> None:
    await shop.stocked("TEA", 2)
    order = an_order(("TEA", 2))
    await shop.placed(order)
    with pytest.raises(Refused, match="charged at shipment"):
        await shop.payments.charge(order.order_id, ChargeRequest(note="now"))
    await shop.finish(order.order_id)
    await shop.settled()
