"""Payment calls that tests of the sandbox make: an order of 100.00 USD, taken in parts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from random import Random
from typing import Any

from activities.payments.provider import PaymentProvider, PaymentReceipt
from activities.provider_errors import DeclineCode, Declined
from activities.providers.sandbox.payment import Card, SandboxPayment
from domain.money import Money
from store.database import Pool

ORDER = "web-1001"
HUNDRED = Money(minor=100_00, currency="USD")
SIXTY = Money(minor=60_00, currency="USD")
THIRTY = Money(minor=30_00, currency="USD")
TEN = Money(minor=10_00, currency="USD")

OPERATIONS = ["authorize", "capture", "void", "refund"]

# The key of the call that `prepared` makes.
TRIED = "tried"

# What calls can be held up by: their key, or their authorization.
HOLD_KEY = """
    INSERT INTO sandbox.payment_call (key, kind, request, code) VALUES ($1, 'void', '', 'held')
"""
HOLD_AUTHORIZATION = "SELECT FROM sandbox.payment WHERE reference = $1 FOR UPDATE"


def company(pool: Pool, random: Random | None = None, **options: Any) -> SandboxPayment:
    """The sandbox payment company, in a hurry."""
    return SandboxPayment(
        pool, random=random or Random(1), slow_seconds=0.4, timeout_seconds=0.01, **options
    )


async def authorized(
    payment: PaymentProvider,
    *,
    key: str = "authorize",
    token: str = Card.OK,
    captured: Money | None = None,
) -> str:
    """An authorization of 100.00 USD, captured in part if asked."""
    receipt = await payment.authorize(key=key, order_id=ORDER, amount=HUNDRED, token=token)
    if captured is not None:
        await payment.capture(
            key=f"{key}:capture", authorization=receipt.authorization, amount=captured
        )
    return receipt.authorization


async def prepared(
    payment: PaymentProvider, operation: str
) -> Callable[[], Coroutine[Any, Any, PaymentReceipt]]:
    """A call of this operation, under the key TRIED, that can be sent again and again."""
    if operation == "authorize":
        return lambda: payment.authorize(key=TRIED, order_id=ORDER, amount=HUNDRED, token=Card.OK)
    authorization = await authorized(payment, captured=SIXTY)
    if operation == "capture":
        return lambda: payment.capture(key=TRIED, authorization=authorization, amount=TEN)
    if operation == "void":
        return lambda: payment.void(key=TRIED, authorization=authorization)
    return lambda: payment.refund(key=TRIED, authorization=authorization, amount=TEN)


async def looked_up(payment: PaymentProvider, *, key: str) -> PaymentReceipt | None:
    """What became of the key, at a company that needs no more than that."""
    since = datetime.now(UTC)
    return await payment.lookup(key=key, kind="capture", authorization=None, since=since)


async def effects(payment: PaymentProvider, kind: str) -> list[PaymentReceipt]:
    """The effects of one kind that the company has for the order."""
    return [done for done in await payment.operations(ORDER) if done.kind == kind]


async def outcomes(calls: list[Awaitable[PaymentReceipt]]) -> list[DeclineCode | PaymentReceipt]:
    """Send all calls at once: a receipt or the code of the refusal for each."""
    results = await asyncio.gather(*calls, return_exceptions=True)
    answers: list[DeclineCode | PaymentReceipt] = []
    for result in results:
        if isinstance(result, Declined):
            answers.append(result.code)
        elif isinstance(result, BaseException):
            raise result
        else:
            answers.append(result)
    return answers


@asynccontextmanager
async def held_up(
    pool: Pool, statement: str, *values: str
) -> AsyncIterator[Callable[[int], Awaitable[None]]]:
    """Calls made inside run into the locks of this statement, and are let go at the end.

    Yields a wait for a number of calls to stand in line, so that a race is one every time. The
    statement is rolled back.
    """
    async with pool.acquire() as connection:

        async def queued(count: int) -> None:
            for _ in range(1000):
                # Not pg_stat_activity, which a transaction sees as it was at its first look.
                if count == await connection.fetchval(
                    "SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted"
                ):
                    return
                await asyncio.sleep(0.01)
            raise TimeoutError(f"there are not {count} calls in line")

        transaction = connection.transaction()
        await transaction.start()
        await connection.execute(statement, *values)
        try:
            yield queued
        finally:
            await transaction.rollback()
