"""The warehouse and carriers over HTTP: tasks, reports, labels, scans, parcels, returns."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from tests.support.api import Api, Caller, problem
from tests.support.builders import an_order
from tests.support.shop import Shop


@pytest.fixture
async def api(shop: Shop) -> Api:
    await shop.stocked("TEA", 50)
    return Api(shop)


@pytest.fixture
async def caller(api: Api) -> Caller:
    return await api.caller()


async def placed(shop: Shop, units: int = 2, channel: str = "web") -> str:
    """An order in work. Returns its fulfilment, once it is to be picked."""
    part = await shop.placed(an_order(("TEA", units, "10.00"), channel=channel))
    await shop.task("pick", part)
    return part


async def reported(caller: Caller, path: str, content: Any, other: str = "by") -> httpx.Response:
    """A report, told twice: the repeat must be answered as the first one was."""
    key = uuid.uuid4().hex
    first = await caller.send_once(path, content, key=key)
    assert first.is_success, first.text
    again = await caller.send_once(path, content, key=key)
    assert again.status_code == first.status_code
    if first.content:
        assert again.json() == first.json()
    assert again.headers["idempotent-replayed"] == "true"
    changed = await caller.send_once(path, content | {other: "another"}, key=key)
    problem(changed, 422, "key_reused")
    return first


async def scanned(caller: Caller, parcel: dict[str, Any], status: str) -> httpx.Response:
    content = {
        "carrier": parcel["carrier"],
        "tracking_number": parcel["tracking_number"],
        "event_id": status,
        "status": status,
    }
    return await reported(caller, "/v1/carrier-events", content, other="detail")


async def handed_over(shop: Shop, caller: Caller, part: str) -> None:
    await shop.drive(part, "labelled")
    answer = await caller.send_once(f"/v1/fulfilments/{part}/hand-over", {})
    assert answer.status_code == 204, answer.text


async def test_a_parcel_is_picked_packed_handed_over_delivered_and_comes_back(
    shop: Shop, caller: Caller
) -> None:
    part = await placed(shop)
    order_id = part.partition(":")[0]
    (task,) = await caller.listed("/v1/warehouse-tasks", order_id=order_id)
    assert (task["task"], task["part_id"], task["location"]) == ("pick", part, "main")
    assert task["lines"] == [{"line_id": "1", "sku": "TEA", "quantity": 2}]
    path = f"/v1/fulfilments/{part}"
    early = await caller.send_once(f"{path}/pack", {}, key="early")
    problem(early, 409, "illegal_transition")
    problem(await caller.get(f"{path}/label"), 409, "refused")
    picked = await reported(caller, f"{path}/pick", {"counted": {"1": 2}, "by": "anna"})
    assert picked.json() == {"picked": {"1": 2}, "missing": {}}
    # What was refused took no key.
    assert (await caller.send_once(f"{path}/pack", {}, key="early")).status_code == 204
    # The label is still being bought, perhaps: the report waits for it.
    await reported(caller, f"{path}/hand-over", {"by": "anna"})
    label = (await caller.get(f"{path}/label")).json()
    assert (label["state"], label["why_none"]) == ("bought", None)
    for form in {file["format"] for file in label["files"]}:
        file = await caller.get(f"{path}/label/file", params={"format": form})
        assert file.status_code == 200
        assert len(file.content) in [one["bytes"] for one in label["files"]]
        assert file.headers["content-disposition"].startswith("attachment")
    pdf = await caller.get(f"{path}/label/file")
    assert pdf.headers["content-type"] == "application/pdf"
    odd = await caller.get(f"{path}/label/file", params={"format": "docx"})
    problem(odd, 422, "invalid_input")
    (parcel,) = await caller.listed("/v1/parcels")
    assert parcel["fulfilment_id"] == part
    assert (await scanned(caller, parcel, "delivered")).json() == {"heard": "new"}
    assert await caller.listed("/v1/parcels") == []
    told = {**parcel, "event_id": "delivered", "status": "in_transit"}
    other = {name: told[name] for name in ("carrier", "tracking_number", "event_id", "status")}
    problem(await caller.send_once("/v1/carrier-events", other), 409, "conflict")
    await shop.told(order_id, "charged")
    await shop.heard(order_id, "delivered", 2)
    asked = {"reason": "too small", "lines": [{"line_id": "1", "quantity": 2}]}
    back = await caller.send_once(
        f"/v1/orders/{order_id}/return", asked, if_match="*", prefer="wait=20"
    )
    return_id = back.json()["return_id"]
    await shop.task("receive-return", return_id)
    came = {"counted": {"1": {"restocked": 1, "scrapped": 1}}, "location": "main"}
    received = await reported(caller, f"/v1/returns/{return_id}/receive", came)
    assert received.json() == {"received": {"1": 2}, "missing": {}}
    assert (await shop.level("TEA")).on_hand == 49
    await shop.settled()


async def test_what_is_not_found_or_refused_is_sourced_elsewhere(
    shop: Shop, caller: Caller
) -> None:
    await shop.stocked("TEA", 50, "north")
    part = await placed(shop, 5)
    too_many = await caller.send_once(f"/v1/fulfilments/{part}/pick", {"counted": {"1": 6}})
    problem(too_many, 422, "invalid_input")
    short = await reported(caller, f"/v1/fulfilments/{part}/pick", {"counted": {"1": 3}})
    assert short.json() == {"picked": {"1": 3}, "missing": {"1": 2}}
    order_id = part.partition(":")[0]
    await shop.task("pick", f"{order_id}:2")
    path = f"/v1/fulfilments/{order_id}:2/refuse"
    refused = await reported(caller, path, {"reason": "no room at the dock today"})
    assert refused.json() == {"picked": {}, "missing": {"1": 2}}
    await shop.told(order_id, "refused by the warehouse")
    await shop.finish(order_id)
    await shop.settled()


async def test_tasks_and_parcels_are_listed_page_by_page(shop: Shop, caller: Caller) -> None:
    parts = [await placed(shop, 1) for _ in range(5)]
    everything = await caller.listed("/v1/warehouse-tasks", limit=100)
    assert {one["part_id"] for one in everything} == set(parts)
    assert await caller.listed("/v1/warehouse-tasks") == everything
    page = (await caller.get("/v1/warehouse-tasks", params={"limit": 2})).json()
    await shop.warehouse.pick(page["items"][0]["part_id"], who="picker")
    behind = {"limit": 2, "cursor": page["next_cursor"]}
    following = (await caller.get("/v1/warehouse-tasks", params=behind)).json()
    assert following["items"] == everything[2:4]
    to_pack = await caller.listed("/v1/warehouse-tasks", task="pack", location="main")
    assert [one["part_id"] for one in to_pack] == [page["items"][0]["part_id"]]
    for part in parts[1:4]:
        await handed_over(shop, caller, part)
    parcels = await caller.listed("/v1/parcels", limit=1)
    assert [one["fulfilment_id"] for one in parcels] == parts[1:4]


async def test_what_is_for_the_orders_of_others_is_not_there(shop: Shop, api: Api) -> None:
    everybody = await api.caller()
    mine, theirs = [await placed(shop, 2, channel) for channel in ("web", "b2b")]
    scopes = ("warehouse:read", "warehouse:write", "carriers:read", "carriers:write")
    of_web = await api.caller(*scopes, channels=["web"])
    tasks = await of_web.listed("/v1/warehouse-tasks", limit=1)
    assert [one["part_id"] for one in tasks] == [mine]
    there: list[Callable[[str], Awaitable[httpx.Response]]] = [
        lambda part: of_web.send_once(f"/v1/fulfilments/{part}/pick", {}),
        lambda part: of_web.send_once(f"/v1/fulfilments/{part}/refuse", {"reason": "no"}),
        lambda part: of_web.send_once(f"/v1/fulfilments/{part}/pack", {}),
        lambda part: of_web.send_once(f"/v1/fulfilments/{part}/hand-over", {}),
        lambda part: of_web.send_once(f"/v1/returns/{part}/receive", {}),
        lambda part: of_web.get(f"/v1/fulfilments/{part}/label"),
        lambda part: of_web.get(f"/v1/fulfilments/{part}/label/file"),
    ]
    for ask in there:
        told = problem(await ask(theirs), 404, "not_found")["detail"]
        missing = problem(await ask("b2b-none:1"), 404, "not_found")["detail"]
        assert told.replace(theirs, "it") == missing.replace("b2b-none:1", "it")
    for part in (mine, theirs):
        await handed_over(shop, everybody, part)
    parcels = {one["fulfilment_id"]: one for one in await everybody.listed("/v1/parcels")}
    assert [one["fulfilment_id"] for one in await of_web.listed("/v1/parcels")] == [mine]
    scan = {"event_id": "1", "status": "delivered"}
    for number in (parcels[theirs]["tracking_number"], "NONE"):
        of_it = scan | {"carrier": parcels[theirs]["carrier"], "tracking_number": number}
        told = problem(await of_web.send_once("/v1/carrier-events", of_it), 404, "not_found")
        assert told["detail"] == f"no parcel has {of_it['carrier']} number {number}"
    assert (await scanned(of_web, parcels[mine], "delivered")).json() == {"heard": "new"}


async def test_whoever_may_read_may_not_report(api: Api) -> None:
    reader = await api.caller("warehouse:read", "carriers:read")
    for path in ("/v1/fulfilments/web-1:1/pick", "/v1/returns/web-1:R1/receive"):
        problem(await reader.send_once(path, {}), 403, "missing_scope")
    problem(await reader.send_once("/v1/carrier-events", {}), 403, "missing_scope")
