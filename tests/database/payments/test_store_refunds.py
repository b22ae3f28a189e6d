"""Refunds under contention: many calls for one order, the real database, the sandbox company."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from activities.provider_errors import Declined
from activities.providers.sandbox.payment import Card
from domain.errors import Refused
from domain.money import Money
from domain.orders.messages import LineRequest
from domain.payments.disputes import Dispute, DisputeState
from starter.service.order_records import OrderRecords
from store.accounting import documents, ledger
from store.database import Pool
from store.payments import disputes, payments, refunds
from tests.database.orders.hundred import (
    HUNDRED,
    authorized,
    captured,
    granted,
    left,
    of_a_hundred,
    refunded,
    refusals_of,
    sums,
)
from tests.support.bench import Bench
from tests.support.builders import an_order


@pytest.fixture
async def bench(pool: Pool) -> Bench:
    bench = Bench(pool)
    await bench.stocked("TEA", 100)
    return bench


async def test_s15_of_two_refunds_of_60_against_100_one_is_refused(bench: Bench) -> None:
    order = await captured(bench, of_a_hundred())
    refusals = await refusals_of(refunded(bench, order, number, 60_00, 5) for number in (1, 2))
    assert [type(refusal) for refusal in refusals] == [Refused]
    assert "paying back 60.00 USD would exceed what order" in str(refusals[0])
    assert await sums(bench, order) == (HUNDRED, HUNDRED, 60_00)


async def test_s15_many_refunds_at_once_give_back_what_was_captured_and_no_more(
    bench: Bench,
) -> None:
    order = await captured(bench, of_a_hundred())
    refusals = await refusals_of(refunded(bench, order, number, 30_00, 1) for number in range(10))
    assert len(refusals) == 7
    assert await sums(bench, order) == (HUNDRED, HUNDRED, 90_00)


@pytest.mark.parametrize("minor", [-1, -60_00])
async def test_s15_a_negative_amount_is_refused(bench: Bench, minor: int) -> None:
    order = await captured(bench, of_a_hundred())
    before = await bench.everything()
    with pytest.raises(Refused, match="must not be negative"):
        await granted(bench, order, 1, minor)
    assert await bench.everything() == before


async def test_a_refund_that_the_company_refused_stays_owed_and_keeps_its_room(
    bench: Bench,
) -> None:
    order = await captured(bench, of_a_hundred(Card.REFUND_REFUSED))
    ask = await granted(bench, order, 1, 60_00, 6)
    with pytest.raises(Declined, match="the bank refused the refund"):
        await bench.payments.refund_payment(ask)
    with pytest.raises(Refused, match="would exceed"):
        await granted(bench, order, 2, 60_00, 6)
    # A new try of the first one is not a second debt.
    with pytest.raises(Declined):
        await bench.payments.refund_payment(ask.model_copy(update={"attempt": 2}))
    assert await sums(bench, order) == (HUNDRED, HUNDRED, 0)
    async with bench.pool.acquire() as conn:
        assert (await payments.sums(conn, order.order_id)).refund_granted == 60_00


async def test_nothing_is_owed_back_that_is_not_due_and_nothing_refunded_before_it_was_captured(
    bench: Bench,
) -> None:
    order = await authorized(bench, of_a_hundred())
    with pytest.raises(Refused, match=r"exceed what order .* was charged"):
        await granted(bench, order, 1, 1)
    await left(bench, order, 1, 10)
    with pytest.raises(Refused):
        await refunded(bench, order, 1, 1)
    assert await sums(bench, order) == (HUNDRED, 0, 0)


async def test_a_refund_books_what_it_pays_back_beside_what_was_invoiced(bench: Bench) -> None:
    order = an_order(("TEA", 2, "10.00"))
    part = await bench.at(order, "shipped")
    await bench.charged(part)
    await bench.scan(part, "delivered")
    lines = (LineRequest(line_id="1", quantity=1),)
    await bench.refunded(order, lines=lines, shipping=True)
    async with bench.pool.acquire() as conn:
        rows = await conn.fetch(
            "select account, sum(amount_minor)::bigint from posting group by account"
        )
    assert {row[0]: row[1] for row in rows} == {
        "cash_in_transit": 12_50,
        "receivables": 0,
        "refunds_payable": 0,
        "refunds": 12_50,
        "revenue": -20_00,
        "shipping_income": -5_00,
    }


async def test_a_refund_that_is_asked_for_while_a_charge_is_under_way_gets_what_is_charged_already(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = await authorized(bench, of_a_hundred())
    await bench.payments.charge_payment(await left(bench, order, 1, 4))
    second = await left(bench, order, 2, 6)
    ask = await granted(bench, order, 1, HUNDRED, 10)
    real = bench.payment.capture
    paid_back = []

    async def meanwhile(**content: Any) -> Any:
        not_yet = r"60\.00 USD of \S+ cannot go back yet: 60\.00 USD of \S+ is not charged"
        with pytest.raises(Refused, match=not_yet):
            await bench.payments.refund_payment(ask)
        paid_back.append(await sums(bench, order))
        return await real(**content)

    monkeypatch.setattr(bench.payment, "capture", meanwhile)
    await bench.payments.charge_payment(second)
    assert paid_back == [(HUNDRED, 40_00, 40_00)]
    await bench.payments.refund_payment(ask.model_copy(update={"attempt": 2}))
    assert await sums(bench, order) == (HUNDRED, HUNDRED, HUNDRED)


async def test_a_refund_of_what_was_paid_by_hand_is_owed_until_it_is_paid_by_hand(
    bench: Bench,
) -> None:
    order = await authorized(bench, of_a_hundred())
    in_cash = (await left(bench, order, 1, 10)).model_copy(update={"by_hand": "in cash"})
    await bench.payments.charge_payment(in_cash)
    ask = await granted(bench, order, 1, 60_00, 6)
    for _ in range(2):
        with pytest.raises(Refused, match="was paid by hand: pay it back by hand"):
            await bench.payments.refund_payment(ask)
    async with bench.pool.acquire() as conn:
        (owed,) = await refunds.owed(conn)
        balance = {str(p.account): p.amount_minor for p in await ledger.trial_balance(conn)}
    assert (owed.refund_id, owed.owed.minor) == (ask.refund_id, 60_00)
    assert balance["refunds_payable"] == -60_00
    await bench.payments.refund_payment(ask.model_copy(update={"by_hand": "in cash, too"}))
    async with bench.pool.acquire() as conn:
        assert await refunds.owed(conn) == []
        issued = await documents.of_order(conn, order.order_id)
    assert [document.kind for document in issued] == ["invoice", "credit_note"]


async def test_a_refund_is_shown_with_its_order(bench: Bench) -> None:
    order = await authorized(bench, of_a_hundred())
    await bench.payments.charge_payment(await left(bench, order, 1, 10))
    ask = await granted(bench, order, 1, 60_00, 6)
    (shown,) = (await OrderRecords(bench.pool).get(order.order_id)).refunds
    assert (shown.refund_id, shown.owed.minor) == (ask.refund_id, 60_00)


async def test_of_a_refund_what_was_charged_goes_back_and_what_was_paid_by_hand_is_asked_for(
    bench: Bench,
) -> None:
    order = await authorized(bench, of_a_hundred())
    await bench.payments.charge_payment(await left(bench, order, 1, 4))
    in_cash = (await left(bench, order, 2, 6)).model_copy(update={"by_hand": "in cash"})
    await bench.payments.charge_payment(in_cash)
    ask = await granted(bench, order, 1, HUNDRED, 10)
    for attempt in (1, 1, 2):
        with pytest.raises(Refused, match=r"60\.00 USD of \S+ was paid by hand"):
            await bench.payments.refund_payment(ask.model_copy(update={"attempt": attempt}))
        async with bench.pool.acquire() as conn:
            (owed,) = await refunds.owed(conn)
        assert owed.owed.minor == 60_00
    await bench.payments.refund_payment(ask.model_copy(update={"by_hand": "in cash, too"}))
    async with bench.pool.acquire() as conn:
        made = await payments.of_part(conn, order.order_id, "refund", ask.refund_id)
        assert await refunds.owed(conn) == []
    assert [(p.provider, p.amount_minor) for p in made] == [("sandbox", 40_00), ("by_hand", 60_00)]


async def test_s18_no_more_of_refunds_counts_as_given_by_the_bank_than_it_has_taken(
    bench: Bench,
) -> None:
    order = await captured(bench, of_a_hundred())
    usd = Money(minor=30_00, currency="USD")
    async with bench.pool.acquire() as conn, conn.transaction():
        (authorization,) = await payments.authorizations(conn, order.order_id)
        lost = Dispute(
            dispute_id="dp_1",
            subjects=(str(authorization.reference),),
            amount=usd,
            fee=Money(minor=0, currency="USD"),
            state=DisputeState.LOST,
            moves=1,
            opened_at=datetime.now(UTC),
            said_at=datetime.now(UTC),
        )
        await disputes.hear(conn, "sandbox", lost)
    for number in (1, 2):
        ask = await granted(bench, order, number, 20_00, 2)
        await bench.payments.refund_payment(ask.model_copy(update={"by_hand": "done"}))
    async with bench.pool.acquire() as conn:
        balance = {str(p.account): p.amount_minor for p in await ledger.trial_balance(conn)}
    assert "write_offs" not in balance  # 30 of 40 was the bank's
    assert balance["cash_in_transit"] == HUNDRED - 30_00 - 10_00


@pytest.mark.parametrize("to", ["original", "store_credit"])
async def test_s18_what_was_owed_before_a_dispute_is_not_paid_back_while_the_bank_decides(
    bench: Bench, to: str
) -> None:
    order = await captured(bench, of_a_hundred(Card.REFUND_REFUSED))
    ask = await granted(bench, order, 1, 60_00, 6)
    with pytest.raises(Declined):
        await bench.payments.refund_payment(ask)
    async with bench.pool.acquire() as conn:
        await conn.execute("update order_money set disputed = 100_00")
    again = ask.model_copy(update={"attempt": 2, "to": to})
    with pytest.raises(Refused, match=r"the customer disputes 100\.00 USD"):
        await bench.payments.refund_payment(again)
    async with bench.pool.acquire() as conn:
        tried = await payments.of_part(conn, order.order_id, "refund", ask.refund_id)
        assert [payment.state for payment in tried] == ["failed"]
        assert [owed.refund_id for owed in await refunds.owed(conn)] == [ask.refund_id]
