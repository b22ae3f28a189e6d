"""What disputes do to orders, their money and the books, in whichever order they are told."""

from __future__ import annotations

import asyncio
import itertools
import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from activities.aftersales.returns import ApproveReturn
from activities.payments.contracts import Refund
from activities.providers.sandbox.webhooks import SignedEvent
from domain.errors import Refused
from domain.money import Money
from domain.orders.order import Order
from domain.payments.disputes import Dispute
from domain.payments.disputes import DisputeState as S
from store.database import Pool
from store.locks import lock_order
from store.orders import events
from store.payments import disputes, payments, provider_reads, refunds
from store.views import audit, reads
from tests.support.bench import Bench
from tests.support.builders import an_order, shipping
from tests.support.provider_desk import FEE_MINOR, Telling


@pytest.fixture
async def bench(pool: Pool) -> Bench:
    bench = Bench(pool)
    await bench.stocked("TEA", 100)
    return bench


@pytest.fixture
def company(pool: Pool) -> Telling:
    return Telling(pool)


async def shipped_and_paid(bench: Bench) -> Order:
    """An order of 20.00 that was sent and charged; the company knows it as auth_1."""
    order = an_order(("TEA", 2, "10.00"), shipping=shipping("0"))
    part = await bench.at(order, "shipped")
    await bench.charged(part)
    return order


async def books(pool: Pool, dispute_id: str = "dp_1") -> dict[str, int]:
    """Account → what the entries about a dispute add up to. Each of them is of its order."""
    async with pool.acquire() as conn:
        rows = await conn.fetch(
            """
            select account, sum(amount_minor)::bigint as amount
            from posting join journal_entry using (entry_id) join customer_order using (order_no)
            where effect like 'dispute:sandbox:' || $1 || ':%' group by account
            """,
            dispute_id,
        )
    return {row["account"]: row["amount"] for row in rows if row["amount"]}


async def disputed(pool: Pool) -> int:
    async with pool.acquire() as conn:
        amount: int = await conn.fetchval("select disputed from order_money")
    return amount


async def told(pool: Pool, order: Order) -> list[str]:
    async with pool.acquire() as conn:
        story = await reads.story(conn, order.order_id)
    return [event.what for event in story if event.what.startswith("dispute")]


TAKEN = {"disputes": 10_00, "cash_in_transit": -10_00 - FEE_MINOR, "provider_fees": FEE_MINOR}
WON = {"cash_in_transit": -FEE_MINOR, "provider_fees": FEE_MINOR}
LOST = {
    "write_offs": 10_00,
    "cash_in_transit": -10_00 - FEE_MINOR,
    "provider_fees": FEE_MINOR,
}

LIVES: dict[str, tuple[list[tuple[S, int, str, int]], int, dict[str, int]]] = {
    "won": (
        [
            (S.NEEDS_RESPONSE, 0, "opened", 0),
            (S.NEEDS_RESPONSE, 0, "funds_withdrawn", FEE_MINOR),
            (S.WON, 90, "closed", FEE_MINOR),
            (S.WON, 90, "funds_reinstated", FEE_MINOR),
        ],
        0,
        WON,
    ),
    "lost": (
        [
            (S.NEEDS_RESPONSE, 0, "opened", 0),
            (S.NEEDS_RESPONSE, 1, "funds_withdrawn", FEE_MINOR),
            (S.LOST, 90, "closed", FEE_MINOR),
        ],
        10_00,
        LOST,
    ),
    "an inquiry that became a chargeback": (
        [
            (S.WARNING_NEEDS_RESPONSE, 0, "opened", 0),
            (S.WARNING_UNDER_REVIEW, 10, "updated", 0),
            (S.NEEDS_RESPONSE, 20, "funds_withdrawn", FEE_MINOR),
            (S.UNDER_REVIEW, 30, "updated", FEE_MINOR),
        ],
        10_00,
        TAKEN,
    ),
    "an inquiry and no more": (
        [(S.WARNING_NEEDS_RESPONSE, 0, "opened", 0), (S.WARNING_CLOSED, 90, "closed", 0)],
        0,
        {},
    ),
    "lost, and won on appeal": (
        [
            (S.NEEDS_RESPONSE, 0, "funds_withdrawn", FEE_MINOR),
            (S.LOST, 30, "closed", FEE_MINOR),
            (S.APPEAL_UNDER_REVIEW, 40, "updated", FEE_MINOR),
            (S.WON, 90, "closed", FEE_MINOR),
        ],
        0,
        WON,
    ),
}


