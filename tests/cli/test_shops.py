"""`orderloom shops`: a channel is connected with its shop, and what that one sent is listed."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from domain.orders.channels import Channel
from domain.shops.connections import NewShop
from domain.shops.signatures import sign_body
from tests.support.command_line import Cli
from tests.support.shop import Shop
from tests.support.shop_payloads import shopify

SECRET = "s3cret-s3cret"


async def test_a_shop_is_connected_listed_and_disconnected(
    cli: Cli, shop: Shop, tmp_path: Path
) -> None:
    await shop.channels.save([Channel(channel="webshop", kind="web", providers=("elsewhere",))])
    file = tmp_path / "shop.json"
    file.write_text(json.dumps({"kind": "shopify", "secrets": [SECRET]}), encoding="utf-8")
    before, refused, connected, table, one, gone, again = await cli.many(
        ("shops", "list"),
        ("shops", "connect", "web", str(file)),
        ("shops", "connect", "webshop", str(file)),
        ("shops", "list"),
        ("shops", "show", "webshop", "--json"),
        ("shops", "disconnect", "webshop"),
        ("shops", "disconnect", "webshop"),
    )
    assert before.out.startswith("no shop is connected")
    assert (refused.code, "elsewhere" in refused.err) == (2, True)
    assert "/v1/webhooks/shops/webshop" in connected.out
    assert "elsewhere" in table.out
    (shown,) = one.json["shops"]
    assert (shown["kind"], shown["secrets"], shown["options"]["paid"]) == ("shopify", 1, True)
    assert SECRET not in connected.out + table.out + one.out
    assert (gone.code, again.code) == (0, 1)


async def test_what_needs_a_person_is_listed_and_settled(cli: Cli, shop: Shop) -> None:
    await shop.channels.save([Channel(channel="webshop", kind="web", providers=("elsewhere",))])
    wanted = NewShop.model_validate({"kind": "shopify", "secrets": [SECRET]})
    await shop.shops.connect("webshop", wanted, by="test")
    body = json.dumps(shopify(total_price="1.00")).encode()
    headers = {"x-shopify-hmac-sha256": sign_body(body, SECRET), "x-shopify-topic": "orders/create"}
    taken = await shop.shops.receive("webshop", headers, body, now=datetime.now(UTC))
    assert taken.status == 200

    async def failed() -> bool:
        return bool(await shop.shops.messages(failed=True))

    await shop.until(failed, "the message needs a person")
    (message,) = await shop.shops.messages()
    tasks, listed = await cli.many(("attention",), ("shops", "messages", "--failed", "--json"))
    settle = f"orderloom shops settle webshop {message.message_no} --note"
    assert settle in tasks.out
    assert "add up to 45.80" in listed.json["messages"][0]["last_error"]
    number = str(message.message_no)
    settled, again, empty, came = await cli.many(
        ("shops", "settle", "webshop", number, "--note", "sold by hand"),
        ("shops", "settle", "webshop", number, "--note", "sold by hand"),
        ("shops", "messages", "webshop", "--failed"),
        ("shops", "messages"),
    )
    assert (settled.code, again.code) == (0, 1)
    assert empty.out == "no message needs a person\n"
    assert "settled: sold by hand" in came.out
