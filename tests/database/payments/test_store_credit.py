"""Store credit on the real database: a payment company's rules, and a balance that never breaks."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from activities.payments.provider import PaymentReceipt
from activities.provider_errors import DeclineCode, Declined, Unavailable
from activities.providers.store_credit import StoreCredit
from domain.accounting import accounts
from domain.accounting.accounts import Account
from domain.errors import Conflict, InvalidInput, Refused
from domain.money import Money
from domain.orders.order import TOTAL_MINOR_MAX
from starter.service.credit import Credit
from store.accounting import ledger
from store.database import Pool, open_pool
from store.payments import credit
from store.payments.credit_accounts import CreditAccount
from store.views import audit
from tests.support.payment_calls import (
    HUNDRED,
    OPERATIONS,
    ORDER,
    SIXTY,
    TEN,
    THIRTY,
    TRIED,
    held_up,
    outcomes,
)

CUSTOMER = "ALFKI"
SINCE = datetime(2026, 1, 1, tzinfo=UTC)

# What calls can be held up by: their key, their account, or their authorization.
HOLD_KEY = """
    INSERT INTO credit_operation (key, kind, request, code, who, why)
    VALUES ($1, 'void', '', 'held', '', null)
"""
HOLD_ACCOUNT = "SELECT FROM credit_account WHERE account_id = $1 FOR UPDATE"
HOLD_AUTHORIZATION = "SELECT FROM credit_authorization WHERE authorization_id = $1 FOR UPDATE"


@pytest.fixture
def payment(pool: Pool) -> StoreCredit:
    return StoreCredit(pool)


def usd(minor: int) -> Money:
    return Money(minor=minor, currency="USD")


async def given_credit(pool: Pool, amount: Money = HUNDRED, key: str = "gift") -> str:
    """A customer with so much credit; the account's id."""
    account = await Credit(pool).grant(key, CUSTOMER, amount, who="anna", why="gift")
    return account.account_id


async def account_of(pool: Pool, customer: str = CUSTOMER) -> CreditAccount:
    (account,) = await Credit(pool).accounts(customer)
    return account


async def figures(pool: Pool) -> tuple[int, int]:
    """(balance, held) of the customer's account."""
    account = await account_of(pool)
    return account.balance_minor, account.authorized_minor


async def authorized(
    payment: StoreCredit, token: str, *, amount: Money = HUNDRED, captured: Money | None = None
) -> str:
    """An authorization, captured in part if asked."""
    receipt = await payment.authorize(key="authorize", order_id=ORDER, amount=amount, token=token)
    if captured is not None:
        await payment.capture(key="capture", authorization=receipt.authorization, amount=captured)
    return receipt.authorization


async def prepared(
    payment: StoreCredit, pool: Pool, operation: str
) -> Callable[[], Coroutine[Any, Any, PaymentReceipt]]:
    """A call of this operation, under the key TRIED, that can be sent again and again."""
    token = await given_credit(pool, usd(200_00))
    if operation == "issue":
        return lambda: payment.issue(
            key=TRIED, customer_id=CUSTOMER, amount=TEN, who="anna", why="R", order_id=ORDER
        )
    if operation == "authorize":
        return lambda: payment.authorize(key=TRIED, order_id=ORDER, amount=HUNDRED, token=token)
    hold = await authorized(payment, token, captured=SIXTY)
    if operation == "capture":
        return lambda: payment.capture(key=TRIED, authorization=hold, amount=TEN)
    if operation == "void":
        return lambda: payment.void(key=TRIED, authorization=hold)
    return lambda: payment.refund(key=TRIED, authorization=hold, amount=TEN)


async def found(payment: StoreCredit, key: str) -> PaymentReceipt | None:
    return await payment.lookup(key=key, kind="capture", authorization=None, since=SINCE)


async def faults(pool: Pool) -> list[str]:
    """What the audit finds in the books."""
    async with pool.acquire() as conn:
        seen = await audit.look(conn)
    return [
        f"{item.rule}: {item.subject}: {item.message}"
        for item in (*seen.violations, *seen.suspects)
    ]


async def liability(pool: Pool, currency: str = "USD") -> int:
    async with pool.acquire() as conn:
        booked = await conn.fetchval(
            "SELECT -coalesce(sum(amount_minor), 0) FROM posting "
            "WHERE account = 'store_credit_liability' AND currency = $1",
            currency,
        )
    return int(booked)