@pytest.mark.parametrize("life", LIVES)
async def test_in_any_order_the_same_is_known_held_and_booked(
    pool: Pool, bench: Bench, company: Telling, life: str
) -> None:
    order = await shipped_and_paid(bench)
    pieces, held, balances = LIVES[life]
    last = max(pieces, key=lambda piece: piece[1])
    orders = list(itertools.permutations(pieces))
    for number, sequence in enumerate(orders):
        dispute_id = f"dp_{number}"
        before = await disputed(pool)
        await company.tell(
            *(
                company.dispute("auth_1", state, at, what=what, fee_minor=fee, id=dispute_id)
                for state, at, what, fee in sequence
            )
        )
        await company.worked_through()
        assert await books(pool, dispute_id) == balances, sequence
        assert await disputed(pool) - before == held, sequence
    async with pool.acquire() as conn:
        rows = await provider_reads.disputes(conn, at_most=1000)
        assert await conn.fetchval("select count(*) from provider_event where tries > 0") == 0
    assert len(rows) == len(orders)
    assert {(row.order_id, row.state, row.said_at == rows[0].said_at) for row in rows} == {
        (order.order_id, last[0], True)
    }


async def test_a_dispute_goes_its_way_step_by_step(
    pool: Pool, bench: Bench, company: Telling
) -> None:
    order = await shipped_and_paid(bench)
    stock = await bench.level("TEA")

    async def hear(state: S, second: int, what: str, fee: int = FEE_MINOR) -> None:
        event = company.dispute("auth_1", state, second, what=what, fee_minor=fee)
        await company.tell(event, event)
        await company.worked_through()

    await hear(S.WARNING_NEEDS_RESPONSE, 0, "opened", fee=0)
    assert (await disputed(pool), await books(pool)) == (0, {})
    await hear(S.NEEDS_RESPONSE, 1, "updated", fee=0)
    await hear(S.NEEDS_RESPONSE, 1, "funds_withdrawn")
    assert (await disputed(pool), await books(pool)) == (10_00, TAKEN)
    await hear(S.UNDER_REVIEW, 2, "updated")
    assert (await disputed(pool), await books(pool)) == (10_00, TAKEN)
    await hear(S.LOST, 3, "closed")
    assert (await disputed(pool), await books(pool)) == (10_00, LOST)
    await hear(S.NEEDS_RESPONSE, 1, "updated")  # late
    assert (await disputed(pool), await books(pool)) == (10_00, LOST)
    assert await told(pool, order) == [
        "dispute: warning needs response",
        "dispute: needs response",
        "dispute: under review",
        "dispute: lost",
    ]
    async with pool.acquire() as conn:
        sums = await payments.sums(conn, order.order_id)
        calls = [payment.kind for payment in await payments.of_order(conn, order.order_id)]
        (row,) = await provider_reads.disputes(conn)
    assert (sums.captured, sums.refunded) == (20_00, 0)
    assert calls == ["authorize", "capture"]
    assert await bench.level("TEA") == stock
    assert row.payment_key == f"{order.order_id}:authorize"
    assert (row.reason, row.opened_at) == ("fraudulent", company.began)
    assert row.closed_at is not None


async def test_nothing_is_paid_back_while_a_bank_may_do_so_and_after_it_has(
    pool: Pool, bench: Bench, company: Telling
) -> None:
    order = await shipped_and_paid(bench)

    await bench.scan(f"{order.order_id}:1", "delivered")
    asked = itertools.count()

    async def refund() -> str:
        """Ask for a cent. Returns why not."""
        request_id = f"r{next(asked)}"
        answer = await bench.grant(order, request_id=request_id, amount=Decimal("0.01"))
        return answer.refused.message if answer.refused is not None else ""

    ways = [
        (S.WARNING_NEEDS_RESPONSE, True),
        (S.NEEDS_RESPONSE, False),
        (S.LOST, False),
        (S.APPEAL_UNDER_REVIEW, False),
        (S.WON, True),
    ]
    for second, (state, may) in enumerate(ways):
        await company.tell(company.dispute("auth_1", state, second))
        await company.worked_through()
        why_not = await refund()
        if may:
            assert why_not == ""
        else:
            assert re.search(r"disputes 10\.00 USD of order .* at the bank", why_not)


