"""What shops send here over HTTP: their signature opens the door, and nothing else does."""

from __future__ import annotations

import json

import pytest

from domain.orders.channels import Channel
from domain.shops.connections import NewShop
from domain.shops.signatures import sign_body
from tests.support.api import Api, Caller, problem
from tests.support.shop import Shop
from tests.support.shop_payloads import woocommerce

SECRET = "s3cret-s3cret"
TO = "/v1/webhooks/shops/webshop"


@pytest.fixture
async def stranger(shop: Shop) -> Caller:
    caller = Caller(Api(shop).app, "", "")
    del caller.headers["Authorization"]
    await shop.channels.save([Channel(channel="webshop", kind="web", providers=("elsewhere",))])
    wanted = NewShop.model_validate({"kind": "woocommerce", "secrets": [SECRET]})
    await shop.shops.connect("webshop", wanted, by="test")
    return caller


async def test_a_message_is_kept_once(shop: Shop, stranger: Caller) -> None:
    body = json.dumps(woocommerce()).encode()
    headers = {
        "X-WC-Webhook-Signature": sign_body(body, SECRET),
        "X-WC-Webhook-Topic": "order.created",
        "Content-Type": "application/json",
    }
    for said in ("kept", "kept before"):
        answer = await stranger.post(TO, content=body, headers=headers)
        assert (answer.status_code, answer.json()["message"]) == (200, said)
    (kept,) = await shop.shops.messages("webshop")
    assert kept.topic == "order.created"


async def test_the_ping_is_answered_and_what_is_not_signed_is_not_taken(
    shop: Shop, stranger: Caller
) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    ping = await stranger.post(TO, content=b"webhook_id=7", headers=form)
    assert ping.status_code == 200
    problem(await stranger.post(TO, content=b"{}"), 401, "not_signed")
    problem(await stranger.post(f"{TO}x", content=b"{}"), 404, "not_found")
    assert await shop.shops.messages("webshop") == []


async def test_while_the_database_is_away_the_shop_is_to_send_it_again(
    shop: Shop, stranger: Caller
) -> None:
    await shop.pool.execute("alter table shop rename to shop_away")
    answer = await stranger.post(TO, content=b"{}")
    await shop.pool.execute("alter table shop_away rename to shop")
    problem(answer, 503, "not_kept")