# The way of the money


async def test_credit_is_authorized_spent_released_and_put_back(
    payment: StoreCredit, pool: Pool
) -> None:
    token = await given_credit(pool)
    hold = await authorized(payment, token)
    assert await figures(pool) == (100_00, 100_00)
    await payment.capture(key="c1", authorization=hold, amount=SIXTY)
    assert await figures(pool) == (40_00, 40_00)
    await payment.capture(key="c2", authorization=hold, amount=TEN)
    await payment.refund(key="r1", authorization=hold, amount=TEN)
    assert await figures(pool) == (40_00, 30_00)
    released = await payment.void(key="v", authorization=hold)
    assert await figures(pool) == (40_00, 0)
    await payment.refund(key="r2", authorization=hold, amount=SIXTY)
    assert await figures(pool) == (100_00, 0)

    done = await payment.operations(ORDER)
    assert [(receipt.kind, receipt.amount.minor) for receipt in done] == [
        ("authorize", 100_00),
        ("capture", 60_00),
        ("capture", 10_00),
        ("refund", 10_00),
        ("void", 30_00),
        ("refund", 60_00),
    ]
    assert {receipt.authorization for receipt in done} == {hold}
    assert {receipt.order_id for receipt in done} == {ORDER}
    assert len({receipt.reference for receipt in done}) == len(done)
    assert done[4] == released


async def test_too_little_credit_is_refused_for_good_under_its_key_with_what_there_is(
    payment: StoreCredit, pool: Pool
) -> None:
    token = await given_credit(pool, THIRTY)
    messages = set()
    for more in (TEN, SIXTY):
        with pytest.raises(Declined) as refused:
            await authorized(payment, token)
        assert refused.value.code == DeclineCode.INSUFFICIENT_FUNDS
        messages.add(refused.value.message)
        await given_credit(pool, more, key=f"more {more}")
    assert messages == {"there is not enough store credit; there is 30.00 USD"}
    with pytest.raises(Declined) as kept:
        await found(payment, "authorize")
    assert kept.value.code == DeclineCode.INSUFFICIENT_FUNDS
    assert await payment.operations(ORDER) == ()
    assert await figures(pool) == (100_00, 0)


async def test_credit_that_another_order_has_authorized_is_not_available(
    payment: StoreCredit, pool: Pool
) -> None:
    token = await given_credit(pool)
    await payment.authorize(key="one", order_id="web-1", amount=SIXTY, token=token)
    with pytest.raises(Declined, match=r"there is 40\.00 USD"):
        await payment.authorize(key="two", order_id="web-2", amount=SIXTY, token=token)


async def test_an_account_is_of_one_customer_and_currency_and_its_id_tells_nothing(
    pool: Pool,
) -> None:
    desk = Credit(pool)
    dollars = await desk.grant("g1", CUSTOMER, TEN, who="anna", why="gift")
    yen = await desk.grant("g2", CUSTOMER, Money(minor=10, currency="JPY"), who="anna", why="gift")
    others = await desk.grant("g3", "ANATR", TEN, who="anna", why="gift")
    again = await desk.grant("g4", CUSTOMER, TEN, who="anna", why="gift")
    assert again == dollars.model_copy(update={"balance_minor": 20_00})
    assert len({dollars.account_id, yen.account_id, others.account_id}) == 3
    assert list(await desk.accounts(CUSTOMER)) == [yen, again]
    assert await desk.accounts("NOBODY") == []
    assert not any(CUSTOMER in account.account_id for account in (dollars, yen))


async def test_it_can_do_what_it_says(payment: StoreCredit) -> None:
    can = payment.capabilities
    assert can.captures == "several"
    assert min(can.holds_for, can.keys_live) >= timedelta(days=3650)


# Keys


@pytest.mark.parametrize("operation", [*OPERATIONS, "issue"])
async def test_a_repeat_gets_the_first_answer_and_has_no_second_effect(
    payment: StoreCredit, pool: Pool, operation: str
) -> None:
    call = await prepared(payment, pool, operation)
    first = await call()
    before = await payment.operations(ORDER), await figures(pool)
    assert await call() == first
    assert await found(payment, first.key) == first
    assert (await payment.operations(ORDER), await figures(pool)) == before
    assert first in before[0]


