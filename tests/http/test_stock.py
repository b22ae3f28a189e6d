"""Stock over HTTP: received, corrected, counted, moved between locations, promised."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Api, Caller, problem
from tests.support.builders import an_order
from tests.support.shop import Shop


@pytest.fixture
async def api(shop: Shop) -> Api:
    await shop.stocked("TEA", 10)
    return Api(shop)


@pytest.fixture
async def caller(api: Api) -> Caller:
    return await api.caller()


def of_tea(**content: Any) -> dict[str, Any]:
    return {"sku": "TEA", "location": "main", **content}


async def on_hand(shop: Shop, sku: str = "TEA", location: str = "main") -> int:
    return (await shop.level(sku, location)).on_hand


async def test_goods_are_received_once_however_often_it_is_told(shop: Shop, caller: Caller) -> None:
    content = of_tea(quantity=5, unit_cost="6.20", currency="EUR", by="anna")
    first = await caller.send_once("/v1/stock/receipts", content, key="k")
    assert (first.status_code, first.json()["on_hand"]) == (201, 15)
    again = await caller.send_once("/v1/stock/receipts", content, key="k")
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotent-replayed"] == "true"
    other = await caller.send_once("/v1/stock/receipts", content | {"quantity": 6}, key="k")
    problem(other, 422, "key_reused")
    assert await on_hand(shop) == 15
    (latest, *_) = (await caller.get("/v1/stock/TEA/movements")).json()["items"]
    assert (latest["on_hand_change"], latest["who"]) == (5, f"anna (key {caller.key_id})")


@pytest.mark.parametrize(
    ("path", "content", "left"),
    [
        ("adjustments", {"change": -3, "reason": "water damage"}, 7),
        ("counts", {"counted": 12}, 12),
        ("write-offs", {"quantity": 2, "reason": "torn bags"}, 8),
    ],
)
async def test_stock_is_corrected_once(
    shop: Shop, caller: Caller, path: str, content: dict[str, Any], left: int
) -> None:
    for replayed in (None, "true"):
        answer = await caller.send_once(f"/v1/stock/{path}", of_tea(**content), key="k")
        assert (answer.status_code, answer.json()["on_hand"]) == (201, left)
        assert answer.headers.get("idempotent-replayed") == replayed
    assert await on_hand(shop) == left


async def test_what_a_rule_refuses_leaves_the_key_free(shop: Shop, caller: Caller) -> None:
    path, content = "/v1/stock/write-offs", of_tea(quantity=11, reason="stolen")
    problem(await caller.send_once(path, content, key="k"), 409, "illegal_transition")
    await shop.stocked("TEA", 5)
    assert (await caller.send_once(path, content, key="k")).json()["on_hand"] == 4


async def test_a_count_below_what_orders_hold_has_the_newest_wait_again(
    shop: Shop, caller: Caller
) -> None:
    older, newer = an_order(("TEA", 4, "10.00")), an_order(("TEA", 5, "10.00"))
    for order in (older, newer):
        await shop.placed(order)
    answer = await caller.send_once("/v1/stock/counts", of_tea(counted=6), key="k")
    assert answer.status_code == 201, answer.text
    assert answer.json()["allocated"] == 4
    assert "fell back to backorder" in await shop.story(newer.order_id)
    again = await caller.send_once("/v1/stock/counts", of_tea(counted=6), key="k")
    assert (again.json(), again.headers["idempotent-replayed"]) == (answer.json(), "true")
    await caller.send_once("/v1/stock/receipts", of_tea(quantity=20))
    await shop.finish(older.order_id)
    await shop.finish(newer.order_id)
    await shop.settled()


async def test_stock_and_its_story_are_read_page_by_page_while_goods_come(
    shop: Shop, caller: Caller
) -> None:
    for sku in ("CUP", "POT", "ÄPFEL 7", "a/b"):
        await shop.stocked(sku, 1)
    rows = await caller.listed("/v1/stock")
    assert sorted(one["sku"] for one in rows) == ["CUP", "POT", "TEA", "a/b", "ÄPFEL 7"]
    assert rows == await caller.listed("/v1/stock", limit=100)
    assert [one["sku"] for one in await caller.listed("/v1/stock", sku="a/b")] == ["a/b"]
    assert await caller.listed("/v1/stock", location="elsewhere") == []
    for n in range(1, 5):
        await shop.stocked("TEA", n)
    page = (await caller.get("/v1/stock/TEA/movements", params={"limit": 2})).json()
    assert [one["on_hand_change"] for one in page["items"]] == [4, 3]
    await shop.stocked("TEA", 100)
    behind = {"limit": 2, "cursor": page["next_cursor"]}
    following = (await caller.get("/v1/stock/TEA/movements", params=behind)).json()
    assert [one["on_hand_change"] for one in following["items"]] == [2, 1]
    story = await caller.listed("/v1/stock/TEA/movements")
    assert [one["on_hand"] for one in story] == [120, 20, 16, 13, 11, 10]
    other = await caller.get("/v1/stock/CUP/movements", params=behind)
    problem(other, 422, "invalid_input")
    for path in ("/v1/stock/a/b/movements", "/v1/stock/a%2Fb/movements"):
        assert [one["sku"] for one in await caller.listed(path)] == ["a/b"]


async def test_whose_order_moved_the_units_is_told_only_to_whom_it_concerns(
    shop: Shop, api: Api
) -> None:
    mine = an_order(("TEA", 2, "10.00"))
    theirs = an_order(("TEA", 3, "10.00"), channel="b2b")
    for order in (mine, theirs):
        await shop.placed(order)
    of_web = await api.caller("stock:read", channels=["web"])
    told = await of_web.listed("/v1/stock/TEA/movements")
    assert [one["order_id"] for one in told] == [None, mine.order_id, None]
    assert [one["allocated"] for one in told] == [5, 2, 0]
    assert theirs.order_id not in str(told)
    assert told[0]["who"] == ""
    everything = await (await api.caller()).listed("/v1/stock/TEA/movements")
    assert everything[0]["order_id"] == theirs.order_id


async def test_levels_are_set_all_or_none_and_listed(shop: Shop, caller: Caller) -> None:
    await shop.stocked("CUP", 1)
    levels = [
        {"sku": sku, "location": "main", "reorder_point": 0, "order_up_to": 5, "safety": 1}
        for sku in ("TEA", "CUP")
    ]
    lost = {**levels[0], "location": "nowhere"}
    answer = await caller.put("/v1/stock-levels", json={"levels": [*levels, lost]})
    problem(answer, 404, "not_found")
    assert await caller.listed("/v1/stock-levels") == []
    for _ in range(2):
        answer = await caller.put("/v1/stock-levels", json={"levels": levels})
        assert answer.status_code == 204, answer.text
    found = await caller.listed("/v1/stock-levels", limit=1)
    assert [(one["sku"], one["order_up_to"]) for one in found] == [("CUP", 5), ("TEA", 5)]


async def test_units_are_promised_and_the_rest_is_told(shop: Shop, caller: Caller) -> None:
    await shop.stocked("a/b", 3)
    answer = await caller.get("/v1/stock/a/b/promise", params={"quantity": 5, "country": "DE"})
    told = answer.json()
    assert (told["sku"], told["missing"]) == ("a/b", 2)
    assert [one["quantity"] for one in told["promised"]] == [3]
    problem(await caller.get("/v1/stock/NONE/promise"), 404, "not_found")
    for odd in ({"quantity": 0}, {"quantity": 10**30}, {"country": "XX"}, {"country": "*"}):
        problem(await caller.get("/v1/stock/TEA/promise", params=odd), 422, "invalid_input")


async def test_a_transfer_is_sent_once_and_received_in_parts(shop: Shop, caller: Caller) -> None:
    await shop.stocked("TEA", 1, "shop")
    content = {"from_location": "main", "to_location": "shop", "units": {"TEA": 6}}
    first = await caller.send_once("/v1/transfers", content, key="k")
    assert first.status_code == 201, first.text
    where = first.headers["location"]
    again = await caller.send_once("/v1/transfers", content, key="k")
    assert (again.json(), again.headers["location"]) == (first.json(), where)
    assert again.headers["idempotent-replayed"] == "true"
    assert (await on_hand(shop), (await shop.level("TEA", "shop")).incoming) == (4, 6)
    part = {"units": {"TEA": 2}, "by": "anna"}
    for _ in range(2):
        told = (await caller.send_once(f"{where}/receive", part, key="r1")).json()
        assert told["lines"] == [{"sku": "TEA", "sent": 6, "arrived": 2, "lost": 0, "under_way": 4}]
    too_many = await caller.send_once(f"{where}/receive", {"units": {"TEA": 5}}, key="r2")
    problem(too_many, 409, "illegal_transition")
    rest = {"units": {"TEA": 3}, "rest_is_lost": True}
    told = (await caller.send_once(f"{where}/receive", rest, key="r2")).json()
    assert told["lines"] == [{"sku": "TEA", "sent": 6, "arrived": 5, "lost": 1, "under_way": 0}]
    assert (await caller.get(where)).json() == told
    assert told["closed_at"] is not None
    problem(await caller.get("/v1/transfers/none"), 404, "not_found")
    named = content | {"transfer_id": "T-1", "units": {"TEA": 1}}
    assert (await caller.send_once("/v1/transfers", named)).status_code == 201
    problem(await caller.send_once("/v1/transfers", named | {"units": {"TEA": 2}}), 409, "conflict")
    listed = await caller.listed("/v1/transfers", limit=1)
    assert [one["transfer_id"] for one in listed] == [told["transfer_id"], "T-1"]
    under_way = await caller.listed("/v1/transfers", under_way=True)
    assert [one["transfer_id"] for one in under_way] == ["T-1"]
    report = await shop.audit()
    assert report.clean, report.lines()


async def test_who_may_read_stock_may_not_change_it(api: Api) -> None:
    reader = await api.caller("stock:read")
    for path in ("receipts", "adjustments", "counts", "write-offs"):
        answer = await reader.send_once(f"/v1/stock/{path}", of_tea(quantity=1))
        problem(answer, 403, "missing_scope")
    writer = await api.caller("stock:write")
    problem(await writer.get("/v1/stock"), 403, "missing_scope")


async def test_a_cost_beyond_every_book_is_refused(shop: Shop, caller: Caller) -> None:
    much = of_tea(quantity=10**9, unit_cost="9" * 14, currency="EUR")
    problem(await caller.send_once("/v1/stock/receipts", much, key="k"), 422, "invalid_input")
    assert await on_hand(shop) == 10
