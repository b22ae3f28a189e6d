"""How the sandbox payment company fails, and that its keys tell what happened."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from random import Random

import pytest

from activities.provider_errors import (
    DeclineCode,
    Declined,
    OutcomeUnknown,
    ProviderError,
    TimedOut,
    Unavailable,
)
from activities.providers.sandbox.payment import SandboxPayment
from domain.errors import InvalidInput
from store.database import Pool, open_pool
from store.migrate import migrate
from store.sandbox.companies import clear_faults, set_fault
from tests.support.payment_calls import (
    OPERATIONS,
    ORDER,
    TEN,
    TRIED,
    authorized,
    company,
    effects,
    held_up,
    looked_up,
    prepared,
)
from tests.support.servers import Databases

FAULTS = ["unavailable", "timeout_before", "timeout_after"]


@pytest.fixture
def payment(pool: Pool) -> SandboxPayment:
    return company(pool)


async def fault(
    pool: Pool, provider: str, operation: str, kind: str, rate: float, remaining: int | None = None
) -> None:
    async with pool.acquire() as connection:
        await set_fault(connection, provider, operation, kind, rate, remaining=remaining)


@pytest.mark.parametrize("kind", FAULTS)
@pytest.mark.parametrize("operation", OPERATIONS)
async def test_after_a_fault_the_key_tells_what_happened_and_a_repeat_makes_one_effect(
    payment: SandboxPayment, pool: Pool, operation: str, kind: str
) -> None:
    call = await prepared(payment, operation)
    before = len(await payment.operations(ORDER))
    await fault(pool, "payment", operation, kind, 1.0, remaining=1)

    with pytest.raises(Unavailable if kind == "unavailable" else TimedOut) as failed:
        await call()
    assert not failed.value.outcome_known

    found = await looked_up(payment, key=TRIED)
    happened = kind == "timeout_after"
    assert (found is not None) == happened
    assert len(await payment.operations(ORDER)) == before + happened

    repeated = await call()
    assert found in (None, repeated)
    assert len(await payment.operations(ORDER)) == before + 1


async def test_a_refusal_whose_answer_was_lost_is_found_by_its_key(
    payment: SandboxPayment, pool: Pool
) -> None:
    await fault(pool, "payment", "authorize", "timeout_after", 1.0, remaining=1)
    with pytest.raises(TimedOut):
        await authorized(payment, token="tok_decline")
    with pytest.raises(Declined) as refused:
        await looked_up(payment, key="authorize")
    assert refused.value.code == DeclineCode.CARD_DECLINED
    assert refused.value.outcome_known


async def test_a_lost_database_is_an_unknown_outcome_and_a_repeat_makes_one_effect(
    payment: SandboxPayment, pool: Pool
) -> None:
    call = await prepared(payment, "capture")
    async with held_up(pool, "SELECT FROM sandbox.payment FOR UPDATE") as queued:
        stuck = asyncio.create_task(call())
        await queued(1)
        async with pool.acquire() as connection:
            await connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE NOT granted"
            )
        with pytest.raises(Unavailable):
            await stuck
    await call()
    assert len(await effects(payment, "capture")) == 2


async def test_a_closed_pool_is_an_unavailable_company(database_url: str) -> None:
    pool = await open_pool(database_url, size_max=1)
    await pool.close()
    with pytest.raises(Unavailable):
        await authorized(company(pool))


async def test_a_counted_fault_befalls_exactly_that_many_concurrent_calls(
    payment: SandboxPayment, pool: Pool
) -> None:
    await fault(pool, "payment", "lookup", "unavailable", 1.0, remaining=3)
    async with held_up(pool, "SELECT FROM sandbox.fault FOR UPDATE") as queued:
        running = asyncio.gather(
            *(looked_up(payment, key=f"none-{n}") for n in range(9)), return_exceptions=True
        )
        await queued(9)
    results = await running
    assert sum(isinstance(result, Unavailable) for result in results) == 3
    assert results.count(None) == 6


async def test_the_rate_is_the_share_of_calls_and_rates_add_up(pool: Pool) -> None:
    await fault(pool, "payment", "lookup", "unavailable", 0.2)
    await fault(pool, "payment", "*", "timeout_before", 0.3)
    payment = company(pool, Random(7))
    seen: list[type[Exception] | None] = []
    for n in range(200):
        try:
            await looked_up(payment, key=f"none-{n}")
            seen.append(None)
        except OutcomeUnknown as error:
            seen.append(type(error))
    replay = Random(7)
    rolls = [replay.random() for _ in range(200)]
    assert seen == [
        Unavailable if roll < 0.2 else TimedOut if roll < 0.5 else None for roll in rolls
    ]


async def test_a_fault_holds_for_its_provider_and_operation_until_it_is_changed(
    payment: SandboxPayment, pool: Pool
) -> None:
    await fault(pool, "payment", "capture", "unavailable", 1.0)
    await fault(pool, "carrier", "*", "unavailable", 1.0)
    authorization = await authorized(payment)
    for _ in range(2):
        with pytest.raises(Unavailable):
            await payment.capture(key="c", authorization=authorization, amount=TEN)
    await fault(pool, "payment", "capture", "unavailable", 0.0)
    await payment.capture(key="c", authorization=authorization, amount=TEN)
    await fault(pool, "payment", "*", "unavailable", 1.0)
    with pytest.raises(Unavailable):
        await payment.operations(ORDER)
    with pytest.raises(Unavailable):
        await payment.list_day(datetime.now(UTC).date())
    async with pool.acquire() as connection:
        await clear_faults(connection)
    assert len(await payment.operations(ORDER)) == 2


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (("payment", "buy_label", "unavailable", 1.0, None), "authorize, capture"),
        (("bank", "*", "unavailable", 1.0, None), "payment:"),
        (("payment", "*", "explodes", 1.0, None), "timeout_after"),
        (("payment", "*", "unavailable", 1.5, None), "from 0 to 1"),
        (("payment", "*", "unavailable", float("nan"), None), "from 0 to 1"),
        (("payment", "*", "unavailable", 1.0, -1), "0 or more"),
    ],
)
async def test_a_fault_that_could_never_strike_is_refused(
    pool: Pool, wrong: tuple[str, str, str, float, int | None], hint: str
) -> None:
    with pytest.raises(InvalidInput, match=hint):
        await fault(pool, *wrong)


def test_every_provider_error_says_whether_the_outcome_is_known() -> None:
    known = {kind: kind.outcome_known for kind in (Declined, Unavailable, TimedOut)}
    assert known == {Declined: True, Unavailable: False, TimedOut: False}
    assert all(issubclass(kind, ProviderError) for kind in known)
    assert not issubclass(Declined, OutcomeUnknown)


async def test_a_database_without_sandbox_companies_says_how_to_make_them(
    databases: Databases,
) -> None:
    name = "without_companies"
    url = await databases._server.create_database(name)
    await migrate(url)
    pool = await open_pool(url)
    with pytest.raises(Unavailable, match="orderloom setup --sandbox"):
        await authorized(company(pool))
    pool.terminate()
    await databases._server.drop_database(name)
