"""The sandbox payment company: its answers, its keys and its limits."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Awaitable, Coroutine
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import pytest

from activities.payments.provider import PaymentReceipt
from activities.provider_errors import DeclineCode, Declined
from activities.providers.sandbox.payment import SandboxPayment, fee_of
from domain.money import Money
from store.database import CheckViolation, Pool, open_pool
from tests.support.payment_calls import (
    HOLD_AUTHORIZATION,
    HOLD_KEY,
    HUNDRED,
    OPERATIONS,
    ORDER,
    SIXTY,
    TEN,
    THIRTY,
    TRIED,
    authorized,
    company,
    effects,
    held_up,
    looked_up,
    outcomes,
    prepared,
)


@pytest.fixture
def payment(pool: Pool) -> SandboxPayment:
    return company(pool)


# The way of the money


async def test_an_authorization_is_captured_and_refunded_in_parts(payment: SandboxPayment) -> None:
    authorization = await authorized(payment)
    await payment.capture(key="c1", authorization=authorization, amount=SIXTY)
    await payment.capture(key="c2", authorization=authorization, amount=TEN)
    await payment.refund(key="r1", authorization=authorization, amount=TEN)
    released = await payment.void(key="v", authorization=authorization)
    await payment.refund(key="r2", authorization=authorization, amount=SIXTY)

    done = await payment.operations(ORDER)
    assert [(receipt.kind, receipt.amount.minor) for receipt in done] == [
        ("authorize", 100_00),
        ("capture", 60_00),
        ("capture", 10_00),
        ("refund", 10_00),
        ("void", 30_00),
        ("refund", 60_00),
    ]
    assert {receipt.authorization for receipt in done} == {authorization}
    assert {receipt.order_id for receipt in done} == {ORDER}
    assert len({receipt.reference for receipt in done}) == len(done)
    assert done[4] == released


@pytest.mark.parametrize(
    ("token", "code"),
    [
        ("tok_decline", DeclineCode.CARD_DECLINED),
        ("tok_insufficient_funds", DeclineCode.INSUFFICIENT_FUNDS),
        ("tok_action_required", DeclineCode.ACTION_REQUIRED),
    ],
)
async def test_a_bad_card_is_refused_for_good_under_its_key(
    payment: SandboxPayment, token: str, code: DeclineCode
) -> None:
    for _ in range(2):
        with pytest.raises(Declined) as refused:
            await authorized(payment, token=token)
        assert refused.value.code == code
    with pytest.raises(Declined) as kept:
        await looked_up(payment, key="authorize")
    assert kept.value.code == code
    assert await payment.operations(ORDER) == ()


async def test_a_card_can_refuse_captures_or_refunds_only(payment: SandboxPayment) -> None:
    stubborn = await authorized(payment, token="tok_capture_refused")
    with pytest.raises(Declined) as refused:
        await payment.capture(key="c", authorization=stubborn, amount=TEN)
    assert refused.value.code == DeclineCode.CAPTURE_REFUSED

    keeping = await authorized(payment, key="other", token="tok_refund_refused", captured=SIXTY)
    with pytest.raises(Declined) as refused:
        await payment.refund(key="r", authorization=keeping, amount=TEN)
    assert refused.value.code == DeclineCode.REFUND_REFUSED
    assert await effects(payment, "capture") != []
    assert await effects(payment, "refund") == []


async def test_a_slow_card_answers_late_and_holds_no_connection_meanwhile(
    database_url: str, pool: Pool
) -> None:
    only_one = await open_pool(database_url, size_max=1)
    payment = company(only_one)
    started = time.monotonic()
    waiting = asyncio.create_task(authorized(payment, token="tok_slow"))
    await asyncio.sleep(0.2)
    seen = await looked_up(payment, key="authorize")
    assert not waiting.done()
    assert seen is not None
    assert await waiting == seen.authorization
    assert time.monotonic() - started >= 0.4
    await only_one.close()


async def test_a_customer_who_confirms_comes_with_a_token_under_a_new_key(
    payment: SandboxPayment,
) -> None:
    with pytest.raises(Declined) as refused:
        await authorized(payment, token="tok_action_required")
    assert refused.value.code == DeclineCode.ACTION_REQUIRED
    await authorized(payment, key="authorize:2", token="tok_confirmed", captured=SIXTY)
    assert [receipt.key for receipt in await payment.operations(ORDER)] == [
        "authorize:2",
        "authorize:2:capture",
    ]


# One capture, and authorizations that end


async def test_a_company_that_captures_once_releases_the_rest(pool: Pool) -> None:
    payment = company(pool, captures="once")
    assert payment.capabilities.captures == "once"
    authorization = await authorized(payment, captured=SIXTY)
    assert await outcomes(
        [payment.capture(key="second", authorization=authorization, amount=TEN)]
    ) == [DeclineCode.AMOUNT_TOO_LARGE]
    released = await payment.void(key="v", authorization=authorization)
    assert released.amount.minor == 0
    await payment.refund(key="r", authorization=authorization, amount=SIXTY)
    async with pool.acquire() as connection:
        row = await connection.fetchrow("SELECT * FROM sandbox.payment")
    assert row is not None
    assert (row["captured_minor"], row["released_minor"], row["refunded_minor"]) == (
        60_00,
        40_00,
        60_00,
    )


async def test_of_captures_at_once_a_company_that_captures_once_takes_one(pool: Pool) -> None:
    payment = company(pool, captures="once")
    authorization = await authorized(payment)
    async with held_up(pool, HOLD_AUTHORIZATION, authorization) as queued:
        running = asyncio.create_task(
            outcomes(
                [
                    payment.capture(key=f"c{n}", authorization=authorization, amount=TEN)
                    for n in range(9)
                ]
            )
        )
        await queued(9)
    assert (await running).count(DeclineCode.AMOUNT_TOO_LARGE) == 8
    assert len(await effects(payment, "capture")) == 1


async def test_how_often_it_captures_holds_for_what_was_authorized_so(
    payment: SandboxPayment, pool: Pool
) -> None:
    authorization = await authorized(payment)
    strict = company(pool, captures="once")
    for n in range(2):
        await strict.capture(key=f"c{n}", authorization=authorization, amount=TEN)


@pytest.mark.parametrize("captures", ["several", "once"])
async def test_whatever_is_asked_the_parts_of_an_authorization_add_up(
    pool: Pool, captures: str
) -> None:
    payment, random = company(pool, captures=captures), Random(3)
    for number in range(4):
        authorization = await authorized(payment, key=f"a{number}")
        for step in range(16):
            amount = Money(minor=random.choice((1, 9_99, 30_00, 60_00)), currency="USD")
            key, kind = f"a{number}:{step}", random.choice(("capture", "capture", "refund", "void"))
            with contextlib.suppress(Declined):
                if kind == "void" and step > 9:
                    await payment.void(key=key, authorization=authorization)
                elif kind == "refund":
                    await payment.refund(key=key, authorization=authorization, amount=amount)
                else:
                    await payment.capture(key=key, authorization=authorization, amount=amount)
    sums: Counter[tuple[str, str]] = Counter()
    counts: Counter[tuple[str, str]] = Counter()
    for done in await payment.operations(ORDER):
        sums[done.authorization, done.kind] += done.amount.minor
        counts[done.authorization, done.kind] += 1
    for authorization in {authorization for authorization, _ in sums}:
        captured = sums[authorization, "capture"]
        assert 0 <= sums[authorization, "refund"] <= captured
        assert 0 < captured <= HUNDRED.minor
        if captures == "once":
            assert counts[authorization, "capture"] == 1
            assert sums[authorization, "void"] == 0
        elif counts[authorization, "void"]:
            assert captured + sums[authorization, "void"] == HUNDRED.minor


async def test_an_authorization_tells_until_when_it_can_be_charged(pool: Pool) -> None:
    payment = company(pool, holds_for=timedelta(days=3))
    assert payment.capabilities.holds_for == timedelta(days=3)
    await authorized(payment, captured=TEN)
    made, captured = await payment.operations(ORDER)
    assert made.expires_at is not None
    assert abs(made.expires_at - made.at - timedelta(days=3)) < timedelta(seconds=1)
    assert captured.expires_at is None
    assert await looked_up(payment, key="authorize") == made


async def test_what_has_expired_can_be_refunded_and_nothing_else(pool: Pool) -> None:
    payment = company(pool)
    authorization = await authorized(payment, captured=SIXTY)
    async with pool.acquire() as connection:
        await connection.execute("UPDATE sandbox.payment SET expires_at = clock_timestamp()")
    before = await payment.operations(ORDER)
    assert (
        await outcomes(
            [
                payment.capture(key="late", authorization=authorization, amount=TEN),
                payment.void(key="v", authorization=authorization),
            ]
        )
        == [DeclineCode.EXPIRED] * 2
    )
    with pytest.raises(Declined) as kept:
        await looked_up(payment, key="late")
    assert kept.value.code == DeclineCode.EXPIRED
    assert await payment.operations(ORDER) == before
    await payment.refund(key="r", authorization=authorization, amount=SIXTY)


async def test_an_authorization_that_ends_while_a_capture_waits_is_not_charged(
    pool: Pool,
) -> None:
    payment = company(pool, holds_for=timedelta(seconds=0.3))
    authorization = await authorized(payment)
    async with held_up(pool, HOLD_AUTHORIZATION, authorization) as queued:
        running = asyncio.create_task(
            outcomes([payment.capture(key="c", authorization=authorization, amount=TEN)])
        )
        await queued(1)
        await asyncio.sleep(0.3)
    assert await running == [DeclineCode.EXPIRED]


# What it tells of a day


@pytest.mark.parametrize(
    ("amount", "currency", "fee"),
    [
        (10_00, "USD", 40),
        (10_33, "USD", 40),  # 15.495
        (10_34, "USD", 41),  # 15.51
        (11_00, "USD", 42),  # 16.5, half up
        (25, "USD", 25),
        (24, "USD", 24),
        (1, "USD", 1),
        (500, "JPY", 33),
        (1_234, "KWD", 44),
        (2**63 - 1, "USD", 138_350_580_552_821_662),
    ],
)
def test_the_fee_is_a_share_and_a_fixed_amount_and_never_above_the_charge(
    amount: int, currency: str, fee: int
) -> None:
    assert fee_of(Money(minor=amount, currency=currency)) == Money(minor=fee, currency=currency)


async def test_a_day_lists_what_was_done_by_whomever_oldest_first(
    payment: SandboxPayment, pool: Pool
) -> None:
    authorization = await authorized(payment, captured=SIXTY)
    with pytest.raises(Declined):
        await payment.capture(key="refused", authorization=authorization, amount=SIXTY)
    await payment.refund(key="r", authorization=authorization, amount=TEN)
    async with pool.acquire() as connection:
        await connection.execute(
            """
            INSERT INTO sandbox.payment_call
                (key, kind, request, payment_reference, order_id, token, reference, amount_minor,
                 currency)
            SELECT NULL, 'refund', '', reference, '', token, 'ref_by_hand', 5, currency
            FROM sandbox.payment
            """
        )
    listed = await payment.list_day(datetime.now(UTC).date())
    assert listed[:3] == await payment.operations(ORDER)
    assert [(receipt.key, receipt.kind) for receipt in listed] == [
        ("authorize", "authorize"),
        ("authorize:capture", "capture"),
        ("r", "refund"),
        ("", "refund"),
    ]
    assert [receipt.fee for receipt in listed] == [None, fee_of(SIXTY), None, None]
    assert [receipt.at for receipt in listed] == sorted(receipt.at for receipt in listed)
    assert (listed[3].order_id, listed[3].authorization) == ("", authorization)


async def test_a_day_begins_at_midnight_and_ends_before_the_next(
    payment: SandboxPayment, pool: Pool
) -> None:
    midnights = [datetime(2026, 3, day, tzinfo=UTC) for day in (1, 2)]
    moments = [moment - timedelta(microseconds=before) for moment in midnights for before in (1, 0)]
    async with pool.acquire() as connection:
        for n, moment in enumerate(moments):
            await authorized(payment, key=f"a{n}")
            await connection.execute(
                "UPDATE sandbox.payment_call SET called_at = $1 WHERE key = $2", moment, f"a{n}"
            )
    listed = await payment.list_day(date(2026, 3, 1))
    assert [(receipt.key, receipt.at) for receipt in listed] == [
        ("a1", moments[1]),
        ("a2", moments[2]),
    ]


# Keys


@pytest.mark.parametrize("operation", OPERATIONS)
async def test_concurrent_calls_with_one_key_have_one_effect(
    payment: SandboxPayment, pool: Pool, operation: str
) -> None:
    call = await prepared(payment, operation)
    before = len(await payment.operations(ORDER))
    calls: list[Awaitable[PaymentReceipt]] = [call() for _ in range(9)]
    async with held_up(pool, HOLD_KEY, TRIED) as queued:
        running = asyncio.create_task(outcomes(calls))
        await queued(9)
    answers = await running
    assert answers == [answers[0]] * 9
    assert isinstance(answers[0], PaymentReceipt)
    assert len(await payment.operations(ORDER)) == before + 1


async def test_concurrent_calls_with_one_key_and_other_content_have_one_effect(
    payment: SandboxPayment, pool: Pool
) -> None:
    orders = [f"{ORDER}-{n}" for n in range(9)]
    async with held_up(pool, HOLD_KEY, TRIED) as queued:
        running = asyncio.create_task(
            outcomes(
                [
                    payment.authorize(key=TRIED, order_id=order, amount=TEN, token="tok_ok")
                    for order in orders
                ]
            )
        )
        await queued(9)
    answers = await running
    assert answers.count(DeclineCode.IDEMPOTENCY_CONFLICT) == 8
    (winner,) = [answer for answer in answers if isinstance(answer, PaymentReceipt)]
    kept = [await payment.operations(order) for order in orders]
    assert [receipt for receipts in kept for receipt in receipts] == [winner]


async def test_what_was_done_is_known_to_a_new_instance(
    payment: SandboxPayment, database_url: str
) -> None:
    authorization = await authorized(payment, captured=SIXTY)
    after_restart = await open_pool(database_url, size_max=1)
    restarted = company(after_restart)
    assert await restarted.operations(ORDER) == await payment.operations(ORDER)
    assert await authorized(restarted) == authorization
    with pytest.raises(Declined) as refused:
        await restarted.capture(key="c2", authorization=authorization, amount=SIXTY)
    assert refused.value.code == DeclineCode.AMOUNT_TOO_LARGE
    await after_restart.close()


# Limits


async def test_concurrent_captures_never_exceed_what_is_authorized(
    payment: SandboxPayment, pool: Pool
) -> None:
    authorization = await authorized(payment)
    async with held_up(pool, HOLD_AUTHORIZATION, authorization) as queued:
        running = asyncio.create_task(
            outcomes(
                [
                    payment.capture(key=f"c{n}", authorization=authorization, amount=THIRTY)
                    for n in range(9)
                ]
            )
        )
        await queued(9)
    assert (await running).count(DeclineCode.AMOUNT_TOO_LARGE) == 6
    assert len(await effects(payment, "capture")) == 3


async def test_concurrent_refunds_never_exceed_what_is_captured(
    payment: SandboxPayment, pool: Pool
) -> None:
    authorization = await authorized(payment, captured=SIXTY)
    async with held_up(pool, HOLD_AUTHORIZATION, authorization) as queued:
        running = asyncio.create_task(
            outcomes(
                [
                    payment.refund(key=f"r{n}", authorization=authorization, amount=THIRTY)
                    for n in range(9)
                ]
            )
        )
        await queued(9)
    assert (await running).count(DeclineCode.AMOUNT_TOO_LARGE) == 7
    assert len(await effects(payment, "refund")) == 2


async def test_a_call_that_waited_for_another_starts_from_what_that_one_left(
    payment: SandboxPayment, pool: Pool
) -> None:
    authorization = await authorized(payment)
    # Two at a time: of more that wait for one row, the database says not who is next.
    pairs: list[tuple[Coroutine[Any, Any, PaymentReceipt], ...]] = [
        (
            payment.capture(key="c", authorization=authorization, amount=SIXTY),
            payment.refund(key="r", authorization=authorization, amount=THIRTY),
        ),
        (
            payment.void(key="v", authorization=authorization),
            payment.capture(key="late", authorization=authorization, amount=TEN),
        ),
    ]
    done = []
    for pair in pairs:
        running = []
        async with held_up(pool, HOLD_AUTHORIZATION, authorization) as queued:
            for count, call in enumerate(pair, start=1):
                running.append(asyncio.create_task(call))
                await queued(count)
        done += await outcomes([*running])
    captured, refunded, released, late = done
    rest = await payment.refund(key="r2", authorization=authorization, amount=THIRTY)
    assert late == DeclineCode.ALREADY_VOIDED
    assert [
        done.amount.minor
        for done in (captured, refunded, released, rest)
        if isinstance(done, PaymentReceipt)
    ] == [60_00, 30_00, 40_00, 30_00]


async def test_a_void_among_captures_releases_exactly_what_they_left(
    payment: SandboxPayment, pool: Pool
) -> None:
    authorization = await authorized(payment)
    async with held_up(pool, HOLD_AUTHORIZATION, authorization) as queued:
        calls: list[Awaitable[PaymentReceipt]] = [
            payment.capture(key=f"c{n}", authorization=authorization, amount=TEN) for n in range(8)
        ]
        calls.insert(4, payment.void(key="v", authorization=authorization))
        running = asyncio.create_task(outcomes(calls))
        await queued(9)
    await running
    captured = sum(done.amount.minor for done in await effects(payment, "capture"))
    (released,) = await effects(payment, "void")
    assert captured + released.amount.minor == HUNDRED.minor


@pytest.mark.parametrize(
    "change",
    [
        "captured_minor = authorized_minor + 1",
        "refunded_minor = captured_minor + 1",
        "captured_minor = -1",
        "voided = true, released_minor = 1",
        "captures_once = true",
    ],
)
async def test_the_schema_holds_the_limits_on_its_own(
    payment: SandboxPayment, pool: Pool, change: str
) -> None:
    authorization = await authorized(payment, captured=SIXTY)
    async with pool.acquire() as connection:
        with pytest.raises(CheckViolation):
            await connection.execute(
                f"UPDATE sandbox.payment SET {change} WHERE reference = $1", authorization
            )


async def test_the_schema_refuses_a_capture_after_a_void(
    payment: SandboxPayment, pool: Pool
) -> None:
    authorization = await authorized(payment, captured=SIXTY)
    await payment.void(key="v", authorization=authorization)
    async with pool.acquire() as connection:
        with pytest.raises(CheckViolation):
            await connection.execute(
                "UPDATE sandbox.payment SET captured_minor = captured_minor + 1 "
                "WHERE reference = $1",
                authorization,
            )
