"""The persons behind orders over HTTP: shown, handed out, and erased."""

from __future__ import annotations

import json
import logging
import re
from typing import Any

import pytest

from domain.orders.order import Order
from tests.http.test_money import pages
from tests.support.api import Api, Caller, problem
from tests.support.builders import an_order
from tests.support.planted import CUSTOMER, WORDS, found_in, left_of_it, planted
from tests.support.shop import Shop

WANTED: dict[str, Any] = {"customer": CUSTOMER["id"], "reason": "asked for by letter", "by": "dpo"}
ORDERS = "/v1/customers/orders"
ERASE = "/v1/customers/erase"


@pytest.fixture
async def api(shop: Shop) -> Api:
    await shop.stocked("TEA", 1000)
    return Api(shop)


@pytest.fixture
async def caller(api: Api) -> Caller:
    return await api.caller()


async def ordered(caller: Caller, *channels: str) -> list[Order]:
    orders = [an_order(("TEA", 1, "10.00"), channel=one, **planted()) for one in channels]
    for order in orders:
        await caller.placed(order)
    return orders


async def cancelled(shop: Shop, caller: Caller, orders: list[Order]) -> None:
    for order in orders:
        path = f"/v1/orders/{order.order_id}/cancel"
        answer = await caller.send_once(path, {"reason": "no"}, if_match="*")
        assert answer.json()["outcome"] == "cancelled", answer.text
        await shop.result(order.order_id)


async def test_a_person_is_shown_by_id_and_by_mail_address(caller: Caller) -> None:
    orders = await ordered(caller, "web", "web", "b2b")
    ids = [order.order_id for order in reversed(orders)]
    for named in (CUSTOMER["id"], CUSTOMER["email"], CUSTOMER["email"].upper()):
        found = await pages(caller, ORDERS, customer=named)
        assert [one["order_id"] for one in found] == ids
    assert found[0]["about"]["address"]["city"] == "Unterammerwinkel"
    assert (found[0]["known_for"], found[0]["erased_at"]) == ("open", None)
    page = (await caller.get(ORDERS, params={"customer": CUSTOMER["id"], "limit": 2})).json()
    await ordered(caller, "web")
    asked = {"customer": CUSTOMER["id"], "limit": 2, "cursor": page["next_cursor"]}
    following = (await caller.get(ORDERS, params=asked)).json()
    assert [one["order_id"] for one in following["items"]] == ids[2:]


@pytest.mark.parametrize("named", ["a/b", "kim+1@example.com", "#1 ?&=%", "北京 客户", "..", "🫖"])
async def test_a_customer_may_be_called_anything(caller: Caller, named: str) -> None:
    order = an_order(("TEA", 1, "10.00"), customer={"id": named, "name": "Kim"})
    await caller.placed(order)
    (found,) = await pages(caller, ORDERS, customer=named)
    assert (found["order_id"], found["customer_id"]) == (order.order_id, named)
    answer = await caller.send_once(ERASE, WANTED | {"customer": named})
    assert [one["order_id"] for one in answer.json()["orders"]] == [order.order_id]


async def test_all_of_a_person_is_handed_out_with_amounts_as_texts(
    shop: Shop, caller: Caller
) -> None:
    (order,) = await ordered(caller, "web")
    await shop.finish(order.order_id)
    grant = {"customer": CUSTOMER["id"], "amount": "5.00", "currency": "USD", "reason": "sorry"}
    assert (await caller.send_once("/v1/credit", grant)).status_code == 201
    answer = await caller.get("/v1/customers/export", params={"customer": CUSTOMER["id"]})
    assert answer.status_code == 200
    assert set(found_in(answer.text)) == set(WORDS)
    assert re.findall(r'"\w+_minor[^,]*', answer.text) == []
    told = answer.json()
    assert told["orders"][0]["payments"][0]["amount"] == "10.00"
    assert told["credit"][0]["balance"] == "5.00"


