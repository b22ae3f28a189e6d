"""Every call to Stripe, every request of it, every fault: one effect, by localstripe's own books.

Where localstripe is not as Stripe is, and what stands in for that: `tests/localstripe/company.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Final

import pytest
import pytest_asyncio

from activities.payments.provider import PaymentKind, PaymentReceipt
from activities.provider_errors import OutcomeUnknown, TimedOut, Unavailable
from activities.providers.stripe.payment import StripePayment
from tests.localstripe.stand_in import StandIn, What, stand_in
from tests.support.stripe_calls import (
    BOOKS,
    FAULTS,
    HASTY_S,
    LOOKUPS,
    REQUESTS,
    Prepared,
    Settle,
    a_client,
    prepare,
    settle,
)

_AT_ONCE: Final = 6

# A call that changes something is settled in both ways, one that only reads has but one.
CASES: Final[list[tuple[PaymentKind, tuple[str, str], What, Settle]]] = [
    (kind, request, what, how)
    for kind, requests in REQUESTS.items()
    for request in requests
    for what in FAULTS
    for how in (("look up", "send again") if request[0] == "POST" else ("look up",))
]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def running() -> AsyncIterator[StandIn]:
    async with stand_in() as here:
        yield here


@pytest_asyncio.fixture(loop_scope="session")
async def here(running: StandIn) -> StandIn:
    await running.clear()
    return running


@pytest_asyncio.fixture(loop_scope="session")
async def client(here: StandIn) -> AsyncIterator[StripePayment]:
    client = a_client(here)
    yield client
    await client.close()


@pytest_asyncio.fixture(loop_scope="session")
async def hasty(here: StandIn) -> AsyncIterator[StripePayment]:
    client = a_client(here, within_s=HASTY_S)
    yield client
    await client.close()


@dataclass(frozen=True)
class Settled:
    """A call whose outcome is known, once for each who made it."""

    case: str
    made: Prepared
    receipts: Sequence[PaymentReceipt]


async def wrongs(
    here: StandIn, client: StripePayment, settled: Sequence[Settled]
) -> AsyncIterator[str]:
    """What is not as it has to be once all is quiet: one effect each, the same for everybody."""
    await here.quiet()
    books = await here.books()
    for each in settled:
        found = books[each.made.order_id]
        if found != BOOKS[each.made.kind]:
            yield f"{each.case}: localstripe has {found}"
        there = await each.made.look_up(client)
        if any(receipt != there for receipt in each.receipts):
            yield f"{each.case}: it answered {each.receipts}, and has {there}"


@pytest.mark.parametrize("kind", REQUESTS)
async def test_a_call_with_any_fault_of_any_request_has_one_effect(
    here: StandIn, client: StripePayment, hasty: StripePayment, kind: PaymentKind
) -> None:
    room = asyncio.Semaphore(_AT_ONCE)

    async def settled(number: int, request: tuple[str, str], what: What, how: Settle) -> Settled:
        async with room:
            made = await prepare(client, kind, f"web-{kind}-{number}")
            fault = made.fault(what, request)
            here.faults.append(fault)
            receipt = await settle(client, made, how, hasty if "slow" in what else client)
        case = f"{' '.join(request)}, {what}, {how}"
        assert fault.times == 0, f"{case}: the fault was not met"
        return Settled(case, made, [receipt])

    own = [case[1:] for case in CASES if case[0] == kind]
    done = await asyncio.gather(*(settled(number, *each) for number, each in enumerate(own)))
    assert [wrong async for wrong in wrongs(here, client, done)] == []


@pytest.mark.parametrize("kind", REQUESTS)
async def test_a_call_from_two_clients_at_once_has_one_effect(
    here: StandIn, client: StripePayment, kind: PaymentKind
) -> None:
    other = a_client(here)
    made = await prepare(client, kind, f"web-{kind}")
    receipts = await asyncio.gather(
        *(settle(each, made, how) for each in (client, other) for how in ("look up", "send again"))
    )
    done = [Settled("at once", made, receipts)]
    assert [wrong async for wrong in wrongs(here, client, done)] == []
    await other.close()


@pytest.mark.parametrize("kind", LOOKUPS)
async def test_a_lookup_with_any_fault_is_an_unknown_and_changes_nothing(
    here: StandIn, client: StripePayment, hasty: StripePayment, kind: PaymentKind
) -> None:
    made = await prepare(client, kind, f"web-{kind}")
    receipt = await made.call(client)
    for what in FAULTS:
        here.faults.append(made.fault(what, LOOKUPS[kind]))
        if what == "twice":
            assert await made.look_up(client) == receipt
            continue
        with pytest.raises(OutcomeUnknown) as unknown:
            await made.look_up(hasty if "slow" in what else client)
        assert isinstance(unknown.value, TimedOut if "slow" in what else Unavailable)
    done = [Settled("looked up", made, [receipt])]
    assert [wrong async for wrong in wrongs(here, client, done)] == []


async def test_an_answer_500_that_stripe_keeps_is_settled_by_looking_up(
    here: StandIn, client: StripePayment
) -> None:
    made = await prepare(client, "authorize", "web-1")
    here.faults.append(made.fault("500 after", REQUESTS["authorize"][0]))
    for _ in range(2):
        with pytest.raises(Unavailable):
            await made.call(client)
    receipt = await made.look_up(client)
    assert receipt is not None
    done = [Settled("kept", made, [receipt])]
    assert [wrong async for wrong in wrongs(here, client, done)] == []


async def test_a_call_that_arrives_when_nobody_waits_any_more_is_still_one(
    here: StandIn, client: StripePayment, hasty: StripePayment
) -> None:
    made = await prepare(client, "authorize", "web-1")
    here.faults.append(made.fault("slow before", REQUESTS["authorize"][0]))
    here.may_arrive.clear()
    with pytest.raises(TimedOut):
        await made.call(hasty)
    assert await made.look_up(client) is None  # not yet: and that is no proof
    done = [Settled("late", made, [await made.call(client)])]
    here.may_arrive.set()
    assert [wrong async for wrong in wrongs(here, client, done)] == []


def test_every_request_of_every_call_is_tried_with_every_fault() -> None:
    requests = [(kind, request) for kind in REQUESTS for request in REQUESTS[kind]]
    assert {(kind, request) for kind, request, _, _ in CASES} == set(requests)
    assert len(CASES) == len(FAULTS) * (len(requests) + sum(r[0] == "POST" for _, r in requests))
