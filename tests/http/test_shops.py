"""Shops over HTTP: connected, read, and their messages settled."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from domain.shops.signatures import sign_body
from tests.support.api import Api, Caller, problem
from tests.support.shop import Shop
from tests.support.shop_payloads import shopify

SECRET = "s3cret-s3cret"
CHANNEL = {"channel": "webshop", "kind": "web", "providers": ["elsewhere"]}


@pytest.fixture
async def caller(shop: Shop) -> Caller:
    return await Api(shop).caller()


async def test_a_shop_is_connected_read_and_disconnected(caller: Caller) -> None:
    await caller.put("/v1/channels/webshop", json=CHANNEL)
    wanted = {"kind": "shopify", "secrets": [SECRET], "options": {"services": {"a": "express"}}}
    made = await caller.put("/v1/shops/webshop", json=wanted)
    assert (made.status_code, made.json()["secrets"]) == (200, 1)
    assert (await caller.get("/v1/shops/webshop")).json() == made.json()
    (listed,) = (await caller.get("/v1/shops")).json()["items"]
    assert listed == made.json()
    assert SECRET not in made.text
    told = problem(await caller.put("/v1/shops/web", json=wanted), 422, "invalid_input")
    assert "elsewhere" in told["detail"]
    short = {"kind": "shopify", "secrets": ["short"]}
    refused = await caller.put("/v1/shops/webshop", json=short)
    assert (refused.status_code, '"short"' in refused.text) == (422, False)
    assert (await caller.delete("/v1/shops/webshop")).status_code == 204
    problem(await caller.get("/v1/shops/webshop"), 404, "not_found")


async def test_what_needs_a_person_is_listed_page_by_page_and_settled(
    shop: Shop, caller: Caller
) -> None:
    await caller.put("/v1/channels/webshop", json=CHANNEL)
    await caller.put("/v1/shops/webshop", json={"kind": "shopify", "secrets": [SECRET]})
    for number in (1, 2):
        body = json.dumps(shopify(id=number, name=f"#{number}", total_price="1.00")).encode()
        headers = {
            "x-shopify-hmac-sha256": sign_body(body, SECRET),
            "x-shopify-topic": "orders/create",
        }
        assert (
            await shop.shops.receive("webshop", headers, body, now=datetime.now(UTC))
        ).status == 200

    async def failed() -> bool:
        return len(await shop.shops.messages(failed=True)) == 2

    await shop.until(failed, "both messages need a person")
    first = (await caller.get("/v1/shop-messages?failed=true&limit=1")).json()
    (newest,) = first["items"]
    following = f"/v1/shop-messages?failed=true&limit=1&cursor={first['next_cursor']}"
    (oldest,) = (await caller.get(following)).json()["items"]
    assert newest["message_no"] > oldest["message_no"]
    assert "add up to 45.80" in oldest["last_error"]
    to = f"/v1/shops/webshop/messages/{oldest['message_no']}/settle"
    assert (await caller.send_once(to, {"note": "sold by hand"})).status_code == 204
    problem(await caller.send_once(to, {"note": "sold by hand"}), 404, "not_found")
    left = (await caller.get("/v1/shop-messages?failed=true&channel=webshop")).json()["items"]
    assert [one["message_no"] for one in left] == [newest["message_no"]]


async def test_a_shop_that_can_be_asked_is_shown_without_what_opens_it(
    shop: Shop, caller: Caller
) -> None:
    await caller.put("/v1/channels/webshop", json=CHANNEL)
    access = {"address": "https://127.0.0.1:1", "key": "ck_our_key", "secret": "cs_our_secret"}
    wanted = {"kind": "woocommerce", "secrets": [SECRET], "access": access}
    made = await caller.put("/v1/shops/webshop", json=wanted)
    assert made.json()["contact"]["address"] == "https://127.0.0.1:1"
    assert "our_" not in made.text
    for wrong in (
        {"token": "shpat_12345678"},
        {"key": None},
        {"address": "https://user:pass@shop.example"},
        {"address": "ftp://shop.example"},
    ):
        given = {**wanted, "access": {**access, **wrong}}
        refused = await caller.put("/v1/shops/webshop", json=given)
        assert refused.status_code == 422, wrong
        assert "our_" not in refused.text
        assert "user:pass" not in refused.text
    checked = await caller.send_once("/v1/shops/webshop/check", {"again": True})
    assert (checked.status_code, checked.json()["channel"]) == (200, "webshop")

    async def asked() -> bool:
        contact = (await caller.get("/v1/shops/webshop")).json()["contact"]
        return "no answer" in (contact["error"] or "")

    await shop.until(asked, "a worker has asked it")
    nothing = {"names": ["webshop-1:1"], "note": "by hand"}
    problem(await caller.send_once("/v1/shops/webshop/dismiss", nothing), 404, "not_found")
    problem(await caller.send_once("/v1/shops/web/check", {}), 404, "not_found")