@pytest.mark.parametrize("operation", [*OPERATIONS, "issue"])
async def test_concurrent_calls_with_one_key_have_one_effect(
    payment: StoreCredit, pool: Pool, operation: str
) -> None:
    call = await prepared(payment, pool, operation)
    before = len(await payment.operations(ORDER))
    calls: list[Awaitable[PaymentReceipt]] = [call() for _ in range(9)]
    async with held_up(pool, HOLD_KEY, TRIED) as queued:
        running = asyncio.create_task(outcomes(calls))
        await queued(9)
    answers = await running
    assert answers == [answers[0]] * 9
    assert isinstance(answers[0], PaymentReceipt)
    assert len(await payment.operations(ORDER)) == before + 1
    assert [fault for fault in await faults(pool) if fault.startswith("money")] == []


async def test_a_key_with_other_content_is_a_conflict_and_the_first_call_stands(
    payment: StoreCredit, pool: Pool
) -> None:
    token = await given_credit(pool, usd(200_00))
    hold = await authorized(payment, token)
    key = "c"
    first = await payment.capture(key=key, authorization=hold, amount=TEN)
    before = await payment.operations(ORDER), await figures(pool)
    gift: dict[str, Any] = {"key": key, "amount": TEN, "who": "anna", "why": "R"}
    others: list[Awaitable[PaymentReceipt]] = [
        payment.capture(key=key, authorization=hold, amount=SIXTY),
        payment.refund(key=key, authorization=hold, amount=TEN),
        payment.void(key=key, authorization=hold),
        payment.authorize(key=key, order_id=ORDER, amount=TEN, token=token),
        payment.issue(customer_id=CUSTOMER, order_id=ORDER, **gift),
    ]
    assert await outcomes(others) == [DeclineCode.IDEMPOTENCY_CONFLICT] * 5
    assert await found(payment, key) == first
    assert (await payment.operations(ORDER), await figures(pool)) == before


# Limits


async def test_what_is_above_the_limits_is_refused_and_changes_nothing(
    payment: StoreCredit, pool: Pool
) -> None:
    token = await given_credit(pool)
    hold = await authorized(payment, token, captured=SIXTY)
    before = await payment.operations(ORDER), await figures(pool)
    yen = Money(minor=10, currency="JPY")
    calls: list[Awaitable[PaymentReceipt]] = [
        payment.capture(key="k1", authorization=hold, amount=SIXTY),
        payment.refund(key="k2", authorization=hold, amount=HUNDRED),
        payment.capture(key="k3", authorization=hold, amount=yen),
        payment.refund(key="k4", authorization=hold, amount=yen),
        payment.authorize(key="k5", order_id=ORDER, amount=yen, token=token),
        payment.capture(key="k6", authorization="auth_none", amount=TEN),
        payment.refund(key="k7", authorization="auth_none", amount=TEN),
        payment.void(key="k8", authorization="auth_none"),
        payment.authorize(key="k9", order_id=ORDER, amount=TEN, token="credit_none"),
    ]
    assert (
        await outcomes(calls)
        == [DeclineCode.AMOUNT_TOO_LARGE] * 2
        + [DeclineCode.CURRENCY_MISMATCH] * 3
        + [DeclineCode.NOT_FOUND] * 4
    )
    with pytest.raises(Declined, match=r"there is 40\.00 USD"):
        await payment.capture(key="k1", authorization=hold, amount=SIXTY)
    assert (await payment.operations(ORDER), await figures(pool)) == before


async def test_a_voided_authorization_refuses_captures_and_a_second_void(
    payment: StoreCredit, pool: Pool
) -> None:
    hold = await authorized(payment, await given_credit(pool), captured=SIXTY)
    await payment.void(key="first", authorization=hold)
    calls: list[Awaitable[PaymentReceipt]] = [
        payment.capture(key="late", authorization=hold, amount=TEN),
        payment.void(key="second", authorization=hold),
    ]
    assert await outcomes(calls) == [DeclineCode.ALREADY_VOIDED] * 2
    assert await figures(pool) == (40_00, 0)


