"""What companies send here over HTTP: their signature opens the door, and nothing else does."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
import pytest

from domain.payments.disputes import DisputeState
from tests.support.api import Api, Caller, problem
from tests.support.carrier_desk import (
    by_easypost_v2,
    by_standard,
    generic,
    scan,
    tracker_event,
)
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


async def test_a_carrier_is_known_by_its_signature_and_answered_once_its_message_is_kept(
    shop: Shop, stranger: Caller
) -> None:
    body = generic(scan("T1", "in_transit"))
    headers = by_standard(body, "msg_1", datetime.now(UTC))
    path = "/v1/webhooks/carriers/sandbox"
    for said in ("kept", "kept before"):
        answer = await stranger.post(path, content=body, headers=headers)
        assert (answer.status_code, answer.json()["message"]) == (200, said)
    [row] = await shop.carriers.messages()
    assert (row.sender, row.message_id) == ("sandbox", "msg_1")
    problem(await stranger.post(path, content=body + b" ", headers=headers), 401, "not_signed")
    unknown = await stranger.post("/v1/webhooks/carriers/dhl", content=body, headers=headers)
    problem(unknown, 404, "not_found")
    assert "ORDERLOOM" not in unknown.text
    of_easypost = tracker_event("1Z1", [])
    answer = await stranger.post(
        "/v1/webhooks/carriers/easypost",
        content=of_easypost,
        headers={k.title(): v for k, v in by_easypost_v2(of_easypost, datetime.now(UTC)).items()},
    )
    assert (answer.status_code, answer.json()["event_id"]) == (200, "evt_1")


async def test_a_carriers_message_is_listed_and_settled(shop: Shop, stranger: Caller) -> None:
    body = generic(scan("T1", "in_transit"))
    headers = by_standard(body, "msg_1", datetime.now(UTC))
    await stranger.post("/v1/webhooks/carriers/sandbox", content=body, headers=headers)
    desk = await Api(shop).caller("operations:read", "operations:write")
    [message] = (await desk.get("/v1/carrier-messages")).json()["items"]
    assert (message["sender"], message["outcome"]) == ("sandbox", None)
    path = f"/v1/carrier-messages/{message['message_no']}/settle"
    assert (await desk.send_once(path, {"note": "not ours"})).status_code == 204
    problem(await desk.send_once(path, {"note": "not ours"}), 404, "not_found")
    [message] = (await desk.get("/v1/carrier-messages")).json()["items"]
    assert message["outcome"] == "settled: not ours"