async def test_a_return_counted_meanwhile_is_owed_at_once_and_paid_back_after_the_bank_has_decided(
    pool: Pool, bench: Bench, company: Telling
) -> None:
    order = await shipped_and_paid(bench)
    await bench.scan(f"{order.order_id}:1", "delivered")
    units = {line.line_id: line.quantity for line in order.lines}
    ask = ApproveReturn(
        order_id=order.order_id, request_id="r1", units=units, reason="test", who="customer"
    )
    return_id = (await bench.returns.approve_return(ask)).return_id
    await company.tell(company.dispute("auth_1", S.NEEDS_RESPONSE, 0))
    await company.worked_through()

    counted = await bench.warehouse.receive_return(return_id, who="receiver")
    assert counted["received"] == units
    async with pool.acquire() as conn:
        (owed,) = await refunds.owed(conn)
    assert (owed.refund_id, owed.owed.minor) == (return_id, order.total_minor)
    with pytest.raises(Refused, match=r"wait until the bank has decided \(`orderloom disputes"):
        await bench.payments.refund_payment(Refund(refund_id=return_id))

    await company.tell(company.dispute("auth_1", S.WON, 1))
    await company.worked_through()
    await bench.payments.refund_payment(Refund(refund_id=return_id, attempt=2))
    async with pool.acquire() as conn:
        assert await refunds.owed(conn) == []
        assert (await payments.sums(conn, order.order_id)).refunded == order.total_minor


async def test_an_amount_that_changes_changes_what_is_held_and_booked(
    pool: Pool, bench: Bench, company: Telling
) -> None:
    await shipped_and_paid(bench)
    await company.tell(
        company.dispute("auth_1", S.NEEDS_RESPONSE, 0),
        company.dispute("auth_1", S.NEEDS_RESPONSE, 1, amount_minor=7_50),
    )
    await company.worked_through()
    assert await disputed(pool) == 7_50
    assert await books(pool) == {"disputes": 7_50, "cash_in_transit": -7_50}


async def test_two_disputes_of_one_order_are_held_together_and_end_apart(
    pool: Pool, bench: Bench, company: Telling
) -> None:
    await shipped_and_paid(bench)
    await company.tell(
        company.dispute("auth_1", S.NEEDS_RESPONSE, id="dp_1"),
        company.dispute("auth_1", S.NEEDS_RESPONSE, id="dp_2", amount_minor=5_00),
    )
    await company.worked_through()
    assert await disputed(pool) == 15_00
    await company.tell(company.dispute("auth_1", S.WON, 9, id="dp_1"))
    await company.worked_through()
    assert await disputed(pool) == 5_00


async def test_a_dispute_of_a_payment_that_is_not_known_is_kept_shown_and_books_nothing(
    pool: Pool, bench: Bench, company: Telling
) -> None:
    await shipped_and_paid(bench)
    await company.tell(
        company.dispute("auth_9", S.NEEDS_RESPONSE), company.dispute("auth_9", S.LOST, 5)
    )
    await company.worked_through()
    assert (await disputed(pool), await books(pool)) == (0, {})
    async with pool.acquire() as conn:
        (row,) = await provider_reads.disputes(conn)
    assert (row.order_id, row.payment_key, row.state) == (None, None, S.LOST)


async def test_a_dispute_that_comes_before_its_payment_is_known_finds_its_order_later(
    pool: Pool, bench: Bench, company: Telling
) -> None:
    order = await shipped_and_paid(bench)
    async with pool.acquire() as conn:
        forget = "update payment_operation set reference = null where reference = 'auth_1'"
        await conn.execute(forget)
    await company.tell(company.dispute("auth_1", S.NEEDS_RESPONSE))
    await company.worked_through()
    assert await disputed(pool) == 0
    async with pool.acquire() as conn:
        told_late = "update payment_operation set reference = 'auth_1' where kind = 'authorize'"
        await conn.execute(told_late)
    await asyncio.gather(*(Telling(pool).worked_through() for _ in range(5)))
    assert await disputed(pool) == 10_00
    assert await books(pool) == {"disputes": 10_00, "cash_in_transit": -10_00}
    assert await told(pool, order) == ["dispute: needs response"]


