"""Shops send their orders: each is placed once, and what changes there changes here, or is told."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

import pytest
import pytest_asyncio
from temporalio.client import Client

from activities.orders.requests import Requests
from activities.shops.inbox import ShopMessages
from domain.errors import InvalidInput, NotFound
from domain.orders.channels import Channel
from domain.orders.messages import CancelRequest
from domain.orders.policy import Policy
from domain.shops.connections import NewShop
from domain.shops.signatures import sign_body, sign_standard
from starter.service.shops import BODY_BYTES_MAX
from store.database import Pool
from store.shops.messages import ShopMessage
from tests.support.books import faults_in
from tests.support.builders import a_policy, an_order
from tests.support.shop import Shop
from tests.support.shop_payloads import examples, shopify, woocommerce

SECRET = "s3cret-s3cret"
WHSEC = "whsec_" + base64.b64encode(b"k" * 32).decode()
numbers = itertools.count(5000)


@pytest_asyncio.fixture(loop_scope="session")
async def shop(pool: Pool, temporal_client: Client) -> AsyncIterator[Shop]:
    shop = Shop(pool, temporal_client, a_policy(give_up_after=60, return_window=60))
    paid = [
        Channel(channel=code, kind="web", providers=("elsewhere",))
        for code in ("shopify", "woo", "other")
    ]
    await shop.channels.save(paid)
    await connect(shop, "shopify", kind="shopify")
    await connect(shop, "woo", kind="woocommerce", options={"skus": {"23": "IDEA-M"}})
    await connect(shop, "other", kind="generic", secrets=[WHSEC])
    async with shop.working():
        yield shop


async def connect(shop: Shop, channel: str, **wanted: Any) -> None:
    document = {"secrets": [SECRET], **wanted}
    await shop.shops.connect(channel, NewShop.model_validate(document), by="test")


async def told(
    shop: Shop, content: Any, topic: str = "orders/updated", *, message_id: str = ""
) -> int:
    """Shopify sends a message."""
    body = json.dumps(content).encode()
    headers = {
        "x-shopify-hmac-sha256": sign_body(body, SECRET),
        "x-shopify-topic": topic,
        "x-shopify-webhook-id": message_id,
    }
    return (await shop.shops.receive("shopify", headers, body, now=datetime.now(UTC))).status


async def woo(shop: Shop, content: Any, topic: str = "order.updated") -> int:
    body = json.dumps(content).encode()
    headers = {"x-wc-webhook-signature": sign_body(body, SECRET), "x-wc-webhook-topic": topic}
    return (await shop.shops.receive("woo", headers, body, now=datetime.now(UTC))).status


async def other(shop: Shop, content: Any, message_id: str) -> int:
    body, now = json.dumps(content).encode(), datetime.now(UTC)
    headers = {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": sign_standard(message_id, now, body, WHSEC),
    }
    return (await shop.shops.receive("other", headers, body, now=now)).status


def of_shopify(second: int = 0, **changes: Any) -> dict[str, Any]:
    """An order of its own; changed in that second."""
    return shopify(**{"updated_at": f"2026-11-20T15:00:{second:02}Z", **changes})


def new_number() -> dict[str, Any]:
    number = next(numbers)
    return {"id": number, "name": f"#{number}"}


async def newest(shop: Shop) -> ShopMessage:
    return (await shop.shops.messages(at_most=1))[0]


async def done(shop: Shop) -> str:
    """What came of the newest message, once it is worked through."""

    async def look() -> str | None:
        return (await newest(shop)).outcome

    return str(await shop.until(look, "the newest message is worked through"))


async def needs_a_person(shop: Shop) -> str:
    async def look() -> str | None:
        return (await newest(shop)).last_error

    return str(await shop.until(look, "the newest message needs a person"))


async def money(shop: Shop, order_id: str) -> tuple[int, int]:
    row = await shop.pool.fetchrow(
        "select captured, refunded from order_money join customer_order using (order_no)"
        " where order_id = $1",
        order_id,
    )
    assert row is not None
    return row["captured"], row["refunded"]


async def test_an_order_is_placed_once_and_is_paid(shop: Shop) -> None:
    await shop.stocked("TEA", 2)
    order = of_shopify(**new_number())
    for _ in range(2):
        assert await told(shop, order, "orders/create", message_id="w-1") == 200
    assert await done(shop) == "placed"
    assert await told(shop, order, "orders/paid", message_id="w-2") == 200
    assert await done(shop) == "its order is up to date"
    order_id = f"shopify-~23{order['id']}"
    await shop.told(order_id, "charged")
    assert await money(shop, order_id) == (45_80, 0)
    kept = await shop.shops.messages("shopify")
    assert [one.order_id for one in kept] == [order_id, order_id]
    assert await shop.pool.fetchval("select count(*) from shop_message where body is not null") == 0


async def test_an_order_waits_there_until_it_is_paid(shop: Shop) -> None:
    number = new_number()
    await told(shop, of_shopify(1, financial_status="pending", **number), "orders/create")
    assert await done(shop) == "it is not paid yet: pending"
    await told(shop, of_shopify(2, **number), "orders/paid")
    assert await done(shop) == "placed"
    await told(shop, of_shopify(0, financial_status="pending", **number))
    assert await done(shop) == "something newer about it was worked through"


async def test_what_is_cancelled_and_paid_back_there_is_so_here(shop: Shop) -> None:
    await shop.stocked("TEA", 2)
    number = new_number()
    await told(shop, of_shopify(1, **number), "orders/create")
    assert await done(shop) == "placed"
    order_id = f"shopify-~23{number['id']}"
    await shop.told(order_id, "charged")
    refund = {"id": 1, "kind": "refund", "status": "success", "amount": "45.80"}
    gone = of_shopify(
        2,
        cancelled_at="2026-11-20T15:00:02Z",
        cancel_reason="customer",
        financial_status="refunded",
        refunds=[{"transactions": [{**refund, "id": number["id"]}]}],
        **number,
    )
    await told(shop, gone, "orders/cancelled")
    assert await done(shop) == "its order is up to date"
    assert (await shop.result(order_id))["outcome"] == "cancelled"
    assert await money(shop, order_id) == (45_80, 45_80)
    assert (await shop.orders.get(order_id)).attention == ()
    await clean(shop)


async def test_units_that_are_taken_off_there_are_cancelled_here(shop: Shop) -> None:
    await shop.stocked("TEA", 2)
    number = new_number()
    await told(shop, of_shopify(1, **number), "orders/create")
    await done(shop)
    order_id = f"shopify-~23{number['id']}"
    await shop.told(order_id, "charged")
    fewer = of_shopify(2, financial_status="partially_refunded", **number)
    fewer["line_items"][0]["current_quantity"] = 1
    back = {"id": f"a{number['id']}", "kind": "refund", "status": "success", "amount": "17.95"}
    fewer["refunds"] = [{"transactions": [back]}]
    await told(shop, fewer)
    assert await done(shop) == "its order is up to date"
    (line,) = (await shop.orders.get(order_id)).lines
    assert line.cancelled == 1
    captured, refunded = await money(shop, order_id)
    assert (captured, refunded) == (45_80, 17_95)
    # Here a cancelled unit goes with its share of shipping and fees, which the shop has kept.
    owed = await shop.until(lambda: open_refund(shop, order_id), "the rest is asked for")
    assert "of it" in owed
    await told(shop, {**fewer, "updated_at": "2026-11-20T15:00:03Z"})
    assert await done(shop) == "its order is up to date"
    assert (await money(shop, order_id)) == (captured, refunded)


async def open_refund(shop: Shop, order_id: str) -> str | None:
    rows = (await shop.orders.get(order_id)).attention
    return next((row.reason for row in rows if row.step.startswith("refund_payment")), None)


async def test_it_was_cancelled_before_it_came(shop: Shop) -> None:
    number = new_number()
    await told(shop, of_shopify(5, cancelled_at="2026-11-20T15:00:05Z", **number))
    assert await done(shop) == "it was cancelled before it came"
    await told(shop, of_shopify(1, **number), "orders/create")
    assert await done(shop) == "something newer about it was worked through"
    with pytest.raises(NotFound):
        await shop.orders.get(f"shopify-~23{number['id']}")


async def test_an_edit_is_for_a_person_who_is_asked_once(shop: Shop) -> None:
    await shop.stocked("TEA", 2)
    number = new_number()
    await told(shop, of_shopify(1, **number), "orders/create")
    await done(shop)
    moved = of_shopify(2, **number)
    moved["shipping_address"]["city"] = "Berlin"
    await told(shop, moved)
    assert "the address was changed" in await needs_a_person(shop)
    message = await newest(shop)
    (task,) = [t for t in await shop.needs_attention.tasks() if t.kind == "shop_message"]
    assert (task.subject, task.name) == (message.order_id, f"shopify {message.message_no}")
    await shop.shops.settle("shopify", message.message_no, "moved it by hand")
    assert [t for t in await shop.needs_attention.tasks() if t.kind == "shop_message"] == []
    await told(shop, {**moved, "updated_at": "2026-11-20T15:00:03Z"})
    assert await done(shop) == "a person has dealt with that before"


async def test_what_cannot_be_mapped_is_kept_and_read_again_once_it_can(shop: Shop) -> None:
    assert await told(shop, of_shopify(1, total_price="1.00", **new_number())) == 200
    assert "add up to 45.80" in await needs_a_person(shop)
    unnamed = woocommerce(id=next(numbers), number=str(next(numbers)))
    await connect(shop, "woo", kind="woocommerce")
    assert await woo(shop, unnamed) == 200
    assert "sku" in await needs_a_person(shop)
    assert [one.channel for one in await shop.shops.messages(failed=True)] == ["woo", "shopify"]
    await connect(shop, "woo", kind="woocommerce", options={"skus": {"23": "IDEA-M"}})
    assert await done(shop) == "placed"


async def test_woocommerce_and_the_generic_kind(shop: Shop) -> None:
    number = next(numbers)
    order = woocommerce(id=number, number=str(number))
    assert await woo(shop, order, "order.created") == 200
    assert await done(shop) == "placed"
    assert (await shop.orders.get(f"woo-{number}")).summary.channel == "woo"
    generic, cancel = examples("woocommerce.md")[2:]
    await shop.stocked("TEA", 2)
    for _ in range(2):
        assert await other(shop, generic, "m-1") == 200
    assert await done(shop) == "placed"
    await shop.told("other-7001", "charged")
    assert await other(shop, cancel, "m-2") == 200
    assert await done(shop) == "its order is up to date"
    assert (await shop.orders.get("other-7001")).lines[0].cancelled == 2


async def test_an_order_that_does_not_answer_is_asked_again_later(
    pool: Pool, temporal_client: Client
) -> None:
    idle = Shop(pool, temporal_client, a_policy())  # without a worker
    order = an_order(("TEA", 1))
    placement = await idle.orders.place(order, answer_within=timedelta(seconds=0.1))
    assert placement.outcome == "in_progress"
    requests = Requests(temporal_client, within=timedelta(seconds=1))
    cancel = CancelRequest(reason="not wanted", request_id="shop-1")
    assert await requests.send(order.order_id, cancel) == ""
    assert await requests.send("web-never-placed", cancel) == ""
    asking = asyncio.create_task(requests.send(order.order_id, cancel))
    await asyncio.sleep(0.2)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking


async def test_messages_go_some_time_after_they_were_worked_through(shop: Shop) -> None:
    for _ in range(2):
        await told(shop, of_shopify(**new_number()), "app/uninstalled")
    assert await done(shop) == "nothing is read of app/uninstalled"
    number = (await newest(shop)).message_no
    await shop.pool.execute(
        "update shop_message set processed_at = moment() - interval '91 days'"
        " where message_no = $1",
        number,
    )
    await ShopMessages(shop.pool, never, never, Policy()).forget()
    left = await shop.shops.messages()
    assert len(left) == 1
    assert left[0].message_no < number


async def never(*_: object) -> NoReturn:
    raise AssertionError("nobody is asked")


async def test_only_the_shop_is_heard(shop: Shop) -> None:
    body = json.dumps(of_shopify(**new_number())).encode()
    headers = {"x-shopify-hmac-sha256": sign_body(body, SECRET), "x-shopify-topic": "orders/create"}
    now = datetime.now(UTC)

    async def status(channel: str, body: bytes) -> int:
        return (await shop.shops.receive(channel, headers, body, now=now)).status

    before = await shop.shops.messages()
    assert await status("shopify", body + b" ") == 401
    assert await status("web", body) == 404
    assert await status("shopify", b" " * (BODY_BYTES_MAX + 1)) == 413
    assert await status("woo", b"webhook_id=7") == 200
    assert await status("shopify", b"webhook_id=7") == 401
    assert await shop.shops.messages() == before
    await connect(shop, "shopify", kind="shopify", secrets=["another-one", SECRET])
    assert await status("shopify", body) == 200
    await shop.shops.disconnect("shopify")
    assert await status("shopify", body) == 404
    with pytest.raises(NotFound):
        await shop.shops.get("shopify")


async def test_a_shop_is_connected_with_a_channel_that_takes_its_orders(shop: Shop) -> None:
    with pytest.raises(InvalidInput, match="paid by elsewhere"):
        await connect(shop, "web", kind="shopify")
    with pytest.raises(NotFound):
        await connect(shop, "nowhere", kind="shopify")
    await connect(shop, "web", kind="shopify", options={"paid": False, "provider": "sandbox"})
    found = {one.channel: one for one in await shop.shops.list()}
    assert (found["web"].secrets, found["web"].options.paid_by) == (1, "sandbox")


async def clean(shop: Shop) -> None:
    assert await faults_in(shop.pool) == []
    report = await shop.audit()
    assert report.clean, "\n".join(report.lines())


async def test_a_late_message_about_an_erased_person_asks_nobody(shop: Shop) -> None:
    number = new_number()
    await shop.stocked("TEA", 2)
    gone = of_shopify(1, **number)
    await told(shop, gone, "orders/create")
    assert await done(shop) == "placed"
    order_id = f"shopify-~23{number['id']}"
    await shop.told(order_id, "charged")
    cancelled = {**gone, "cancelled_at": "2026-11-20T15:00:02Z"}
    back = {"id": f"e{number['id']}", "kind": "refund", "status": "success", "amount": "45.80"}
    cancelled |= {
        "updated_at": "2026-11-20T15:00:02Z",
        "refunds": [{"transactions": [back]}],
    }
    await told(shop, cancelled, "orders/cancelled")
    await shop.result(order_id)
    await done(shop)
    await shop.customers.erase("207119551", who="test", why="asked for")
    assert (await shop.orders.get(order_id)).document["customer"]["name"] == "[erased]"
    late = {**gone, "updated_at": "2026-11-20T15:00:09Z", "note": "a tag was added"}
    await told(shop, late)
    assert await done(shop) == "its order is up to date"
    assert await shop.pool.fetchval("select count(*) from shop_message where body is not null") == 0