async def test_an_impossible_amount_is_refused_at_the_door_and_leaves_its_key_free(
    payment: StoreCredit, pool: Pool
) -> None:
    token = await given_credit(pool)
    hold = await authorized(payment, token, captured=SIXTY)
    calls: list[Awaitable[PaymentReceipt]] = []
    for amount in map(usd, (0, -5, 2**63)):
        calls += [
            payment.authorize(key="a", order_id=ORDER, amount=amount, token=token),
            payment.capture(key="c", authorization=hold, amount=amount),
            payment.refund(key="r", authorization=hold, amount=amount),
            payment.issue(key="i", customer_id=CUSTOMER, amount=amount, who="anna", why="R"),
        ]
    assert await outcomes(calls) == [DeclineCode.INVALID_AMOUNT] * 12
    assert [await found(payment, key) for key in "acri"] == [None] * 4
    assert (await payment.refund(key="r", authorization=hold, amount=TEN)).amount == TEN


async def test_what_cannot_be_counted_is_refused(payment: StoreCredit, pool: Pool) -> None:
    async def give(key: str, amount: Money) -> PaymentReceipt:
        return await payment.issue(
            key=key, customer_id=CUSTOMER, amount=amount, who="anna", why="R", order_id=ORDER
        )

    token = (await give("all", usd(2**63 - 1))).authorization
    assert await outcomes([give("more", TEN)]) == [DeclineCode.AMOUNT_TOO_LARGE]
    hold = await authorized(payment, token, captured=SIXTY)
    await give("again", SIXTY)
    back = payment.refund(key="r", authorization=hold, amount=TEN)
    assert await outcomes([back]) == [DeclineCode.AMOUNT_TOO_LARGE]
    assert (await account_of(pool)).balance_minor == 2**63 - 1
    with pytest.raises(Refused, match="more than can be counted"):
        await given_credit(pool)


# Races


async def test_of_many_orders_at_once_on_credit_for_one_exactly_one_wins(
    payment: StoreCredit, pool: Pool
) -> None:
    token = await given_credit(pool)
    calls: list[Awaitable[PaymentReceipt]] = [
        payment.authorize(key=f"a{n}", order_id=f"web-{n}", amount=HUNDRED, token=token)
        for n in range(20)
    ]
    async with held_up(pool, HOLD_ACCOUNT, token) as queued:
        running = asyncio.create_task(outcomes(calls))
        await queued(9)  # of a pool of ten
    answers = await running
    assert answers.count(DeclineCode.INSUFFICIENT_FUNDS) == 19
    assert await figures(pool) == (100_00, 100_00)


async def test_concurrent_captures_never_exceed_what_is_held(
    payment: StoreCredit, pool: Pool
) -> None:
    hold = await authorized(payment, await given_credit(pool))
    calls: list[Awaitable[PaymentReceipt]] = [
        payment.capture(key=f"c{n}", authorization=hold, amount=THIRTY) for n in range(9)
    ]
    async with held_up(pool, HOLD_AUTHORIZATION, hold) as queued:
        running = asyncio.create_task(outcomes(calls))
        await queued(9)
    assert (await running).count(DeclineCode.AMOUNT_TOO_LARGE) == 6
    assert await figures(pool) == (10_00, 10_00)


async def test_concurrent_refunds_never_exceed_what_was_captured(
    payment: StoreCredit, pool: Pool
) -> None:
    hold = await authorized(payment, await given_credit(pool), captured=SIXTY)
    calls: list[Awaitable[PaymentReceipt]] = [
        payment.refund(key=f"r{n}", authorization=hold, amount=THIRTY) for n in range(9)
    ]
    async with held_up(pool, HOLD_AUTHORIZATION, hold) as queued:
        running = asyncio.create_task(outcomes(calls))
        await queued(9)
    assert (await running).count(DeclineCode.AMOUNT_TOO_LARGE) == 7
    assert await figures(pool) == (100_00, 40_00)


async def test_a_void_among_captures_releases_exactly_what_they_left(
    payment: StoreCredit, pool: Pool
) -> None:
    hold = await authorized(payment, await given_credit(pool))
    calls: list[Awaitable[PaymentReceipt]] = [
        payment.capture(key=f"c{n}", authorization=hold, amount=TEN) for n in range(8)
    ]
    calls.insert(4, payment.void(key="v", authorization=hold))
    async with held_up(pool, HOLD_AUTHORIZATION, hold) as queued:
        running = asyncio.create_task(outcomes(calls))
        await queued(9)
    await running
    done = Counter[str]()
    for receipt in await payment.operations(ORDER):
        done[receipt.kind] += receipt.amount.minor
    assert done["capture"] + done["void"] == HUNDRED.minor
    assert await figures(pool) == (done["void"], 0)


