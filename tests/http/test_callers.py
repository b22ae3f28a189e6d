"""Who may ask, and how often."""

from __future__ import annotations

import pytest

from starter.http.callers import WRONG_KEYS_A_MINUTE
from tests.support.api import Api, Caller, problem
from tests.support.shop import Shop


@pytest.fixture
async def api(shop: Shop) -> Api:
    return Api(shop)


async def test_without_a_key_with_a_wrong_or_a_revoked_one_nobody_is_let_in(api: Api) -> None:
    nobody = Caller(api.app, "", "")
    del nobody.headers["Authorization"]
    answer = await nobody.get("/v1/orders")
    problem(answer, 401, "no_key")
    assert answer.headers["www-authenticate"] == "Bearer"
    known = await api.caller("orders:read")
    assert (await known.get("/v1/orders")).status_code == 200
    for token in ("olk_x_y", known.headers["Authorization"][7:-1] + "x", "~"):
        other = Caller(api.app, "", token)
        problem(await other.get("/v1/orders"), 401, "unknown_key")
    await api.here.access.revoke(known.key_id, who="test")
    problem(await known.get("/v1/orders"), 401, "unknown_key")


async def test_a_key_without_the_scope_is_told_which(api: Api) -> None:
    reader = await api.caller("orders:read")
    told = problem(await reader.send_once("/v1/orders", {}), 403, "missing_scope")
    assert "orders:write" in told["detail"]


async def test_a_key_may_ask_so_often_in_a_minute(api: Api) -> None:
    slow, other = [await api.caller("orders:read", per_minute=n) for n in (3, 3)]
    for left in (2, 1, 0):
        answer = await slow.get("/v1/orders")
        assert answer.status_code == 200
        assert answer.headers["ratelimit-policy"] == '"key";q=3;w=60'
        assert answer.headers["ratelimit"].startswith(f'"key";r={left};t=')
    refused = await slow.get("/v1/orders")
    problem(refused, 429, "too_many_requests")
    assert 0 < int(refused.headers["retry-after"]) <= 60
    assert (await other.get("/v1/orders")).status_code == 200


async def test_an_address_with_many_wrong_keys_is_not_listened_to(api: Api) -> None:
    # Behind a proxy, others have the same address.
    known, ended = await api.caller("orders:read"), await api.caller("orders:read")
    for caller in (known, ended):
        assert (await caller.get("/v1/orders")).status_code == 200
    guesser = Caller(api.app, "", "olk_aaaaaaaaaaaa_" + "x" * 43)
    for _ in range(WRONG_KEYS_A_MINUTE):
        problem(await guesser.get("/v1/orders"), 401, "unknown_key")
    problem(await guesser.get("/v1/orders"), 429, "too_many_requests")
    assert (await known.get("/v1/orders")).status_code == 200
    await api.here.access.revoke(ended.key_id, who="test")
    problem(await ended.get("/v1/orders"), 401, "unknown_key")
    problem(await ended.get("/v1/orders"), 429, "too_many_requests")


@pytest.mark.parametrize("body", [b"{", b"[" * 100_000, b'{"quantity": NaN}'])
async def test_a_stranger_s_body_is_not_looked_at(api: Api, body: bytes) -> None:
    caller = await api.caller()
    headers = {"Content-Type": "application/json", "Idempotency-Key": "k"}
    answer = await caller.post("/v1/orders", content=body, headers=headers)
    problem(answer, 400, "not_json")
    for known in ({"Authorization": "Bearer olk_nobody"}, {"Authorization": ""}):
        answer = await caller.post("/v1/orders", content=body, headers=headers | known)
        assert answer.status_code == 401, answer.text
    odd_kind = {**headers, "Content-Type": "text/plain", "Authorization": ""}
    assert (await caller.post("/v1/orders", content=body, headers=odd_kind)).status_code == 401
