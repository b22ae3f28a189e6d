"""Vouchers and gift cards over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from starter.http.v1.vouchers import WRONG_CODES_A_MINUTE
from tests.http.test_money import pages
from tests.support.api import Api, Caller, problem
from tests.support.shop import Shop

ISSUE: dict[str, Any] = {
    "kind": "gift_card",
    "amount": "50.00",
    "currency": "USD",
    "reason": "sold at the till",
    "customer": "C-7",
    "by": "anna",
}
ASKED = {"reason": "asked for", "by": "anna"}


@pytest.fixture
async def api(shop: Shop) -> Api:
    return Api(shop)


@pytest.fixture
async def caller(api: Api) -> Caller:
    return await api.caller()


async def test_one_is_issued_found_by_its_code_extended_and_blocked(caller: Caller) -> None:
    first = await caller.send_once("/v1/vouchers", ISSUE | {"valid_through": "2099-12-31"}, key="k")
    assert first.status_code == 201
    code, voucher = first.json()["code"], first.json()["voucher"]
    assert (voucher["balance"], voucher["state"], voucher["personal"]) == ("50.00", "valid", True)
    again = await caller.send_once("/v1/vouchers", ISSUE | {"valid_through": "2099-12-31"}, key="k")
    assert voucher["voucher_id"] in problem(again, 409, "already_made")["detail"]

    found = await caller.send_once("/v1/vouchers/look-up", {"code": code.lower()})
    assert found.json() == voucher
    path = f"/v1/vouchers/{voucher['voucher_id']}"
    assert (await caller.get(path)).json() == voucher
    assert await pages(caller, "/v1/vouchers", customer="C-7") == [voucher]
    assert await pages(caller, "/v1/vouchers", kind="voucher") == []

    longer = await caller.send_once(f"{path}/extend", ASKED | {"valid_through": "2100-01-31"})
    assert longer.json() == voucher | {"valid_through": "2100-01-31"}
    blocked = await caller.send_once(f"{path}/block", ASKED)
    assert blocked.json()["state"] == "blocked"
    free = await caller.send_once(f"{path}/unblock", ASKED)
    assert free.json()["state"] == "valid"
    drawn = await caller.send_once(f"{path}/code", ASKED)
    assert drawn.json()["code"] != code
    operations = await pages(caller, f"{path}/operations")
    kinds = [one["kind"] for one in operations]
    assert kinds == ["code", "unblock", "block", "extend", "code", "issue"]
    assert {one["who"] for one in operations} == {f"anna (key {caller.key_id})"}


async def test_who_tries_codes_out_is_stopped(caller: Caller) -> None:
    for n in range(WRONG_CODES_A_MINUTE):
        wrong = await caller.send_once("/v1/vouchers/look-up", {"code": f"V{n}"})
        problem(wrong, 404, "not_found")
    stopped = await caller.send_once("/v1/vouchers/look-up", {"code": "V000"})
    problem(stopped, 429, "too_many_requests")
    assert int(stopped.headers["Retry-After"]) <= 60


async def test_one_is_of_a_seller_and_seen_by_its_keys_alone(api: Api, caller: Caller) -> None:
    await caller.put("/v1/sellers/main", json={"name": "Main"})
    await caller.put("/v1/sellers/de", json={"name": "Tee GmbH"})
    made = (await caller.send_once("/v1/vouchers", ISSUE | {"seller": "main"})).json()
    path = f"/v1/vouchers/{made['voucher']['voucher_id']}"
    scopes = ("payments:read", "payments:write")
    of_de = await api.caller(*scopes, sellers=["de"])
    of_web = await api.caller(*scopes, channels=["web"])
    for other in (of_de, of_web):
        problem(await other.get(path), 404, "not_found")
        problem(await other.get(f"{path}/operations"), 404, "not_found")
        for change in ("code", "block", "unblock"):
            problem(await other.send_once(f"{path}/{change}", ASKED), 404, "not_found")
        longer = ASKED | {"valid_through": "2100-01-31"}
        problem(await other.send_once(f"{path}/extend", longer), 404, "not_found")
        found = await other.send_once("/v1/vouchers/look-up", {"code": made["code"]})
        problem(found, 404, "not_found")
        assert await pages(other, "/v1/vouchers") == []
    problem(await of_de.send_once("/v1/vouchers", ISSUE | {"seller": "main"}), 404, "not_found")
    problem(await of_web.send_once("/v1/vouchers", ISSUE), 403, "restricted_key")
    mine = await of_de.send_once("/v1/vouchers", ISSUE | {"seller": "de"})
    assert await pages(of_de, "/v1/vouchers") == [mine.json()["voucher"]]
