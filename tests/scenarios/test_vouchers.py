"""Gift cards and vouchers as means of payment, end to end."""

from __future__ import annotations

from decimal import Decimal

import pytest

from domain.errors import InvalidInput
from domain.money import Money
from domain.orders.exchange_messages import ExchangeRequest, RestPayment
from domain.orders.messages import CancelRequest, PayRequest, RefundRequest
from domain.orders.voucher_codes import kept
from domain.payments.vouchers import CodeKind, ToIssue, Voucher
from store.payments import vouchers
from store.payments.vouchers import Change
from store.views import audit
from tests.scenarios.test_payment import paid
from tests.support.builders import a_policy, an_order
from tests.support.shop import Shop

PATIENT = a_policy(give_up_after=60, return_window=60, refund_tenders="by_ratio")


async def given(shop: Shop, amount: str, kind: CodeKind = "gift_card") -> dict[str, str]:
    """A tender that pays with a new one of so many US dollars."""
    money = Money(minor=int(Decimal(amount) * 100), currency="USD")
    async with shop.pool.acquire() as conn:
        made = await vouchers.give(
            conn, ToIssue(kind=kind, amount=money), Change(f"{kind} {amount}", "anna", "test")
        )
    assert made.code is not None
    return {"provider": kind, "token": made.code, "amount": amount}


async def all_of(shop: Shop) -> dict[str, Voucher]:
    """By their kind."""
    async with shop.pool.acquire() as conn:
        return {one.kind: one for one in await vouchers.listed(conn)}


async def agree(shop: Shop) -> None:
    """The audit finds nothing about money."""
    async with shop.pool.acquire() as conn:
        seen = await audit.look(conn)
    assert [one for one in (*seen.violations, *seen.suspects) if one.rule != "liveness"] == []


async def test_a_gift_card_pays_first_gets_its_part_back_and_goodwill_becomes_a_voucher(
    shop: Shop,
) -> None:
    await shop.stocked("TEA", 9)
    order = an_order(("TEA", 2), tenders=[await given(shop, "10.00")])
    part = await shop.placed(order, PATIENT)
    assert (await all_of(shop))["gift_card"].available_minor == 0
    await shop.drive(part, "delivered")
    await shop.told(order.order_id, "charged")

    async def all_charged() -> bool:
        return len(await paid(shop, order)) == 2

    await shop.until(all_charged, "the card is charged")
    assert (await all_of(shop))["gift_card"].state == "spent"

    sorry = RefundRequest(reason="it was wet", amount=Decimal("5.00"))
    assert (await shop.aftersales.refund(order.order_id, sorry)).outcome == "refunded"
    assert (await all_of(shop))["gift_card"].balance_minor == 2_00
    assert (await paid(shop, order))[2:] == [("refund", 3_00, "USD")]

    gift = RefundRequest(reason="and late", lines=(), shipping=True, to="voucher")
    assert (await shop.aftersales.refund(order.order_id, gift)).outcome == "refunded"
    voucher = (await all_of(shop))["voucher"]
    assert (voucher.state, voucher.order_id) == ("uncoded", order.order_id)
    assert voucher.balance_minor == 4_00, "the rest of the shipping"
    await agree(shop)


async def test_an_order_that_is_cancelled_leaves_the_gift_card_as_it_was(shop: Shop) -> None:
    await shop.stocked("TEA", 9)
    order = an_order(("TEA", 2), tenders=[await given(shop, "20.00")])
    await shop.placed(order)
    await shop.aftersales.cancel(order.order_id, CancelRequest(reason="changed my mind"))
    await shop.result(order.order_id)
    card = (await all_of(shop))["gift_card"]
    assert (card.balance_minor, card.authorized_minor) == (20_00, 0)
    await agree(shop)


async def test_a_customer_may_pay_a_held_order_with_a_code_which_is_kept_nowhere(
    shop: Shop,
) -> None:
    await shop.stocked("TEA", 9)
    tender = await given(shop, "10.00", "voucher")
    order = an_order(("TEA", 2), token="tok_action_required", tenders=[tender])
    await shop.orders.place(order, policy=PATIENT)
    card = await given(shop, "50.00")
    for wrong in (kept(card["token"]), "V000-0000-0000-0000-0001"):
        with pytest.raises(InvalidInput, match="is not a code") as refused:
            await shop.payments.pay(order.order_id, PayRequest(token=wrong, provider="gift_card"))
        assert refused.value.reason == "no_such_code"
        rest = RestPayment(provider="gift_card", token=wrong)
        with pytest.raises(InvalidInput, match=r"payment\.token: is not a code"):
            await shop.exchanges.exchange(
                order.order_id, ExchangeRequest(reason="too small", payment=rest)
            )
    paying = PayRequest(token=card["token"].lower(), provider="gift_card")
    assert (await shop.payments.pay(order.order_id, paying)).outcome == "accepted"
    assert (await all_of(shop))["gift_card"].authorized_minor == 15_00

    history = await shop.workflow(order.order_id).fetch_history()
    heard = "".join(repr(event.SerializeToString()) for event in history.events)
    seen = ""
    async with shop.pool.acquire() as conn:
        for table in await conn.fetch(
            "SELECT oid::regclass::text AS name FROM pg_class "
            "WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace"
        ):
            rows = await conn.fetch(f"SELECT t::text FROM {table['name']} t")
            seen += "".join(row[0] for row in rows)
    for code in (tender["token"], card["token"]):
        for written in (code, code.lower(), code.replace("-", "")):
            assert written not in seen + heard
    digest = kept(card["token"])
    assert (digest in seen, digest in heard) == (True, True), "these are the right places"
