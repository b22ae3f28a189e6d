"""Items, kits, locations and baskets over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Api, Caller, problem
from tests.support.builders import an_order
from tests.support.shop import Shop


@pytest.fixture
async def api(shop: Shop) -> Api:
    for sku in ("TEA", "CUP"):
        await shop.stocked(sku, 10)
    return Api(shop)


@pytest.fixture
async def caller(api: Api) -> Caller:
    return await api.caller()


async def test_items_are_set_all_or_none_and_listed(caller: Caller) -> None:
    items: list[dict[str, Any]] = [
        {"sku": "a/b", "name": "Any", "backorder": True},
        {"sku": "№ 7", "available_from": "2026-12-01"},
        {"sku": "TEA", "discontinued": True},
    ]
    twice = await caller.put("/v1/items", json={"items": [*items, items[0]]})
    assert "a/b" in problem(twice, 422, "invalid_input")["detail"]
    odd = await caller.put("/v1/items", json={"items": [*items, {"sku": "\x00"}]})
    assert problem(odd, 422, "invalid_input")["errors"][0]["pointer"] == "/body/items/3/sku"
    assert await caller.listed("/v1/items") == []
    for _ in range(2):
        assert (await caller.put("/v1/items", json={"items": items})).status_code == 204
    found = await caller.listed("/v1/items")
    assert sorted(one["sku"] for one in found) == ["TEA", "a/b", "№ 7"]
    (one,) = await caller.listed("/v1/items", sku="№ 7")
    assert one == {
        "sku": "№ 7",
        "name": None,
        "backorder": False,
        "available_from": "2026-12-01",
        "discontinued": False,
        "handling": "shipped",
        "category": None,
    }


async def test_a_kit_is_defined_listed_sold_and_made_plain(shop: Shop, caller: Caller) -> None:
    parts = {"parts": {"TEA": 1, "CUP": 2}}
    for sku in ("SET", "a/b"):
        answer = await caller.put(f"/v1/kits/{sku}", json=parts)
        assert answer.status_code == 204, answer.text
    found = await caller.listed("/v1/kits", limit=1)
    assert found == [
        {"sku": sku, "parts": parts["parts"], "available": {"main": 5}} for sku in ("SET", "a/b")
    ]
    assert await caller.listed("/v1/kits", sku="SET") == found[:1]
    in_itself = await caller.put("/v1/kits/SET", json={"parts": {"SET": 1}})
    problem(in_itself, 422, "invalid_input")
    problem(await caller.put("/v1/kits/TEA", json={"parts": {"CUP": 1}}), 409, "illegal_transition")
    problem(await caller.put("/v1/kits/SET", json={"parts": {"NONE": 1}}), 404, "not_found")
    await shop.placed(an_order(("SET", 1, "10.00")))
    assert (await shop.level("CUP")).allocated == 2
    assert (await caller.delete("/v1/kits/a/b")).status_code == 204
    problem(await caller.delete("/v1/kits/a/b"), 404, "not_found")
    assert [one["sku"] for one in await caller.listed("/v1/kits")] == ["SET"]


async def test_locations_are_set_retired_reopened_and_removed(shop: Shop, caller: Caller) -> None:
    lane = {"country": "DE", "cost": "4.90", "currency": "EUR", "transit_days": 2}
    wanted = [
        {"location": "north", "calendar": {"time_zone": "Europe/Berlin"}, "lanes": [lane]},
        {"location": "south", "priority": 7},
    ]
    priced = [wanted[0], {"location": "west", "lanes": [lane | {"currency": "USD"}]}]
    problem(await caller.put("/v1/locations", json={"locations": priced}), 409, "conflict")
    for _ in range(2):
        answer = await caller.put("/v1/locations", json={"locations": wanted})
        assert answer.status_code == 204, answer.text
    found = await caller.listed("/v1/locations", limit=1)
    assert [one["location"] for one in found] == ["main", "north", "south"]
    assert (found[1]["lanes"][0]["cost"], found[1]["retired"]) == ("4.90", False)
    for _ in range(2):
        retired = await caller.send_once("/v1/locations/main/retire", key="k")
        assert retired.json()["left"]["units"] == 20
    assert retired.headers["idempotent-replayed"] == "true"
    (main,) = await caller.listed("/v1/locations", location="main")
    assert main["retired"] is True
    receipt = {"sku": "TEA", "location": "main", "quantity": 1}
    refused = await caller.send_once("/v1/stock/receipts", receipt, key="r")
    problem(refused, 409, "illegal_transition")
    assert (await caller.send_once("/v1/locations/main/reopen")).status_code == 204
    assert (await caller.send_once("/v1/stock/receipts", receipt, key="r")).status_code == 201
    problem(await caller.delete("/v1/locations/main"), 409, "illegal_transition")
    assert (await caller.delete("/v1/locations/south")).status_code == 204
    problem(await caller.delete("/v1/locations/south"), 404, "not_found")


async def test_a_basket_holds_units_until_it_is_released(shop: Shop, caller: Caller) -> None:
    for basket, units in (("B-1", 4), ("B-2", 3), ("B-1", 5)):
        content = {"units": {"TEA": units}, "minutes": 10 + units}
        answer = await caller.put(f"/v1/baskets/{basket}", json=content)
        assert (answer.status_code, answer.json()["units"]) == (200, {"TEA": units})
    assert (await shop.level("TEA")).available == 2
    too_many = await caller.put("/v1/baskets/B-2", json={"units": {"TEA": 6}})
    problem(too_many, 409, "illegal_transition")
    assert (await caller.get("/v1/baskets/B-2")).json()["units"] == {"TEA": 3}
    found = await caller.listed("/v1/baskets", limit=1)
    assert [one["basket"] for one in found] == ["B-2", "B-1"]
    for _ in range(2):
        assert (await caller.delete("/v1/baskets/B-2")).status_code == 204
    problem(await caller.get("/v1/baskets/B-2"), 404, "not_found")
    assert (await shop.level("TEA")).available == 5
    odds: tuple[dict[str, Any], ...] = (
        *({"units": {}}, {"units": {"TEA": 0}}),
        {"units": {"TEA": 1}, "minutes": 10**6},
    )
    for odd in odds:
        problem(await caller.put("/v1/baskets/B-3", json=odd), 422, "invalid_input")


async def test_whoever_may_read_may_not_set(api: Api) -> None:
    reader = await api.caller("catalogue:read", "locations:read", "stock:read")
    for method, path in (
        ("PUT", "/v1/items"),
        ("PUT", "/v1/kits/SET"),
        ("DELETE", "/v1/kits/SET"),
        ("PUT", "/v1/locations"),
        ("DELETE", "/v1/locations/main"),
        ("POST", "/v1/locations/main/retire"),
        ("PUT", "/v1/baskets/B-1"),
        ("DELETE", "/v1/baskets/B-1"),
    ):
        problem(await reader.send_once(path, {}, method=method), 403, "missing_scope")
