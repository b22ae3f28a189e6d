"""API keys over HTTP: their text is told once, and stands nowhere."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import httpx
import pytest

from tests.support.api import Api, Caller, problem
from tests.support.shop import Shop

WANTED: dict[str, Any] = {"name": "till", "scopes": ["orders:read", "orders:write"]}


@pytest.fixture
async def api(shop: Shop) -> Api:
    return Api(shop)


@pytest.fixture
async def caller(api: Api) -> Caller:
    return await api.caller()


async def made(caller: Caller, **content: Any) -> dict[str, Any]:
    answer = await caller.send_once("/v1/api-keys", WANTED | content)
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def everything(shop: Shop) -> str:
    """All tables, as text."""
    names = await shop.pool.fetch("select tablename from pg_tables where schemaname = 'public'")
    rows = [
        await shop.pool.fetchval(f'select string_agg(t::text, chr(10)) from "{row["tablename"]}" t')
        for row in names
    ]
    return "\n".join(row for row in rows if row)


async def test_a_key_is_made_works_and_its_text_stands_nowhere(
    api: Api, shop: Shop, caller: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    answer = await caller.send_once("/v1/api-keys", WANTED | {"by": "anna"}, key="k")
    told = answer.json()
    assert (answer.status_code, told["key"]["state"]) == (201, "live")
    assert told["key"]["made_by"] == f"anna (key {caller.key_id})"
    program = Caller(api.app, told["key"]["key_id"], told["text"])
    assert (await program.get("/v1/orders")).status_code == 200
    secret = told["text"].rsplit("_", 1)[1]
    for place in (await everything(shop), caplog.text, (await caller.get("/v1/api-keys")).text):
        assert secret not in place


async def test_a_repeat_is_told_the_id_and_makes_no_other(caller: Caller) -> None:
    first = await caller.send_once("/v1/api-keys", WANTED, key="k")
    key_id = first.json()["key"]["key_id"]
    told = problem(await caller.send_once("/v1/api-keys", WANTED, key="k"), 409, "already_made")
    assert key_id in told["detail"]
    assert "rotate" in told["detail"]
    other = await caller.send_once("/v1/api-keys", WANTED | {"name": "other"}, key="k")
    problem(other, 422, "key_reused")
    listed = (await caller.get("/v1/api-keys")).json()["items"]
    assert [one["name"] for one in listed] == ["till", "test"]


async def test_of_two_at_the_same_moment_one_makes_a_key(api: Api, caller: Caller) -> None:
    other = Caller(api.app, caller.key_id, caller.headers["Authorization"][7:])
    answers = await asyncio.gather(
        *(one.send_once("/v1/api-keys", WANTED, key="k") for one in (caller, other))
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409]


async def test_a_rotated_key_has_another_text_and_the_old_one_ends(
    api: Api, caller: Caller
) -> None:
    told = await made(caller)
    path = f"/v1/api-keys/{told['key']['key_id']}"
    answer = await caller.send_once(f"{path}/rotate", {"old_ends_in_s": 0}, key="k")
    assert answer.status_code == 200, answer.text
    assert answer.json()["text"] != told["text"]
    problem(
        await caller.send_once(f"{path}/rotate", {"old_ends_in_s": 0}, key="k"), 409, "already_made"
    )
    assert (await reads_with(api, told["text"])).status_code == 401
    assert (await reads_with(api, answer.json()["text"])).status_code == 200


async def reads_with(api: Api, text: str) -> httpx.Response:
    return await Caller(api.app, "", text).get("/v1/orders")


async def test_a_revoked_key_is_told_as_such_and_ends(api: Api, caller: Caller) -> None:
    told = await made(caller)
    path = f"/v1/api-keys/{told['key']['key_id']}"
    first = await caller.send_once(f"{path}/revoke", {"by": "anna"}, key="k")
    assert (first.status_code, first.json()["state"]) == (200, "revoked")
    again = await caller.send_once(f"{path}/revoke", {"by": "anna"}, key="k")
    assert (again.json(), again.headers["idempotent-replayed"]) == (first.json(), "true")
    assert (await reads_with(api, told["text"])).status_code == 401
    assert (await caller.get("/v1/api-keys")).json()["items"][0]["name"] == "test"
    with_revoked = (await caller.get("/v1/api-keys", params={"revoked": True})).json()["items"]
    assert [one["state"] for one in with_revoked] == ["revoked", "live"]
    assert (await caller.get(path)).json()["revoked_by"] == f"anna (key {caller.key_id})"
    problem(await caller.send_once(f"{path}/rotate", {}), 409, "refused")


async def test_no_key_hands_out_more_than_it_has(api: Api, caller: Caller) -> None:
    little = await api.caller("access:read", "access:write", "orders:read")
    told = problem(await little.send_once("/v1/api-keys", WANTED, key="k"), 403, "beyond_key")
    assert "orders:write" in told["detail"]
    own = WANTED | {"scopes": ["orders:read"], "per_minute": 10}
    assert (await little.send_once("/v1/api-keys", own, key="k")).status_code == 201
    path = f"/v1/api-keys/{caller.key_id}/rotate"
    problem(await little.send_once(path, {}), 403, "beyond_key")


async def test_keys_are_listed_page_by_page(caller: Caller) -> None:
    for name in "abcde":
        await made(caller, name=name)
    first = (await caller.get("/v1/api-keys", params={"limit": 3})).json()
    await made(caller, name="f")
    asked = {"limit": 3, "cursor": first["next_cursor"]}
    second = (await caller.get("/v1/api-keys", params=asked)).json()
    names = [one["name"] for one in first["items"] + second["items"]]
    assert (names, second["has_more"]) == (["e", "d", "c", "b", "a", "test"], False)


@pytest.mark.parametrize(
    "content",
    [
        {},
        WANTED | {"scopes": []},
        WANTED | {"scopes": ["everything"]},
        WANTED | {"name": ""},
        WANTED | {"channels": ["nowhere"]},
        WANTED | {"channels": []},
        WANTED | {"sellers": ["nobody"]},
        WANTED | {"per_minute": 10**30},
        WANTED | {"per_minute": -1},
        WANTED | {"expires_at": "0001-01-01T00:00:00Z"},
        WANTED | {"expires_at": "9999-12-31T23:59:59Z"},
        WANTED | {"expires_at": "2020-01-01T00:00:00Z"},
        WANTED | {"by": "\x00"},
        WANTED | {"more": 1},
        WANTED | {"channels": ["web"], "scopes": ["access:write"]},
    ],
)
async def test_odd_keys_are_refused_and_the_request_s_key_is_free(
    caller: Caller, content: dict[str, Any]
) -> None:
    problem(await caller.send_once("/v1/api-keys", content, key="k"), 422, "invalid_input")
    assert (await caller.send_once("/v1/api-keys", WANTED, key="k")).status_code == 201


async def test_what_is_not_there_and_what_a_key_may_not_do(api: Api, caller: Caller) -> None:
    for name in ("none", "000000000000", "~", "%00", "x" * 3000):
        answer = await caller.get(f"/v1/api-keys/{name}")
        assert answer.status_code in (404, 422), answer.text
        answer = await caller.send_once(f"/v1/api-keys/{name}/revoke", {})
        assert answer.status_code in (404, 422), answer.text
    for seconds in (-1, 10**20, "soon", 1.5, None):
        path = f"/v1/api-keys/{caller.key_id}/rotate"
        answer = await caller.send_once(path, {"old_ends_in_s": seconds})
        problem(answer, 422, "invalid_input")
    reader = await api.caller("access:read")
    problem(await reader.send_once("/v1/api-keys", WANTED), 403, "missing_scope")
    writer = await api.caller("access:write")
    problem(await writer.get("/v1/api-keys"), 403, "missing_scope")