async def test_everything_at_once_on_one_account_is_a_matter_of_turns(
    payment: StoreCredit, pool: Pool
) -> None:
    """No deadlock, and no update that starts from what another has changed meanwhile."""
    token = await given_credit(pool)
    holds = [
        (await payment.authorize(key=f"a{n}", order_id=f"web-{n}", amount=TEN, token=token))
        for n in range(3)
    ]
    one, two, three = (receipt.authorization for receipt in holds)
    await payment.capture(key="c0", authorization=one, amount=TEN)
    calls: list[Awaitable[PaymentReceipt]] = [
        payment.refund(key="r", authorization=one, amount=TEN),
        payment.capture(key="c", authorization=two, amount=TEN),
        payment.void(key="v", authorization=three),
        payment.authorize(key="a", order_id="web-4", amount=THIRTY, token=token),
        payment.issue(key="i", customer_id=CUSTOMER, amount=SIXTY, who="anna", why="R"),
    ]
    async with held_up(pool, HOLD_ACCOUNT, token) as queued:
        running = asyncio.create_task(outcomes(calls))
        await queued(5)
    assert all(isinstance(answer, PaymentReceipt) for answer in await running)
    assert await figures(pool) == (150_00, 30_00)
    assert [fault for fault in await faults(pool) if fault.startswith("money")] == []


async def test_a_first_gift_and_another_at_once_open_one_account(pool: Pool) -> None:
    desk = Credit(pool)
    await asyncio.gather(
        *(desk.grant(f"g{n}", CUSTOMER, TEN, who="anna", why="gift") for n in range(9))
    )
    assert await figures(pool) == (90_00, 0)


# Credit that is given


async def test_credit_for_a_refund_is_one_of_its_orders_effects_and_booked_by_the_caller(
    payment: StoreCredit, pool: Pool
) -> None:
    receipt = await payment.issue(
        key="web-1001:R1:refund",
        customer_id=CUSTOMER,
        amount=TEN,
        who="anna",
        why="R1",
        order_id=ORDER,
    )
    account = await account_of(pool)
    assert (receipt.kind, receipt.authorization) == ("refund", account.account_id)
    assert await payment.operations(ORDER) == (receipt,)
    assert await payment.list_day(receipt.at.date()) == (receipt,)
    assert await liability(pool) == 0


async def test_credit_given_in_a_transaction_ends_with_it(pool: Pool) -> None:
    async with pool.acquire() as conn:
        transaction = conn.transaction()
        await transaction.start()
        await credit.issue(conn, key="k", customer_id=CUSTOMER, amount=TEN, who="a", why="b")
        await transaction.rollback()
    assert await Credit(pool).accounts(CUSTOMER) == []


async def test_a_lost_race_for_a_key_does_not_end_the_callers_transaction(pool: Pool) -> None:
    content: dict[str, Any] = {"customer_id": CUSTOMER, "amount": TEN, "who": "a", "why": "b"}

    async def give() -> credit.Call:
        async with pool.acquire() as conn, conn.transaction():
            call = await credit.issue(conn, key=TRIED, **content)
            assert await conn.fetchval("SELECT 1") == 1
            return call

    async with held_up(pool, HOLD_KEY, TRIED) as queued:
        running = asyncio.gather(*(give() for _ in range(5)))
        await queued(5)
    calls = await running
    assert calls == [calls[0]] * 5
    assert await figures(pool) == (10_00, 0)


async def test_a_gift_is_booked_once_and_is_no_payment(payment: StoreCredit, pool: Pool) -> None:
    for _ in range(2):
        await given_credit(pool)
    assert await figures(pool) == (100_00, 0)
    async with pool.acquire() as conn:
        rows = await conn.fetch(
            "SELECT effect, memo, order_no, account, amount_minor, currency "
            "FROM journal_entry JOIN posting USING (entry_id) ORDER BY amount_minor"
        )
    entry = ("credit:gift", "store credit of 100.00 USD given: gift", None)
    assert [tuple(row) for row in rows] == [
        (*entry, "store_credit_liability", -100_00, "USD"),
        (*entry, "refunds", 100_00, "USD"),
    ]
    assert await payment.list_day(datetime.now(UTC).date()) == ()
    assert await faults(pool) == []


