"""The sandbox carrier: its labels, its keys, and how it fails."""

from __future__ import annotations

import asyncio
import time
from random import Random

import pytest

from activities.fulfilment.carrier import Label
from activities.provider_errors import DeclineCode, Declined, TimedOut, Unavailable
from activities.providers.sandbox.carrier import SandboxCarrier
from domain.fulfilment.packed import Packed
from store.database import Pool, open_pool
from store.sandbox.companies import set_fault
from tests.support.payment_calls import held_up

FULFILMENT = "web-1001:1"
HOLD_KEY = """
    INSERT INTO sandbox.carrier_call (key, operation, request, code)
    VALUES ($1, 'buy_label', '', 'held')
"""


def depot(pool: Pool, *, numbers: int = 10**9) -> SandboxCarrier:
    return SandboxCarrier(
        pool, random=Random(1), numbers=numbers, slow_seconds=0.4, timeout_seconds=0.01
    )


@pytest.fixture
def carrier(pool: Pool) -> SandboxCarrier:
    return depot(pool)


async def buy(
    carrier: SandboxCarrier,
    key: str = "label",
    *,
    service: str = "standard",
    postal_code: str | None = "12209",
    grams: int = 800,
) -> Label:
    return await carrier.buy_label(
        key=key,
        fulfilment_id=FULFILMENT,
        service=service,
        country="DE",
        postal_code=postal_code,
        packed=Packed(grams=grams),
    )


async def labels_sold(pool: Pool) -> int:
    async with pool.acquire() as connection:
        count: int = await connection.fetchval("SELECT count(*) FROM sandbox.label")
    return count


async def fault(pool: Pool, operation: str, kind: str) -> None:
    """Befall the next call of this operation."""
    async with pool.acquire() as connection:
        await set_fault(connection, "carrier", operation, kind, 1.0, remaining=1)


async def test_a_label_is_bought_once_however_often_it_is_asked_for(
    carrier: SandboxCarrier, pool: Pool
) -> None:
    async with held_up(pool, HOLD_KEY, "label") as queued:
        running = asyncio.gather(*(buy(carrier) for _ in range(9)))
        await queued(9)
    answers = await running
    assert set(answers) == {answers[0]}
    assert answers[0].service == "standard"
    assert not answers[0].voided
    assert await buy(carrier) == answers[0]
    assert await carrier.lookup(key="label") == answers[0]
    assert await labels_sold(pool) == 1


async def test_an_address_without_a_postal_code_is_fine(carrier: SandboxCarrier) -> None:
    assert await buy(carrier, postal_code=None) == await carrier.lookup(key="label")


async def test_the_slow_service_answers_late_and_holds_no_connection_meanwhile(
    pool: Pool, database_url: str
) -> None:
    only_one = await open_pool(database_url, size_max=1)
    carrier = depot(only_one)
    started = time.monotonic()
    waiting = asyncio.create_task(buy(carrier, service="slow"))
    await asyncio.sleep(0.2)
    seen = await carrier.lookup(key="label")
    assert not waiting.done()
    assert seen is not None
    assert await waiting == seen
    assert time.monotonic() - started >= 0.4
    await only_one.close()


async def test_of_concurrent_voids_with_different_keys_one_wins(
    carrier: SandboxCarrier, pool: Pool
) -> None:
    number = (await buy(carrier)).tracking_number
    async with held_up(pool, "SELECT FROM sandbox.label FOR UPDATE") as queued:
        running = asyncio.gather(
            *(carrier.void_label(key=f"void-{n}", tracking_number=number) for n in range(9)),
            return_exceptions=True,
        )
        await queued(9)
    results = await running
    assert results.count(None) == 1
    refusals = [result.code for result in results if isinstance(result, Declined)]
    assert refusals == [DeclineCode.ALREADY_VOIDED] * 8


async def test_tracking_numbers_recur_and_a_void_means_the_newest_label(pool: Pool) -> None:
    carrier = depot(pool, numbers=2)
    first, second, third = [await buy(carrier, f"label-{n}") for n in range(3)]
    assert first.tracking_number == third.tracking_number != second.tracking_number
    await carrier.void_label(key="void", tracking_number=third.tracking_number)
    assert await carrier.lookup(key="label-0") == first
    assert await carrier.lookup(key="label-2") == third.model_copy(update={"voided": True})


@pytest.mark.parametrize("kind", ["unavailable", "timeout_before", "timeout_after"])
async def test_after_a_fault_the_key_tells_what_happened_and_a_repeat_makes_one_effect(
    carrier: SandboxCarrier, pool: Pool, kind: str
) -> None:
    error = Unavailable if kind == "unavailable" else TimedOut
    happened = kind == "timeout_after"

    await fault(pool, "buy_label", kind)
    with pytest.raises(error):
        await buy(carrier)
    found = await carrier.lookup(key="label")
    assert (found is not None) == happened
    label = await buy(carrier)
    assert found in {None, label}
    assert await labels_sold(pool) == 1

    await fault(pool, "void_label", kind)
    with pytest.raises(error):
        await carrier.void_label(key="void", tracking_number=label.tracking_number)
    assert (await carrier.lookup(key="void") is not None) == happened
    standing = await carrier.lookup(key="label")
    assert standing is not None
    assert standing.voided == happened
    await carrier.void_label(key="void", tracking_number=label.tracking_number)
    standing = await carrier.lookup(key="label")
    assert standing is not None
    assert standing.voided


async def test_what_is_too_heavy_is_refused_and_a_key_keeps_the_weight_it_was_asked_with(
    carrier: SandboxCarrier,
) -> None:
    for _ in range(2):
        with pytest.raises(Declined) as refused:
            await buy(carrier, "heavy", grams=40_000)
        assert refused.value.code == DeclineCode.NOT_SERVICEABLE
    (file,) = (await buy(carrier, "light", grams=1_250)).files
    assert b"1.250 kg" in file.content
    with pytest.raises(Declined) as refused:
        await buy(carrier, "light", grams=1_300)
    assert refused.value.code == DeclineCode.IDEMPOTENCY_CONFLICT
