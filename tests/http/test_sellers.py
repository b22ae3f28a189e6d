"""Sellers and channels over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api import Api, Caller, problem, sent
from tests.support.builders import an_order
from tests.support.shop import Shop

UK: dict[str, Any] = {"name": "Tea Ltd", "country": "GB", "currency": "GBP"}


@pytest.fixture
async def api(shop: Shop) -> Api:
    await shop.stocked("TEA", 100)
    return Api(shop)


@pytest.fixture
async def caller(api: Api) -> Caller:
    return await api.caller()


async def test_a_seller_is_set_whole_and_read(caller: Caller) -> None:
    main = {"name": "Main GmbH", "time_zone": "Europe/Berlin", "languages": ["de"]}
    saved = await caller.put("/v1/sellers/main", json=main)
    assert (saved.status_code, saved.json()["time_zone"]) == (200, "Europe/Berlin")
    assert (await caller.get("/v1/sellers/main")).json() == saved.json()
    again = await caller.put("/v1/sellers/main", json={"name": "Main GmbH"})
    assert again.json()["time_zone"] == "UTC"
    assert (await caller.put("/v1/sellers/uk", json=UK)).status_code == 200
    listed = (await caller.get("/v1/sellers")).json()["items"]
    assert [one["seller"] for one in listed] == ["main", "uk"]


async def test_its_looks_are_kept_and_what_nobody_can_read_is_refused(caller: Caller) -> None:
    looks = {"display_name": "Tea Shop", "colour": "#0a5c36", "support_email": "hi@tea.example"}
    saved = await caller.put("/v1/sellers/main", json={"name": "Main GmbH", "looks": looks})
    assert saved.status_code == 200, saved.text
    told = {name: value for name, value in saved.json()["looks"].items() if value is not None}
    assert told == looks
    pale = await caller.put("/v1/sellers/main", json={"looks": {"colour": "#ffe000"}})
    (fault,) = problem(pale, 422, "invalid_input")["errors"]
    assert "take a darker one" in fault["detail"]


async def test_a_channel_is_set_and_takes_what_it_says(caller: Caller) -> None:
    channel = {"channel": "amz", "kind": "marketplace", "currencies": ["EUR"]}
    saved = await caller.put("/v1/channels/amz", json=channel)
    assert (saved.status_code, saved.json()["currencies"]) == (200, ["EUR"])
    order = an_order(("TEA", 1, "10.00"), channel="amz")
    told = problem(await caller.send_once("/v1/orders", sent(order)), 422, "invalid_input")
    assert "EUR" in told["detail"]
    policy = {"charge": "at_confirmation"}
    await caller.put("/v1/channels/amz", json=channel | {"currencies": None, "policy": policy})
    assert (await caller.get("/v1/channels/amz")).json()["policy"] == policy
    await caller.placed(order)


async def test_it_is_retired_once_and_reopened(caller: Caller) -> None:
    await caller.put("/v1/sellers/main", json={"name": "Main"})
    await caller.put("/v1/sellers/uk", json=UK)
    first = await caller.send_once("/v1/channels/b2b/retire", key="k")
    assert (first.status_code, first.content) == (204, b"")
    assert (await caller.get("/v1/channels/b2b")).json()["retired"] is True
    assert (await caller.send_once("/v1/channels/b2b/reopen", key="k")).status_code == 204
    # Its key names the first request: nothing is done again.
    again = await caller.send_once("/v1/channels/b2b/retire", key="k")
    assert (again.status_code, again.headers["idempotent-replayed"]) == (204, "true")
    assert (await caller.get("/v1/channels/b2b")).json()["retired"] is False
    assert (await caller.send_once("/v1/sellers/uk/retire")).status_code == 204
    assert (await caller.get("/v1/sellers/uk")).json()["retired"] is True
    assert (await caller.send_once("/v1/sellers/uk/reopen")).status_code == 204


async def test_a_seller_for_whom_a_channel_sells_is_not_retired_and_the_key_is_free(
    caller: Caller,
) -> None:
    await caller.put("/v1/sellers/main", json={"name": "Main"})
    problem(await caller.send_once("/v1/sellers/main/retire", key="k"), 409, "refused")
    for channel in ("web", "pos", "marketplace", "b2b"):
        await caller.send_once(f"/v1/channels/{channel}/retire")
    assert (await caller.send_once("/v1/sellers/main/retire", key="k")).status_code == 204
    problem(await caller.send_once("/v1/channels/web/reopen"), 409, "refused")


async def test_lists_are_read_page_by_page(caller: Caller) -> None:
    page = (await caller.get("/v1/channels", params={"limit": 3})).json()
    assert [one["channel"] for one in page["items"]] == ["b2b", "marketplace", "pos"]
    await caller.put("/v1/channels/amz", json={"channel": "amz", "kind": "marketplace"})
    asked = {"limit": 3, "cursor": page["next_cursor"]}
    following = (await caller.get("/v1/channels", params=asked)).json()
    assert [one["channel"] for one in following["items"]] == ["web"]
    assert following["has_more"] is False


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("sellers/UPPER", {"name": "x"}),
        ("sellers/uk", {"seller": "main", "name": "x"}),
        ("sellers/uk", {"name": "x", "time_zone": "Nowhere/City"}),
        ("sellers/uk", {"name": "x", "languages": []}),
        ("sellers/uk", {"name": "x" * 5000}),
        ("sellers/uk", {"name": "x", "country": "QQ"}),
        ("sellers/uk", {"name": "x", "series": {"invoice": {"format": "no number"}}}),
        (
            "sellers/uk",
            {"name": "x", "series": {"invoice": {"format": "{number}", "first": 10**30}}},
        ),
        ("sellers/uk", {"name": "x", "more": 1}),
        ("sellers/uk", [1]),
        ("channels/amz", {}),
        ("channels/amz", {"channel": "web", "kind": "web"}),
        ("channels/amz", {"channel": "amz", "kind": "shop"}),
        ("channels/amz", {"channel": "amz", "kind": "web", "seller": "nobody"}),
        ("channels/amz", {"channel": "amz", "kind": "web", "locations": ["nowhere"]}),
        ("channels/amz", {"channel": "amz", "kind": "web", "currencies": ["XQX"]}),
        ("channels/amz", {"channel": "amz", "kind": "web", "policy": {"charge": "never"}}),
    ],
)
async def test_odd_ones_are_refused(caller: Caller, path: str, content: Any) -> None:
    problem(await caller.put(f"/v1/{path}", json=content), 422, "invalid_input")
    assert (await caller.get(f"/v1/{path}")).status_code == 404


async def test_what_is_not_there_and_what_a_key_may_not_do(api: Api, caller: Caller) -> None:
    for path in ("sellers/none", "channels/none", "channels/~", "sellers/" + "x" * 3000):
        problem(await caller.get(f"/v1/{path}"), 404, "not_found")
        problem(await caller.send_once(f"/v1/{path}/reopen"), 404, "not_found")
        problem(await caller.send_once(f"/v1/{path}/retire"), 404, "not_found")
    problem(await caller.get("/v1/sellers/%00"), 422, "invalid_input")
    problem(await caller.get("/v1/sellers?cursor=%00"), 422, "invalid_input")
    reader = await api.caller("sellers:read", channels=["web"])
    assert (await reader.get("/v1/channels")).status_code == 200
    problem(await reader.put("/v1/channels/web", json={}), 403, "missing_scope")
    problem(await reader.send_once("/v1/channels/web/retire"), 403, "missing_scope")