async def test_pieces_told_to_many_workers_at_once_come_to_the_same(
    pool: Pool, bench: Bench, company: Telling
) -> None:
    order = await shipped_and_paid(bench)
    pieces: list[SignedEvent] = [
        company.dispute("auth_1", state, second, fee_minor=FEE_MINOR)
        for second, state in enumerate([S.NEEDS_RESPONSE, S.UNDER_REVIEW, S.LOST] * 4)
    ]
    await asyncio.gather(*(company.tell(piece) for piece in pieces))
    await asyncio.gather(*(Telling(pool).worked_through() for _ in range(8)))
    async with pool.acquire() as conn:
        waiting = await provider_reads.provider_events(conn, failed=True)
    assert waiting == []
    assert (await disputed(pool), await books(pool)) == (10_00, LOST)
    assert (await told(pool, order))[-1] == "dispute: lost"


ABROAD: dict[str, Any] = {"amount_minor": 67_00, "currency": "EUR", "fee_minor": FEE_MINOR}


async def test_a_dispute_in_another_currency_blocks_refunds_at_once_and_a_person_books_it(
    pool: Pool, bench: Bench, company: Telling
) -> None:
    order = await shipped_and_paid(bench)
    due = company.began + timedelta(days=7)
    opened = company.dispute("auth_1", S.NEEDS_RESPONSE, respond_by=int(due.timestamp()), **ABROAD)
    await company.tell(opened, opened)
    await company.worked_through()
    async with pool.acquire() as conn:
        assert await provider_reads.provider_events(conn, failed=True) == []
        (row,) = await provider_reads.disputes(conn, open_only=True)
        assert (row.order_id, row.respond_by) == (order.order_id, due)
        why = await payments.why_no_refund(conn, order.order_id)
        (asked,) = await events.open_attention(conn, [order.order_id])
        summary = (await reads.detail(conn, order.order_id)).summary
    assert "disputes 67.00 EUR of order" in why
    assert (asked["step"], asked["allowed"]) == ("book_dispute sandbox:dp_1", ["done"])
    assert f"evidence is due by {due:%Y-%m-%d}" in asked["reason"]
    assert summary.payment_status == "disputed"
    answer = await bench.grant(order, lines=[{"line_id": "1", "quantity": 2}])
    assert answer.refused is not None
    assert "67.00 EUR" in answer.refused.message
    # The fee is booked, once; the amount is not converted.
    assert (await disputed(pool), await books(pool)) == (0, WON)
    assert (await told(pool, order)) == ["dispute: needs response"]
    await audit_is_clean(pool)


async def test_once_it_is_won_refunds_are_allowed_and_nobody_is_asked_to_book_it(
    pool: Pool, bench: Bench, company: Telling
) -> None:
    order = await shipped_and_paid(bench)
    pieces = [
        company.dispute("auth_1", S.NEEDS_RESPONSE, **ABROAD),
        company.dispute("auth_1", S.WON, 90, what="closed", **ABROAD),
    ]
    for told_in in (pieces, pieces[::-1]):
        await company.tell(*told_in)
        await company.worked_through()
    async with pool.acquire() as conn:
        assert await payments.why_no_refund(conn, order.order_id) == ""
        assert await events.open_attention(conn, [order.order_id]) == []
    assert await books(pool) == WON
    await audit_is_clean(pool)


