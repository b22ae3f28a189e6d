"""Documents and the books over HTTP."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from domain.access.keys import OF_ORDERS_DOCUMENTS, SCOPES
from domain.jobs.jobs import NEEDS
from domain.orders.order import Order
from tests.support.api import Api, Caller, problem
from tests.support.builders import an_order
from tests.support.desk import Desk
from tests.support.planted import WORDS, found_in, planted
from tests.support.shop import Shop


@pytest.fixture
async def api(shop: Shop) -> Api:
    await shop.stocked("TEA", 1000)
    return Api(shop)


@pytest.fixture
async def caller(api: Api) -> Caller:
    return await api.caller()


async def sold(shop: Shop, caller: Caller, count: int = 1, **fields: Any) -> list[Order]:
    """Orders that were paid, sent and delivered, each with its invoice."""
    orders = [an_order(("TEA", 2, "10.00"), **fields) for _ in range(count)]
    for order in orders:
        await caller.placed(order)
    for order in orders:
        await shop.finish(order.order_id)
    return orders


async def pages(caller: Caller, path: str, **asked: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor: dict[str, Any] = {}
    while True:
        answer = await caller.get(path, params={"limit": 2, **asked, **cursor})
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert "_minor" not in answer.text
        found += page["items"]
        if not page["has_more"]:
            return found
        cursor = {"cursor": page["next_cursor"]}


async def sell_as_de(caller: Caller) -> None:
    """Have the channel b2b sell for another seller."""
    await caller.put("/v1/sellers/main", json={"name": "Main"})
    await caller.put("/v1/sellers/de", json={"name": "Tee GmbH"})
    b2b = {"channel": "b2b", "kind": "b2b", "seller": "de"}
    assert (await caller.put("/v1/channels/b2b", json=b2b)).status_code == 200


async def test_documents_are_listed_read_and_printed(shop: Shop, caller: Caller) -> None:
    (order,) = await sold(shop, caller)
    (listed,) = await pages(caller, "/v1/documents")
    assert (listed["order_id"], listed["kind"], listed["currency"]) == (
        order.order_id,
        "invoice",
        order.currency,
    )
    assert await pages(caller, f"/v1/orders/{order.order_id}/documents") == [listed]
    path = f"/v1/documents/{listed['number']}"
    shown = (await caller.get(path)).json()
    assert (shown["total"], shown["number"]) == (listed["total"], listed["number"])
    assert (shown["lines"][0]["quantity"], shown["lines"][0]["unit_price"]) == (2, "10.00")
    first, again = await caller.get(f"{path}.pdf"), await caller.get(f"{path}.pdf")
    by_accept = await caller.get(path, headers={"Accept": "application/pdf"})
    assert first.headers["content-type"] == "application/pdf"
    assert first.content[:5] == b"%PDF-"
    assert first.content == again.content == by_accept.content


async def test_of_the_buyer_only_whoever_may_is_told(api: Api, shop: Shop, caller: Caller) -> None:
    await sold(shop, caller, **planted())
    clerk = await api.caller("accounting:read")
    (listed,) = await pages(clerk, "/v1/documents")
    path = f"/v1/documents/{listed['number']}"
    assert found_in((await caller.get(path)).text, WORDS) != []
    told = await clerk.get(path)
    assert (told.json()["buyer"], told.json()["deliver_to"]) == (None, None)
    for text in (told.text, json.dumps(await pages(clerk, "/v1/ledger/entries"))):
        assert found_in(text, WORDS) == []
    problem(await clerk.get(f"{path}.pdf"), 403, "missing_scope")
    asked = await clerk.get(path, headers={"Accept": "application/pdf"})
    problem(asked, 403, "missing_scope")


async def test_an_orders_documents_are_for_who_sees_orders_customers_and_payments(
    api: Api, shop: Shop, caller: Caller
) -> None:
    await sell_as_de(caller)
    (order,) = await sold(shop, caller)
    (other,) = await sold(shop, caller, channel="b2b")
    (number,) = [x["number"] for x in await pages(caller, f"/v1/orders/{order.order_id}/documents")]
    desk = await api.caller(*OF_ORDERS_DOCUMENTS, channels=["web"])
    at = f"/v1/orders/{order.order_id}/documents"
    (listed,) = await pages(desk, at)
    told = (await desk.get(f"{at}/{number}")).json()
    assert (told["number"], told["order_id"]) == (listed["number"], order.order_id)
    assert told["buyer"] is not None
    books = await api.caller("accounting:read", "customers:read", sellers=["main"])
    of_books = await books.get(f"/v1/documents/{number}")
    assert of_books.json() == told
    printed = await desk.get(f"{at}/{number}.pdf")
    assert printed.content[:5] == b"%PDF-"
    assert printed.content == (await books.get(f"/v1/documents/{number}.pdf")).content
    (of_other,) = await pages(caller, f"/v1/orders/{other.order_id}/documents")
    elsewhere = f"/v1/orders/{other.order_id}/documents"
    for path in (elsewhere, f"{elsewhere}/{of_other['number']}", f"{elsewhere}/{number}.pdf"):
        problem(await desk.get(path), 404, "not_found")
    # Both sellers have one of this number, which is not the other order's.
    assert of_other["number"] == number
    assert (await caller.get(f"{elsewhere}/{number}")).json()["order_id"] == other.order_id
    problem(await desk.get(f"{at}/INV-1999-000001"), 404, "not_found")
    every = (at, f"{at}/{number}", f"{at}/{number}.pdf", f"{at[:-10]}?expand=documents")
    for scope in OF_ORDERS_DOCUMENTS:
        less = await api.caller(*({*SCOPES} - {scope}))
        for path in every:
            detail = problem(await less.get(path), 403, "missing_scope")["detail"]
            assert scope in detail, path
        asked = await less.send_once("/v1/bulk/documents", {"order_ids": [order.order_id]})
        assert scope in problem(asked, 403, "missing_scope")["detail"]
    # For many orders, too, and at the screens: it is one rule.
    assert NEEDS["print_documents"] == {*OF_ORDERS_DOCUMENTS}
    anna = Desk(shop.pool, api.app)
    await anna.signed_in("anna", "agent", channels=["web"])
    page = f"/app/orders/{order.order_id}"
    assert (await anna.get(f"{page}/documents/{number}.pdf")).content == printed.content
    assert (await anna.get(f"{page}/documents/{of_other['number']}.json")).status_code == 200
    of_b2b = f"/app/orders/{other.order_id}/documents/{number}.json"
    assert (await anna.get(of_b2b)).status_code == 404


async def test_the_books_add_up_and_are_read_page_by_page(shop: Shop, caller: Caller) -> None:
    orders = await sold(shop, caller, 2)
    balance = (await caller.get("/v1/ledger/balance")).json()
    (main,) = balance["sellers"]
    assert {one["sum"] for one in main["sums"]} == {"0.00"}
    revenue = next(one for one in main["balances"] if one["account"] == "revenue")
    assert revenue["amount"].startswith("-")
    entries = await pages(caller, "/v1/ledger/entries")
    ids = [one["entry_id"] for one in entries]
    assert ids == sorted(ids, reverse=True)
    assert len(set(ids)) == await shop.pool.fetchval("select count(*) from journal_entry")
    of_one = await pages(caller, "/v1/ledger/entries", order_id=orders[0].order_id)
    assert {one["order_id"] for one in of_one} == {orders[0].order_id}
    assert of_one == [one for one in entries if one["order_id"] == orders[0].order_id]
    day = entries[0]["booked_on"]
    taxes = await caller.get("/v1/ledger/taxes", params={"from": day, "to": day})
    (sums,) = taxes.json()["sellers"][0]["sums"]
    assert sums["tax"] == sums["booked"]
    page = (await caller.get("/v1/ledger/entries", params={"limit": 3})).json()
    await sold(shop, caller)
    following = {"limit": 3, "cursor": page["next_cursor"]}
    second = (await caller.get("/v1/ledger/entries", params=following)).json()
    assert [one["entry_id"] for one in second["items"]] == ids[3:6]


@pytest.mark.parametrize(
    ("format", "media", "holds"),
    [
        ("beancount", "text/plain", "operating_currency"),
        ("csv-quickbooks", "text/csv", "Journal No."),
        ("csv-xero", "text/csv", "*Narration"),
        ("json", "application/json", '"entries"'),
    ],
)
async def test_books_are_exported(
    shop: Shop, caller: Caller, format: str, media: str, holds: str
) -> None:
    await sold(shop, caller)
    asked = {"seller": "main", "format": format}
    answer = await caller.get("/v1/ledger/export", params=asked)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith(media)
    assert holds in answer.text
    final = await caller.get("/v1/ledger/export", params=asked | {"final": True})
    problem(final, 409, "refused")


async def test_days_are_closed_once_and_for_ever(shop: Shop, caller: Caller) -> None:
    today = await shop.accounting.today("main")
    wanted = {"seller": "main", "through": f"{today - timedelta(days=1)}", "by": "anna"}
    problem(
        await caller.send_once("/v1/ledger/close", wanted | {"through": f"{today}"}, key="k"),
        409,
        "illegal_transition",
    )
    first = await caller.send_once("/v1/ledger/close", wanted, key="k")
    assert (first.status_code, first.json()["through"]) == (200, wanted["through"])
    assert first.json()["who"] == f"anna (key {caller.key_id})"
    again = await caller.send_once("/v1/ledger/close", wanted, key="k")
    assert (again.json(), again.headers["idempotent-replayed"]) == (first.json(), "true")
    other = await caller.send_once("/v1/ledger/close", wanted | {"by": "ben"}, key="k")
    problem(other, 422, "key_reused")
    unknown = await caller.send_once("/v1/ledger/close", wanted | {"seller": "uk"})
    problem(unknown, 404, "not_found")


async def test_books_of_others_are_not_there(api: Api, shop: Shop, caller: Caller) -> None:
    await sell_as_de(caller)
    (mine,) = await sold(shop, caller, channel="b2b")
    (theirs,) = await sold(shop, caller)
    of_de = await api.caller("accounting:read", "accounting:write", sellers=["de"])
    (listed,) = await pages(of_de, "/v1/documents")
    assert (listed["seller"], listed["order_id"]) == ("de", mine.order_id)
    # Both have one of this number.
    path = f"/v1/documents/{listed['number']}"
    problem(await caller.get(path), 422, "invalid_input")
    for seller, order in (("de", mine), ("main", theirs)):
        told = await caller.get(path, params={"seller": seller})
        assert told.json()["order_id"] == order.order_id
    assert (await of_de.get(path)).json()["order_id"] == mine.order_id
    assert {one["seller"] for one in await pages(of_de, "/v1/ledger/entries")} == {"de"}
    balance = (await of_de.get("/v1/ledger/balance")).json()["sellers"]
    assert [one["seller"] for one in balance] == ["de"]
    assert await pages(of_de, "/v1/documents", seller="main") == []
    assert await pages(of_de, "/v1/ledger/entries", seller="main") == []
    days = {"from": "2026-01-01", "to": "2026-01-02"}
    for answer in (
        await of_de.get(path, params={"seller": "main"}),
        await of_de.get("/v1/ledger/entries", params={"order_id": theirs.order_id}),
        await of_de.get("/v1/ledger/balance", params={"seller": "main"}),
        await of_de.get("/v1/ledger/taxes", params=days | {"seller": "main"}),
        await of_de.get("/v1/ledger/export", params={"seller": "main", "format": "json"}),
        await of_de.send_once("/v1/ledger/close", {"seller": "main", "through": "2026-01-01"}),
        await caller.get("/v1/documents/INV-1999-000001"),
        await caller.get("/v1/documents/a/b%2Fc"),
        await caller.get("/v1/documents/none.pdf"),
    ):
        problem(answer, 404, "not_found")


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("documents", {"limit": 0}),
        ("documents", {"limit": 10**30}),
        ("documents", {"cursor": "x"}),
        ("ledger/balance", {"until": "0001-01-01"}),
        ("ledger/balance", {"until": "9999-12-31"}),
        ("ledger/balance", {"until": "2026-02-30"}),
        ("ledger/entries", {"from": "yesterday"}),
        ("ledger/entries", {"order_id": "x" * 400}),
        ("ledger/taxes", {}),
        ("ledger/taxes", {"from": "2026-02-01", "to": "2026-01-01"}),
        ("ledger/export", {"seller": "main", "format": "xls"}),
        ("ledger/export", {"seller": "main", "format": "json", "to": "2190-01-01"}),
        ("ledger/export", {"seller": "main", "format": "json", "currency": "EUR"}),
        ("ledger/export", {"seller": "main", "format": "csv-xero", "currency": "XQX"}),
        ("ledger/export", {"seller": "MAIN", "format": "json"}),
    ],
)
async def test_odd_questions_are_refused(caller: Caller, path: str, asked: Any) -> None:
    problem(await caller.get(f"/v1/{path}", params=asked), 422, "invalid_input")


async def test_without_the_scope_nothing_is_told_or_closed(api: Api) -> None:
    nobody = await api.caller("orders:read")
    for path in ("documents", "documents/x", "documents/x.pdf", "ledger/balance", "ledger/entries"):
        problem(await nobody.get(f"/v1/{path}"), 403, "missing_scope")
    reader = await api.caller("accounting:read")
    content = {"seller": "main", "through": "2026-01-01"}
    problem(await reader.send_once("/v1/ledger/close", content), 403, "missing_scope")
