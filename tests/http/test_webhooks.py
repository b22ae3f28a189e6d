"""What companies send here over HTTP: their signature opens the door, and nothing else does."""

from __future__ import annotations

import httpx
import pytest

from domain.payments.disputes import DisputeState
from tests.support.api import Api, Caller, problem
from tests.support.provider_desk import Telling
from tests.support.shop import Shop


@pytest.fixture
async def stranger(shop: Shop) -> Caller:
    caller = Caller(Api(shop).app, "", "")
    del caller.headers["Authorization"]
    return caller


async def told(
    stranger: Caller, body: bytes, signature: str, provider: str = "sandbox"
) -> httpx.Response:
    return await stranger.post(
        f"/v1/webhooks/payments/{provider}",
        content=body,
        headers={"Stripe-Signature": signature, "Content-Type": "application/json"},
    )


async def test_an_event_is_kept_once_and_worked_on_later(shop: Shop, stranger: Caller) -> None:
    event = Telling(shop.pool).dispute("auth_1", DisputeState.NEEDS_RESPONSE)
    for said in ("kept", "kept before"):
        answer = await told(stranger, event.body, event.signature)
        assert (answer.status_code, answer.json()["message"]) == (200, said)
    [row] = await shop.payments.provider_events()
    assert (row.provider, row.event_id) == ("sandbox", answer.json()["event_id"])


async def test_what_is_not_signed_by_the_company_is_not_taken(shop: Shop, stranger: Caller) -> None:
    event = Telling(shop.pool).dispute("auth_1", DisputeState.NEEDS_RESPONSE)
    problem(await told(stranger, event.body + b" ", event.signature), 400, "not_taken")
    problem(await told(stranger, event.body, ""), 400, "not_taken")
    problem(await told(stranger, event.body, event.signature, "nobody"), 404, "not_found")
    problem(await told(stranger, b"\xff{", event.signature), 400, "not_taken")
    assert await shop.payments.provider_events() == []


async def test_while_the_database_is_away_the_company_is_to_send_it_again(
    shop: Shop, stranger: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = Telling(shop.pool).dispute("auth_1", DisputeState.NEEDS_RESPONSE)
    await shop.pool.execute("alter table provider_event rename to provider_event_away")
    answer = await told(stranger, event.body, event.signature)
    await shop.pool.execute("alter table provider_event_away rename to provider_event")
    problem(answer, 503, "not_kept")
    assert (await told(stranger, event.body, event.signature)).status_code == 200