async def test_once_it_is_lost_refunds_stay_blocked_and_what_is_done_by_hand_was_not_the_bank(
    pool: Pool, bench: Bench, company: Telling
) -> None:
    order = await shipped_and_paid(bench)
    granted = (await bench.grant(order, amount="4.00")).granted
    assert granted is not None
    await company.tell(company.dispute("auth_1", S.LOST, what="closed", **ABROAD))
    await company.worked_through()
    with pytest.raises(Refused, match=r"67\.00 EUR"):
        await bench.payments.refund_payment(Refund(refund_id=granted.refund_id))
    by_hand = Refund(refund_id=granted.refund_id, by_hand="the bank gave it back")
    await bench.payments.refund_payment(by_hand)
    async with pool.acquire() as conn:
        lost = await disputes.booked(
            conn, order.order_id, "book_dispute sandbox:dp_1", "booked", who="ann"
        )
        assert lost, "a person was asked"
        assert await events.open_attention(conn, [order.order_id]) == []
        assert "67.00 EUR" in await payments.why_no_refund(conn, order.order_id)
    assert await books(pool) == WON
    await audit_is_clean(pool)


async def test_a_dispute_of_more_than_was_charged_is_booked_as_it_is_and_blocks_refunds(
    pool: Pool, bench: Bench, company: Telling
) -> None:
    order = await shipped_and_paid(bench)
    more: dict[str, Any] = {"amount_minor": 24_00, "fee_minor": 20_00}
    await company.tell(
        company.dispute("auth_1", S.NEEDS_RESPONSE, **more),
        company.dispute("auth_1", S.LOST, 5, what="closed", **more),
    )
    await company.worked_through()
    assert await books(pool) == {
        "cash_in_transit": -44_00,
        "provider_fees": 20_00,
        "write_offs": 24_00,
    }
    refused = (await bench.grant(order, amount="1.00")).refused
    assert refused is not None
    await audit_is_clean(pool)


async def audit_is_clean(pool: Pool) -> None:
    async with pool.acquire() as conn:
        found = await audit.look(conn)
    assert [x for x in (*found.violations, *found.suspects) if x.rule != "lines"] == []


async def test_the_order_is_locked_while_a_dispute_changes_it(
    pool: Pool, bench: Bench, company: Telling
) -> None:
    order = await shipped_and_paid(bench)
    await company.tell(company.dispute("auth_1", S.NEEDS_RESPONSE))
    async with pool.acquire() as conn, conn.transaction():
        await lock_order(conn, order.order_id)
        working = asyncio.create_task(company.worked_through())
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(working), 0.3)
    await working
    assert await disputed(pool) == 10_00


async def test_disputes_are_found_by_order_and_by_being_open(
    pool: Pool, bench: Bench, company: Telling
) -> None:
    order = await shipped_and_paid(bench)
    await company.tell(
        company.dispute("auth_1", S.NEEDS_RESPONSE, id="open"),
        company.dispute("auth_1", S.LOST, id="lost"),
        company.dispute("auth_9", S.WARNING_UNDER_REVIEW, id="unknown"),
    )
    await company.worked_through()

    async def found(**filters: Any) -> set[str]:
        async with pool.acquire() as conn:
            return {row.dispute_id for row in await provider_reads.disputes(conn, **filters)}

    assert await found() == {"open", "lost", "unknown"}
    assert await found(order_id=order.order_id) == {"open", "lost"}
    assert await found(open_only=True) == {"open", "unknown"}
    assert await found(open_only=True, order_id=order.order_id) == {"open"}


async def test_the_books_of_a_dispute_balance_in_each_currency(
    pool: Pool, bench: Bench, company: Telling
) -> None:
    order = await shipped_and_paid(bench)
    async with pool.acquire() as conn, conn.transaction():
        await lock_order(conn, order.order_id)
        piece = Dispute(
            dispute_id="dp_1",
            subjects=("auth_1",),
            amount=Money(minor=10_00, currency="USD"),
            fee=Money(minor=FEE_MINOR, currency="EUR"),
            state=S.NEEDS_RESPONSE,
            opened_at=company.began,
            said_at=company.began,
        )
        await disputes.hear(conn, "sandbox", piece)
    async with pool.acquire() as conn:
        rows = await conn.fetch(
            """
            select currency, account, amount_minor from posting
            join journal_entry using (entry_id) where effect like 'dispute:%'
            """
        )
    assert {(row["currency"], row["account"], row["amount_minor"]) for row in rows} == {
        ("USD", "disputes", 10_00),
        ("USD", "cash_in_transit", -10_00),
        ("EUR", "provider_fees", FEE_MINOR),
        ("EUR", "cash_in_transit", -FEE_MINOR),
    }