async def test_a_person_is_erased_and_nothing_that_was_asked_names_them(
    shop: Shop, caller: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    open_one, *others = await ordered(caller, "web", "web", "b2b")
    await cancelled(shop, caller, others)
    first = await caller.send_once(ERASE, WANTED | {"customer": CUSTOMER["email"]}, key="k")
    assert first.status_code == 200, first.text
    assert {one["order_id"]: one["outcome"] for one in first.json()["orders"]} == {
        open_one.order_id: "waits",
        **{order.order_id: "erased" for order in others},
    }
    again = await caller.send_once(ERASE, WANTED | {"customer": CUSTOMER["email"]}, key="k")
    assert (again.json(), again.headers["idempotent-replayed"]) == (first.json(), "true")
    other = await caller.send_once(ERASE, WANTED | {"reason": "by phone"}, key="k")
    problem(other, 422, "key_reused")
    await cancelled(shop, caller, [open_one])
    last = await caller.send_once(ERASE, WANTED | {"customer": CUSTOMER["email"]})
    assert {one["outcome"] for one in last.json()["orders"]} == {"erased"}
    assert await left_of_it(shop.pool) == {}
    assert found_in(caplog.text, WORDS) == []
    gone = await caller.get(ORDERS, params={"customer": CUSTOMER["id"]})
    problem(gone, 404, "not_found")
    story = (await caller.get(f"/v1/orders/{others[0].order_id}/story")).json()["events"]
    assert story[-1]["who"] == f"dpo (key {caller.key_id})"


async def test_a_key_for_a_channel_sees_and_erases_what_is_its_own(
    api: Api, shop: Shop, caller: Caller
) -> None:
    mine, theirs = await ordered(caller, "web", "b2b")
    await cancelled(shop, caller, [mine, theirs])
    of_web = await api.caller("customers:read", "customers:write", channels=["web"])
    named = {"customer": CUSTOMER["id"]}
    assert [one["order_id"] for one in await pages(of_web, ORDERS, **named)] == [mine.order_id]
    handed = (await of_web.get("/v1/customers/export", params=named)).json()
    assert [one["order_id"] for one in handed["orders"]] == [mine.order_id]
    erased = (await of_web.send_once(ERASE, WANTED)).json()
    assert [one["order_id"] for one in erased["orders"]] == [mine.order_id]
    (left,) = await pages(caller, ORDERS, **named)
    assert (left["order_id"], left["about"]["customer"]["name"]) == (
        theirs.order_id,
        CUSTOMER["name"],
    )
    of_pos = await api.caller("customers:read", "customers:write", channels=["pos"])
    for answer in (
        await of_pos.get(ORDERS, params=named),
        await of_pos.get("/v1/customers/export", params=named),
        await of_pos.send_once(ERASE, WANTED),
        await caller.get(ORDERS, params={"customer": "nobody"}),
        await caller.send_once(ERASE, WANTED | {"customer": "nobody"}),
    ):
        told = problem(answer, 404, "not_found")
        assert "orderloom" not in json.dumps(told["errors"])


@pytest.mark.parametrize(
    "content",
    [
        {},
        WANTED | {"customer": ""},
        WANTED | {"customer": "a\x00"},
        WANTED | {"customer": "x" * 201},
        WANTED | {"customer": ["a"]},
        WANTED | {"reason": ""},
        WANTED | {"reason": "x" * 501},
        WANTED | {"by": ""},
        WANTED | {"documents_years": -1},
    ],
)
async def test_odd_erasures_are_refused(caller: Caller, content: dict[str, Any]) -> None:
    problem(await caller.send_once(ERASE, content), 422, "invalid_input")


async def test_odd_questions_and_missing_scopes(api: Api, caller: Caller) -> None:
    for path in (ORDERS, "/v1/customers/export"):
        for asked in ({}, {"customer": ""}, {"customer": "a\x00"}, {"customer": "x" * 300}):
            problem(await caller.get(path, params=asked), 422, "invalid_input")
    nobody = await api.caller("orders:read", "orders:write")
    for path in (ORDERS, "/v1/customers/export"):
        problem(await nobody.get(path, params={"customer": "x"}), 403, "missing_scope")
    problem(await nobody.send_once(ERASE, WANTED), 403, "missing_scope")
