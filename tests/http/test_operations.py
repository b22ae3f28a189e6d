"""What waits for a person, the audit, lost orders, and the search, over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from store.orders import events
from tests.http.test_money import pages
from tests.support.api import Api, Caller, problem
from tests.support.builders import an_order
from tests.support.planted import CUSTOMER, WORDS, found_in, planted
from tests.support.shop import Shop


@pytest.fixture
async def api(shop: Shop) -> Api:
    await shop.stocked("TEA", 1000)
    return Api(shop)


@pytest.fixture
async def caller(api: Api) -> Caller:
    return await api.caller()


async def test_what_waits_is_listed_page_by_page_with_what_to_do(
    shop: Shop, caller: Caller
) -> None:
    orders = [an_order(("TEA", 1, "10.00")) for _ in range(5)]
    for number, order in enumerate(orders):
        await caller.placed(order)
        step = "authorize_payment" if number % 2 else "pick_pack_ship 1"
        async with shop.pool.acquire() as conn:
            await events.raise_attention(conn, order.order_id, step, "look at it", ["retry"])
    found = await pages(caller, "/v1/attention")
    names = [one["subject"] for one in found]
    assert names == [orders[n].order_id for n in (1, 3, 0, 2, 4)]
    assert (found[0]["amount"], found[0]["currency"]) == ("15.00", "USD")
    assert found[-1]["amount"] is None
    assert found[0]["do"] == "decide"
    assert orders[1].order_id in found[0]["command"]
    assert await pages(caller, "/v1/attention", seller="main") == found
    assert await pages(caller, "/v1/attention", seller="uk") == []


async def test_a_lost_order_is_taken_up_once(shop: Shop, caller: Caller) -> None:
    order = an_order(("TEA", 1, "10.00"))
    await caller.placed(order)
    await shop.knows(order.order_id, f"{order.order_id}:1")
    path = f"/v1/orders/{order.order_id}/resume"
    running = await caller.send_once(path, {}, key="k")
    assert (running.status_code, running.json()["outcome"]) == (200, "running")
    await shop.workflow(order.order_id).terminate()
    first = await caller.send_once(path, {"settle_s": 0}, key="k2")
    assert (first.status_code, first.json()["outcome"]) == (200, "resumed")
    again = await caller.send_once(path, {"settle_s": 0}, key="k2")
    assert (again.json(), again.headers["idempotent-replayed"]) == (first.json(), "true")
    problem(await caller.send_once(path, {"settle_s": 1}, key="k2"), 422, "key_reused")
    await shop.finish(order.order_id)
    problem(await caller.send_once(path, {}), 409, "refused")
    problem(await caller.send_once("/v1/orders/web-none/resume", {}), 404, "not_found")
    for seconds in (-1, 10**30, "soon", 1.5):
        problem(await caller.send_once(path, {"settle_s": seconds}), 422, "invalid_input")


async def hits(caller: Caller, q: str) -> list[tuple[str, str]]:
    answer = await caller.get("/v1/search", params={"q": q})
    assert answer.status_code == 200, answer.text
    return [(one["kind"], one["id"]) for one in answer.json()["items"]]


async def test_one_box_finds_whatever_somebody_has_in_hand(shop: Shop, caller: Caller) -> None:
    order = an_order(("TEA", 1, "10.00"), channel_order_id="#9001", **planted())
    await caller.placed(order)
    fulfilment = f"{order.order_id}:1"
    await shop.drive(fulfilment, "delivered")
    await shop.heard(order.order_id, "delivered", 1)
    wanted = {"reason": "too big", "lines": [{"line_id": "1", "quantity": 1}]}
    path = f"/v1/orders/{order.order_id}/return"
    asked = await caller.send_once(path, wanted, if_match="*")
    assert asked.status_code == 200, asked.text
    (parcel,) = (await shop.orders.get(order.order_id)).fulfilments
    assert parcel.tracking_number is not None
    (invoice,) = await pages(caller, "/v1/documents")
    for typed, found in {
        order.order_id: ("order", order.order_id),
        "web-#9001": ("order", order.order_id),
        "#9001": ("order", order.order_id),
        " 9001 ": ("order", order.order_id),
        fulfilment: ("fulfilment", fulfilment),
        asked.json()["return_id"]: ("return", asked.json()["return_id"]),
        parcel.tracking_number: ("parcel", parcel.tracking_number),
        invoice["number"]: ("document", invoice["number"]),
        invoice["number"].lower(): ("document", invoice["number"]),
        "TEA": ("item", "TEA"),
        CUSTOMER["id"]: ("customer", CUSTOMER["id"]),
        CUSTOMER["email"].upper(): ("customer", CUSTOMER["id"]),
    }.items():
        assert await hits(caller, typed) == [found], typed
    for typed in ("nothing", "%", "_", "'", "\\", "web-", "-", ":", "web-#9001:9", "🫖", "x" * 200):
        assert await hits(caller, typed) == [], typed


async def test_what_is_found_can_be_read_where_it_says(shop: Shop, caller: Caller) -> None:
    order = an_order(("TEA", 1, "10.00"), **planted())
    await caller.placed(order)
    await shop.finish(order.order_id)
    (invoice,) = await pages(caller, "/v1/documents")
    for typed in (order.order_id, f"{order.order_id}:1", invoice["number"], CUSTOMER["id"]):
        (hit,) = (await caller.get("/v1/search", params={"q": typed})).json()["items"]
        assert (await caller.get(hit["href"])).status_code == 200, hit


async def test_a_search_finds_what_the_key_may_see(api: Api, shop: Shop, caller: Caller) -> None:
    order = an_order(("TEA", 1, "10.00"), channel="b2b", **planted())
    await caller.placed(order)
    await shop.finish(order.order_id)
    (invoice,) = await pages(caller, "/v1/documents")
    (parcel,) = (await shop.orders.get(order.order_id)).fulfilments
    assert parcel.tracking_number is not None
    clerk = await api.caller("orders:read")
    assert await hits(clerk, order.order_id) == [("order", order.order_id)]
    text = (await clerk.get("/v1/search", params={"q": order.order_id})).text
    assert found_in(text.replace(order.customer.id, ""), WORDS) == []
    for typed in (invoice["number"], "TEA", CUSTOMER["id"], CUSTOMER["email"]):
        assert await hits(clerk, typed) == [], typed
    scopes = ("orders:read", "customers:read")
    of_web = await api.caller(*scopes, "catalogue:read", channels=["web"])
    of_uk = await api.caller(*scopes, "accounting:read", sellers=["main"])
    for typed in (order.order_id, f"{order.order_id}:1", parcel.tracking_number, CUSTOMER["id"]):
        assert await hits(of_web, typed) == [], typed
        assert len(await hits(of_uk, typed)) == 1, typed
    assert await hits(of_uk, invoice["number"]) == [("document", invoice["number"])]
    await shop.pool.execute("update customer_order set seller = 'other'")
    for typed in (order.order_id, parcel.tracking_number, CUSTOMER["email"]):
        assert await hits(of_uk, typed) == [], typed


async def test_odd_questions_and_missing_scopes(api: Api, caller: Caller) -> None:
    for path, asked in (
        ("search", {}),
        ("search", {"q": ""}),
        ("search", {"q": " "}),
        ("search", {"q": "a\x00b"}),
        ("search", {"q": "x" * 201}),
        ("attention", {"seller": "x" * 65}),
        ("attention", {"cursor": "none"}),
        ("audit", {"patience_s": -1}),
        ("audit", {"patience_s": 10**30}),
    ):
        problem(await caller.get(f"/v1/{path}", params=asked), 422, "invalid_input")
    problem(await caller.get("/v1/audit", params={"seller": "uk"}), 404, "not_found")
    nobody = await api.caller("stock:read")
    for path in ("search?q=x", "attention", "audit"):
        problem(await nobody.get(f"/v1/{path}"), 403, "missing_scope")
    answer = await nobody.send_once("/v1/orders/web-1/resume", {})
    problem(answer, 403, "missing_scope")


async def test_after_all_this_the_audit_is_clean(shop: Shop, caller: Caller) -> None:
    order = an_order(("TEA", 2, "10.00"))
    await caller.placed(order)
    await shop.finish(order.order_id)
    waiting = an_order(("TEA", 2, "10.00"))
    await caller.placed(waiting)
    answer = await caller.get("/v1/audit", params={"patience_s": 5})
    told: dict[str, Any] = answer.json()
    assert (answer.status_code, told["clean"], told["violations"]) == (200, True, [])
    assert (told["counts"]["orders"], told["workflows"]) == (2, 1)
    await shop.pool.execute("update stock set on_hand = on_hand + 1")
    told = (await caller.get("/v1/audit", params={"patience_s": 0})).json()
    assert (told["clean"], told["violations"][0]["rule"]) == (False, "stock")