async def test_booked_as_its_callers_do_the_liability_is_the_sum_of_the_balances(
    payment: StoreCredit, pool: Pool
) -> None:
    token = await given_credit(pool)
    hold = await authorized(payment, token)
    receipts = [
        *await payment.operations(ORDER),
        await payment.capture(key="c", authorization=hold, amount=SIXTY),
        await payment.refund(key="r", authorization=hold, amount=TEN),
        await payment.issue(
            key="i", customer_id="ANATR", amount=THIRTY, who="anna", why="R", order_id=ORDER
        ),
        await payment.void(key="v", authorization=hold),
    ]
    booked = {
        "capture": partial(accounts.captured, prepaid=False, way=Account.STORE_CREDIT),
        "refund": partial(accounts.refund_issued, way=Account.STORE_CREDIT),
    }
    unbooked = [fault for fault in await faults(pool) if fault.startswith("ledger")]
    assert unbooked == []  # their outcomes are not recorded yet
    async with pool.acquire() as conn:
        await conn.execute("SET session_replication_role = replica")  # without an authorization
        for done in receipts:
            await conn.execute(
                "INSERT INTO customer_order (order_id, channel, seller, channel_order_id, digest, "
                "policy, document, currency, total_minor, placed_at) "
                "VALUES ($1, 'web', 'main', $1, '', '{}', '{}', 'USD', 0, now()) "
                "ON CONFLICT DO NOTHING",
                done.order_id,
            )
            await conn.execute(
                "INSERT INTO payment_operation (payment_key, order_no, kind, amount_minor, "
                "currency, state, provider, reference, settled_at, authorization_key) "
                "VALUES ($1, order_no_of($2), $3, $4, 'USD', 'succeeded', 'store_credit', $5, "
                "now(), $6)",
                *(done.key, done.order_id, done.kind, done.amount.minor, done.reference),
                done.key if done.kind == "authorize" else "another",
            )
        await conn.execute("RESET session_replication_role")
        unbooked = [
            fault for fault in await faults(pool) if "is booked as store_credit_liability" in fault
        ]
        assert len(unbooked) == 3
        for done in receipts:
            if done.kind not in booked:
                continue
            moved = booked[done.kind](done.amount.minor)
            await ledger.post(
                conn,
                effect=done.key,
                memo=done.kind,
                currency="USD",
                postings=moved,
                order_id=ORDER,
            )
    balances = (await account_of(pool)).balance_minor + (
        await account_of(pool, "ANATR")
    ).balance_minor
    assert await liability(pool) == balances == 80_00
    assert [fault for fault in await faults(pool) if "store credit" in fault] == []


async def test_another_gift_under_one_key_is_a_conflict(pool: Pool) -> None:
    await given_credit(pool)
    desk = Credit(pool)
    for customer, amount in ((CUSTOMER, TEN), ("ANATR", HUNDRED)):
        with pytest.raises(Conflict, match="gift was used for other credit"):
            await desk.grant("gift", customer, amount, who="anna", why="gift")
    assert await figures(pool) == (100_00, 0)
    assert await desk.accounts("ANATR") == []
    assert await liability(pool) == 100_00


async def test_a_gift_of_nothing_or_of_too_much_is_refused(pool: Pool) -> None:
    for minor in (0, -1, TOTAL_MINOR_MAX + 1):
        with pytest.raises(InvalidInput, match="more than zero and at most"):
            await given_credit(pool, usd(minor))
    assert await Credit(pool).accounts(CUSTOMER) == []
    assert await liability(pool) == 0


