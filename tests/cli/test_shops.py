"""`orderloom shops`: a channel is connected with its shop, and what that one sent is listed."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from domain.orders.channels import Channel
from domain.shops.connections import NewShop
from domain.shops.signatures import sign_body
from tests.localshops import shopify as stand_in
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


async def test_a_shop_is_checked_and_what_it_refused_is_seen_to(
    cli: Cli, shop: Shop, tmp_path: Path
) -> None:
    await shop.channels.save([Channel(channel="webshop", kind="web", providers=("elsewhere",))])
    await shop.stocked("TEA", 3)
    file = tmp_path / "shop.json"

    def write(token: str, address: str) -> None:
        content = {
            "kind": "shopify",
            "secrets": [SECRET],
            "options": {"tell_stock": True},
            "access": {"address": address, "token": token},
        }
        file.write_text(json.dumps(content), encoding="utf-8")

    async with stand_in.Shopify().serving() as there:
        write("shpat_of_another", there.address)
        await cli.done("shops", "connect", "webshop", str(file))
        refused, table = await cli.many(("shops", "check", "webshop"), ("shops", "list"))
        assert (refused.code, "does not let us in (401)" in refused.err) == (3, True)
        assert "not since" in table.out
        there.token = "shpat_of_another"
        mended = await cli.done("shops", "check", "webshop")
        assert "answers; Stand-in" in mended.out  # What it said before is not repeated.
        there.token = stand_in.TOKEN
        write(stand_in.TOKEN, there.address)
        await cli.done("shops", "connect", "webshop", str(file))
        checked = await cli.done("shops", "check", "webshop")
        assert "answers; Stand-in" in checked.out
        assert "lacks write_inventory" in checked.out

        async def unknown() -> bool:
            contact = (await shop.shops.get("webshop")).contact
            return contact is not None and contact.refused == 1

        await shop.until(unknown, "the shop has refused the stock of a SKU")
        tasks, nothing, dismissed, again, shown = await cli.many(
            ("attention",),
            ("shops", "dismiss", "webshop", "CUP", "--note", "not sold there"),
            ("shops", "dismiss", "webshop", "TEA", "--note", "not sold there"),
            ("shops", "dismiss", "webshop", "--note", "not sold there"),
            ("shops", "show", "webshop", "--json"),
        )
        assert "does not take the stock of 1 SKU(s): TEA (there is no item" in tasks.out
        assert "orderloom shops dismiss webshop --note" in tasks.out
        assert (nothing.code, dismissed.code, again.code) == (1, 0, 1)
        assert dismissed.out == "1 task of webshop seen to\n"
        assert shown.json["shops"][0]["contact"]["refused"] == 0
        for ended in (refused, table, checked, shown):
            assert "shpat" not in ended.out + ended.err
    without, away = await cli.many(
        ("shops", "check", "web"), ("shops", "check", "webshop", "--wait", "20")
    )
    assert (without.code, away.code) == (1, 3)
