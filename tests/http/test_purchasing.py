"""Suppliers and purchase orders over HTTP: bought by hand or by level, reported, cancelled."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Api, Caller, problem
from tests.support.shop import Shop

TERMS = {
    "supplier": "assam",
    "name": "Assam Gardens Ltd",
    "sku": "TEA",
    "lead_time_days": 7,
    "unit_price": "2.50",
    "currency": "EUR",
    "minimum": 24,
    "multiple": 12,
}


@pytest.fixture
async def api(shop: Shop) -> Api:
    await shop.stocked("TEA", 5)
    await shop.stocked("TEA", 5, "shop")
    return Api(shop)


@pytest.fixture
async def caller(api: Api) -> Caller:
    caller = await api.caller()
    terms = [TERMS, TERMS | {"sku": "POT", "supplier": "potter", "unit_price": "0.125"}]
    answer = await caller.put("/v1/supplier-terms", json={"terms": terms})
    assert answer.status_code == 204, answer.text
    return caller


def wanted(units: int = 24, **content: Any) -> dict[str, Any]:
    return {"supplier": "assam", "location": "main", "units": {"TEA": units}, **content}


async def bought(caller: Caller, **content: Any) -> str:
    answer = await caller.send_once("/v1/purchase-orders", wanted(**content))
    assert answer.status_code == 201, answer.text
    return answer.headers["location"]


async def until(shop: Shop, caller: Caller, path: str, state: str) -> dict[str, Any]:
    async def find() -> dict[str, Any] | None:
        told: dict[str, Any] = (await caller.get(path)).json()
        return told if told["state"] == state else None

    return await shop.until(find, f"{path} is {state}")


async def test_suppliers_and_their_terms_are_listed_page_by_page(caller: Caller) -> None:
    assert [one["supplier"] for one in await caller.listed("/v1/suppliers", limit=1)] == [
        "assam",
        "potter",
    ]
    assert (await caller.get("/v1/suppliers/assam")).json() == {
        "supplier": "assam",
        "name": "Assam Gardens Ltd",
        "skus": 1,
        "open_orders": 0,
    }
    problem(await caller.get("/v1/suppliers/none"), 404, "not_found")
    terms = await caller.listed("/v1/supplier-terms", limit=1)
    assert [(one["sku"], one["unit_price"], one["currency"]) for one in terms] == [
        ("TEA", "2.50", "EUR"),
        ("POT", "0.125", "EUR"),
    ]
    assert await caller.listed("/v1/supplier-terms", sku="POT") == terms[1:]
    assert await caller.listed("/v1/supplier-terms", supplier="assam") == terms[:1]


async def test_it_is_bought_once_however_often_it_is_told(shop: Shop, caller: Caller) -> None:
    content = wanted(by="anna", reason="for Christmas")
    first = await caller.send_once("/v1/purchase-orders", content, key="k")
    assert first.status_code == 201, first.text
    again = await caller.send_once("/v1/purchase-orders", content, key="k")
    assert (again.json(), again.headers["idempotent-replayed"]) == (first.json(), "true")
    told = first.json()
    assert (told["worth"], told["currency"], told["lines"][0]["unit_price"]) == (
        *("60.00", "EUR"),
        "2.50",
    )
    assert told["events"][0]["who"] == f"anna (key {caller.key_id})"
    problem(await caller.send_once("/v1/purchase-orders", wanted(36)), 409, "conflict")
    where = first.headers["location"]
    await until(shop, caller, where, "sent")
    assert len(await caller.listed("/v1/purchase-orders")) == 1


async def test_what_the_supplier_does_not_sell_so_leaves_the_key_free(caller: Caller) -> None:
    few = await caller.send_once("/v1/purchase-orders", wanted(5), key="k")
    problem(few, 422, "invalid_input")
    odd = wanted() | {"units": {"CUP": 24}}
    problem(await caller.send_once("/v1/purchase-orders", odd, key="k"), 404, "not_found")
    assert (await caller.send_once("/v1/purchase-orders", wanted(), key="k")).status_code == 201


async def test_a_large_one_waits_for_approval_and_a_repeat_is_answered_alike(
    shop: Shop, caller: Caller
) -> None:
    where = await bought(caller, units=1200)
    proposed = (await caller.get(where)).json()
    assert [proposed[x] for x in ("state", "order_id", "drop_ship")] == ["proposed", None, False]
    early = await caller.send_once(f"{where}/receive", {}, key="r")
    problem(early, 409, "illegal_transition")
    for replayed in (None, "true"):
        answer = await caller.send_once(f"{where}/approve", {"by": "kim"}, key="k")
        assert answer.status_code == 200, answer.text
        assert answer.headers.get("idempotent-replayed") == replayed
    other = await caller.send_once(f"{where}/approve", {"by": "anna"}, key="k")
    problem(other, 422, "key_reused")
    told = await until(shop, caller, where, "sent")
    assert "approved" in [event["what"] for event in told["events"]]
    problem(
        await caller.send_once("/v1/purchase-orders/none/approve", {}, key="k"), 404, "not_found"
    )
    larger = await bought(caller, units=4200, location="shop")
    refused = await caller.send_once(f"{larger}/approve", {})
    problem(refused, 409, "refused")
    assert refused.json()["reason"] == "approval_limit"


async def test_what_suppliers_and_the_dock_report_counts_once(shop: Shop, caller: Caller) -> None:
    where = await bought(caller, units=48)
    await until(shop, caller, where, "sent")
    line = {"sku": "TEA", "quantity": 36, "due_on": "2026-12-24"}
    for key, act, content in (
        ("a", "acknowledge", {"lines": [line]}),
        ("g", "agree", {"reason": "three dozen will do", "by": "kim"}),
        ("d", "dispatch", {"units": {"TEA": 36}}),
        ("r", "receive", {"units": {"TEA": 24}, "by": "dock"}),
    ):
        for replayed in (None, "true"):
            answer = await caller.send_once(f"{where}/{act}", content, key=key)
            assert answer.status_code == 200, answer.text
            assert answer.headers.get("idempotent-replayed") == replayed
    shown = (await caller.get(where)).json()
    assert (shown["state"], shown["events"][-1]["what"]) == ("partly_received", "partly received")
    (agreed,) = [event for event in shown["events"] if event["what"] == "agreed"]
    assert (agreed["why"], "kim" in agreed["who"]) == ("three dozen will do", True)
    (now,) = shown["lines"]
    assert now["acknowledged"] == 36
    assert (now["cancelled"], now["shipped"], now["received"], now["outstanding"]) == (
        *(12, 36),
        *(24, 12),
    )
    assert now["due_on"] == "2026-12-24"
    assert (await shop.level("TEA")).on_hand == 29
    strange = await caller.send_once(f"{where}/receive", {"units": {"CUP": 1}}, key="s")
    problem(strange, 422, "invalid_input")
    rest = {"units": {"TEA": 10}, "rest_is_cancelled": True}
    assert (await caller.send_once(f"{where}/receive", rest, key="s")).status_code == 200
    await until(shop, caller, where, "closed")
    problem(await caller.send_once(f"{where}/receive", {}), 409, "illegal_transition")
    report = await shop.audit()
    assert report.clean, report.lines()


async def test_it_is_cancelled_or_refused_and_listed_page_by_page(
    shop: Shop, caller: Caller
) -> None:
    first = await bought(caller)
    await until(shop, caller, first, "sent")
    for replayed in (None, "true"):
        answer = await caller.send_once(f"{first}/cancel", {"reason": "by mistake"}, key="k")
        assert answer.status_code == 200, answer.text
        assert answer.headers.get("idempotent-replayed") == replayed
    await until(shop, caller, first, "cancelled")
    problem(await caller.send_once(f"{first}/cancel", {"reason": "again"}), 409, "refused")
    second = await bought(caller, po_id="PO-2")
    assert second == "/v1/purchase-orders/PO-2"
    await until(shop, caller, second, "sent")
    answer = await caller.send_once(f"{second}/refuse", {"reason": "out of production"})
    assert answer.json()["refused_at"] is not None
    third = await bought(caller, po_id="PO-3")
    ids = [one["po_id"] for one in await caller.listed("/v1/purchase-orders", limit=1)]
    assert ids == ["PO-3", "PO-2", first.rsplit("/", 1)[1]]
    await until(shop, caller, third, "sent")
    (line,) = (await caller.get(third)).json()["lines"]
    assert (line["acknowledged"], line["shipped"], line["received"]) == (None, None, 0)
    await until(shop, caller, second, "cancelled")
    found = await caller.listed("/v1/purchase-orders", open=True, supplier="assam", sku="TEA")
    assert [one["po_id"] for one in found] == ["PO-3"]
    assert await caller.listed("/v1/purchase-orders", sku="POT") == []


async def test_levels_are_looked_at_when_somebody_asks_and_nothing_is_bought_twice(
    shop: Shop, caller: Caller
) -> None:
    level = {"sku": "TEA", "location": "main", "reorder_point": 10, "order_up_to": 40}
    await caller.put("/v1/stock-levels", json={"levels": [level]})
    answers = [
        await caller.send_once("/v1/stock-levels/replenish", key=key) for key in ("k", "k", "l")
    ]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert answers[0].json() == answers[1].json()
    assert answers[1].headers["idempotent-replayed"] == "true"
    (order,) = await caller.listed("/v1/purchase-orders")
    # The crossed level may have had it bought already.
    assert answers[0].json()["ordered"] in ([], [order["po_id"]])
    assert answers[2].json()["ordered"] == []


async def test_whoever_may_read_may_not_buy(api: Api) -> None:
    reader = await api.caller("purchasing:read")
    problem(await reader.put("/v1/supplier-terms", json={}), 403, "missing_scope")
    buyer = await api.caller("purchasing:write")
    problem(await buyer.send_once("/v1/purchase-orders/PO-1/receive", {}), 403, "missing_scope")
    for act in ("approve", "cancel", "acknowledge", "agree", "dispatch", "receive", "refuse"):
        answer = await reader.send_once(f"/v1/purchase-orders/PO-1/{act}", {})
        problem(answer, 403, "missing_scope")
    for path in ("/v1/purchase-orders", "/v1/stock-levels/replenish"):
        problem(await reader.send_once(path, {}), 403, "missing_scope")