async def test_a_gift_that_cannot_be_booked_is_not_given(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def closed(*_: object, **__: object) -> None:
        raise Refused("the period is closed")

    monkeypatch.setattr("store.accounting.ledger.post", closed)
    with pytest.raises(Refused, match="closed"):
        await given_credit(pool)
    assert await Credit(pool).accounts(CUSTOMER) == []


# Days, and a database that is away


async def test_a_day_is_that_of_utc_and_its_effects_are_in_order(
    payment: StoreCredit, pool: Pool
) -> None:
    token = await given_credit(pool)
    await authorized(payment, token, captured=SIXTY)
    with pytest.raises(Declined):
        await payment.authorize(key="no", order_id=ORDER, amount=HUNDRED, token=token)
    done = await payment.operations(ORDER)
    day = done[0].at.astimezone(UTC).date()
    if done[-1].at.astimezone(UTC).date() == day:  # midnight may have passed meanwhile
        assert await payment.list_day(day) == done
    assert await payment.list_day(day - timedelta(days=1)) == ()
    async with pool.acquire() as conn:
        await conn.execute("SET session_replication_role = replica")
        for kind, at in (("authorize", "00:00:00"), ("capture", "23:59:59.999999")):
            await conn.execute(
                "UPDATE credit_operation SET at = $2::timestamptz WHERE kind = $1",
                kind,
                datetime.fromisoformat(f"2026-03-01T{at}+00:00"),
            )
        await conn.execute("RESET session_replication_role")
    listed = await payment.list_day(datetime(2026, 3, 1, tzinfo=UTC).date())
    assert [receipt.kind for receipt in listed] == ["authorize", "capture"]


async def test_a_database_that_is_away_leaves_the_outcome_open(database_url: str) -> None:
    pool = await open_pool(database_url, size_max=1)
    payment = StoreCredit(pool)
    pool.terminate()
    with pytest.raises(Unavailable, match="lost its database during authorize"):
        await payment.authorize(key="a", order_id=ORDER, amount=TEN, token="credit_none")


async def test_a_connection_that_breaks_leaves_the_outcome_open(
    payment: StoreCredit, pool: Pool
) -> None:
    hold = await authorized(payment, await given_credit(pool))
    async with held_up(pool, HOLD_AUTHORIZATION, hold) as queued:
        running = asyncio.create_task(payment.capture(key="c", authorization=hold, amount=TEN))
        await queued(1)
        async with pool.acquire() as conn:
            await conn.execute("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE NOT granted")
        with pytest.raises(Unavailable, match="lost its database during capture"):
            await running
    assert await found(payment, "c") is None
    assert (await payment.capture(key="c", authorization=hold, amount=TEN)).amount == TEN


# What holds whatever the code does


async def test_what_was_done_stays_written(pool: Pool) -> None:
    await given_credit(pool)
    async with pool.acquire() as conn:
        for change in ("UPDATE credit_operation SET why = null", "DELETE FROM credit_operation"):
            with pytest.raises(asyncpg.RestrictViolationError, match="append-only"):
                await conn.execute(change)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["issue", "authorize", "capture", "void", "refund"]),
        st.integers(0, 3),  # of the authorizations that there are, or another customer
        st.integers(1, 60),
    ),
    min_size=5,
    max_size=25,
)


@settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=STEPS, together=st.booleans())
async def test_whatever_is_asked_the_balance_covers_the_holds_and_the_sums_agree(
    pool: Pool, steps: list[tuple[str, int, int]], together: bool
) -> None:
    payment, desk = StoreCredit(pool), Credit(pool)
    async with pool.acquire() as conn:
        run = await conn.fetchval("SELECT nextval('credit_reference')")
    customer = f"C-{run}"
    opened = await desk.grant(f"{run}:gift", customer, usd(50), who="test", why="gift")
    holds: list[str] = []
    gifts = Counter[str](gift=50)

    async def step(number: int, kind: str, which: int, minor: int) -> None:
        key, amount = f"{run}:{number}", usd(minor)
        hold = holds[which % len(holds)] if holds else "auth_none"
        try:
            match kind:
                case "issue":
                    await desk.grant(key, customer, amount, who="test", why="gift")
                    gifts["gift"] += minor
                case "authorize":
                    receipt = await payment.authorize(
                        key=key, order_id=customer, amount=amount, token=opened.account_id
                    )
                    holds.append(receipt.authorization)
                case "capture":
                    await payment.capture(key=key, authorization=hold, amount=amount)
                case "void":
                    await payment.void(key=key, authorization=hold)
                case _:
                    await payment.refund(key=key, authorization=hold, amount=amount)
        except Declined:
            pass

    running = [step(number, *what) for number, what in enumerate(steps)]
    if together:
        await asyncio.gather(*running)
    else:
        for one in running:
            await one

    account = await account_of(pool, customer)
    balance = held = 0
    for line in await desk.history(account.account_id):
        balance += line.balance_change
        held += line.authorized_change
        assert 0 <= held <= balance
    assert (account.balance_minor, account.authorized_minor) == (balance, held)
    done = Counter[str]()
    for receipt in await payment.operations(customer):
        done[receipt.kind] += receipt.amount.minor
    assert balance == gifts["gift"] - done["capture"] + done["refund"]
    assert held == done["authorize"] - done["capture"] - done["void"]
    assert [fault for fault in await faults(pool) if fault.startswith(("money", "ledger"))] == []
