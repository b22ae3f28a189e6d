"""The sandbox payment company: its answers, its keys and its limits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Coroutine
from typing import Any

import pytest

from activities.providers.errors import DeclineCode, Declined
from activities.providers.payment import PaymentReceipt
from activities.providers.sandbox.payment import SandboxPayment
from domain.money import Money
from store.database import CheckViolation, Pool, open_pool
from tests.integration.payment_calls import (
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
        await payment.lookup(key="authorize")
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
    seen = await payment.lookup(key="authorize")
    assert not waiting.done()
    assert seen is not None
    assert await waiting == seen.authorization
    assert time.monotonic() - started >= 0.4
    await only_one.close()


# Keys


@pytest.mark.parametrize("operation", OPERATIONS)
async def test_a_repeat_gets_the_first_answer_and_has_no_second_effect(
    payment: SandboxPayment, pool: Pool, operation: str
) -> None:
    call = await prepared(payment, operation)
    first = await call()
    before = await payment.operations(ORDER)
    assert await call() == first
    assert await payment.lookup(key=first.key) == first
    assert await payment.operations(ORDER) == before
    async with pool.acquire() as connection:
        assert await connection.fetchval("SELECT count(*) FROM sandbox.payment") == 1


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


async def test_a_key_with_other_content_is_a_conflict_and_the_first_call_stands(
    payment: SandboxPayment,
) -> None:
    authorization = await authorized(payment)
    key = "c"
    first = await payment.capture(key=key, authorization=authorization, amount=TEN)
    before = await payment.operations(ORDER)
    others: list[Awaitable[PaymentReceipt]] = [
        payment.capture(key=key, authorization=authorization, amount=SIXTY),
        payment.refund(key=key, authorization=authorization, amount=TEN),
        payment.void(key=key, authorization=authorization),
        payment.authorize(key=key, order_id=ORDER, amount=TEN, token="tok_ok"),
    ]
    assert await outcomes(others) == [DeclineCode.IDEMPOTENCY_CONFLICT] * 4
    assert await payment.lookup(key=key) == first
    assert await payment.operations(ORDER) == before


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


async def test_what_is_above_the_limits_is_refused_and_changes_nothing(
    payment: SandboxPayment,
) -> None:
    authorization = await authorized(payment, captured=SIXTY)
    before = await payment.operations(ORDER)
    yen = Money(minor=10, currency="JPY")
    assert (
        await outcomes(
            [
                payment.capture(key="k1", authorization=authorization, amount=SIXTY),
                payment.refund(key="k2", authorization=authorization, amount=HUNDRED),
                payment.capture(key="k3", authorization=authorization, amount=yen),
                payment.refund(key="k4", authorization=authorization, amount=yen),
                payment.capture(key="k5", authorization="auth_none", amount=TEN),
                payment.refund(key="k6", authorization="auth_none", amount=TEN),
                payment.void(key="k7", authorization="auth_none"),
            ]
        )
        == [DeclineCode.AMOUNT_TOO_LARGE] * 2
        + [DeclineCode.CURRENCY_MISMATCH] * 2
        + [DeclineCode.NOT_FOUND] * 3
    )
    assert await payment.operations(ORDER) == before


async def test_a_voided_authorization_refuses_captures_and_a_second_void(
    payment: SandboxPayment,
) -> None:
    authorization = await authorized(payment, captured=SIXTY)
    await payment.void(key="first", authorization=authorization)
    before = await payment.operations(ORDER)
    assert (
        await outcomes(
            [
                payment.capture(key="late", authorization=authorization, amount=TEN),
                payment.void(key="second", authorization=authorization),
            ]
        )
        == [DeclineCode.ALREADY_VOIDED] * 2
    )
    assert await payment.operations(ORDER) == before


@pytest.mark.parametrize("minor", [0, -5, 2**63])
async def test_an_impossible_amount_is_refused_at_the_door_and_leaves_its_key_free(
    payment: SandboxPayment, minor: int
) -> None:
    authorization = await authorized(payment, captured=SIXTY)
    key = "r"
    with pytest.raises(Declined) as refused:
        await payment.refund(
            key=key, authorization=authorization, amount=Money(minor=minor, currency="USD")
        )
    assert refused.value.code == DeclineCode.INVALID_AMOUNT
    assert await payment.lookup(key=key) is None
    assert (await payment.refund(key=key, authorization=authorization, amount=TEN)).amount == TEN


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
