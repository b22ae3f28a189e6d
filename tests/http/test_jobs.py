"""Long work over HTTP: imports, exports, and many things at once, with a result for each item."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from domain.errors import NotFound
from domain.jobs.jobs import OpenItem
from starter.jobs.asks import resolve
from tests.support.api import Api, Caller, problem, sent
from tests.support.builders import a_document, an_order
from tests.support.jobs import ended, jobs_at_work, made, send_file
from tests.support.shop import Shop


@pytest.fixture
async def api(shop: Shop) -> AsyncIterator[Api]:
    await shop.stocked("TEA", 1000)
    async with jobs_at_work(shop):
        yield Api(shop)


async def items_of(caller: Caller, job_id: str, **filters: Any) -> list[dict[str, Any]]:
    return await caller.listed(f"/v1/jobs/{job_id}/items", limit=3, **filters)


def lines_of(orders: list[dict[str, Any]]) -> str:
    return "".join(f"{json.dumps(one)}\n" for one in orders)


async def test_a_file_of_orders_is_placed_with_a_result_for_each(api: Api, shop: Shop) -> None:
    caller = await api.caller()
    orders = [a_document(("TEA", 1)) for _ in range(5)]
    wrong = a_document(("TEA", 1)) | {"currency": "EURO"}
    text = lines_of([*orders[:3], wrong, *orders[3:], orders[0] | {"note": "other content"}])
    answer = await send_file(caller, "/v1/imports/orders", text + "{no json\n", "application/jsonl")
    job_id = made(answer)
    job = await ended(shop, job_id)
    assert (job["state"], job["total"], job["done"], job["refused"]) == ("done", 8, 5, 3)
    items = await items_of(caller, job_id)
    assert [one["number"] for one in items] == [*range(1, 9)]
    assert [one["outcome"] for one in items] == [
        *("done", "done", "done", "refused", "done", "done", "refused", "refused")
    ]
    assert {one["answer"] for one in items if one["outcome"] == "done"} == {"confirmed"}
    assert items[0]["reference"] == f"web-{orders[0]['channel_order_id']}"
    (fault,) = items[3]["faults"]
    assert (fault["line"], fault["field"]) == (4, "currency")
    assert items[3]["code"] == "invalid_input"
    assert items[6]["code"] == "conflict"
    assert items[7]["faults"][0]["line"] == 8
    refused = await items_of(caller, job_id, outcome="refused")
    assert [one["number"] for one in refused] == [4, 7, 8]
    listed = (await caller.get("/v1/orders")).json()["items"]
    assert len(listed) == 5
    rows = await shop.pool.fetch("select content from job_item where content is not null")
    assert rows == []
    assert await shop.pool.fetchval("select count(*) from job_part where since is null") == 0
    # The same file once more places nothing, and is answered alike.
    again = await ended(shop, made(await send_file(caller, "/v1/imports/orders", text)))
    assert (again["done"], again["refused"]) == (5, 2)
    assert len((await caller.get("/v1/orders")).json()["items"]) == 5


async def test_a_request_that_is_repeated_makes_one_job(api: Api, shop: Shop) -> None:
    caller = await api.caller("stock:write")
    text = "sku,location,quantity\nTEA,main,5\n"
    first = await send_file(caller, "/v1/imports/stock", text, key="a")
    again = await send_file(caller, "/v1/imports/stock", text, key="a")
    assert made(first) == made(again)
    assert again.headers["idempotent-replayed"] == "true"
    other = await send_file(caller, "/v1/imports/stock", text + "TEA,main,6\n", key="a")
    problem(other, 422, "key_reused")
    await ended(shop, made(first))
    assert (await shop.level("TEA")).on_hand == 1005


async def test_rows_of_stock_are_taken_in_once_and_wrong_ones_told(api: Api, shop: Shop) -> None:
    caller = await api.caller("stock:write")
    text = "sku,location,quantity\nTEA,main,5\nTEA,nowhere,5\nPOT,main,x\nPOT,main,2\nCUP,shed,1\n"
    path = "/v1/imports/stock?new_location=shed&reason=moved"
    job_id = made(await send_file(caller, path, text))
    job = await ended(shop, job_id)
    assert (job["done"], job["refused"]) == (3, 2)
    items = await items_of(caller, job_id)
    assert items[1]["code"] == "not_found"
    assert items[1]["faults"][0]["line"] == 3
    assert items[2]["faults"] == [
        {"line": 4, "field": "quantity", "detail": items[2]["faults"][0]["detail"]}
    ]
    assert (await shop.level("TEA")).on_hand == 1005
    assert (await shop.level("CUP", "shed")).on_hand == 1
    (last,) = (await shop.stock.history("POT"))[-1:]
    assert last.why == "moved"
    assert last.who.startswith("test (key")


@pytest.mark.parametrize(
    ("path", "text", "done"),
    [
        ("/v1/imports/items", "sku,name,backorder\nTEA,Assam,true\nPOT,Pot,perhaps\n", 1),
        ("/v1/imports/kits", "kit,part,units\nBOX,TEA,2\nBOX,POT,1\nBAG,BAG,1\n", 1),
        (
            "/v1/imports/supplier-terms",
            "supplier,sku,lead_time_days,unit_price,currency\nassam,TEA,7,2.50,EUR\nassam,POT,x,1,EUR\n",
            1,
        ),
    ],
)
async def test_tables_are_imported_row_by_row(
    api: Api, shop: Shop, path: str, text: str, done: int
) -> None:
    caller = await api.caller()
    await shop.stocked("POT", 1)
    job_id = made(await send_file(caller, path, text))
    job = await ended(shop, job_id)
    assert (job["state"], job["done"]) == ("done", done), str(await items_of(caller, job_id))
    assert job["refused"] >= 1
    assert [one.sku for one in await shop.catalogue.items()] == (["TEA"] if "items" in path else [])
    assert [one.sku for one in await shop.catalogue.kits()] == (["BOX"] if "kits" in path else [])


@pytest.mark.parametrize(
    ("path", "data", "kind"),
    [
        ("/v1/imports/orders", b"", "application/jsonl"),
        ("/v1/imports/orders", b" \n ", "application/jsonl"),
        ("/v1/imports/orders", b"\0\0\0\0", "application/jsonl"),
        ("/v1/imports/orders", b"PK\x03\x04 a workbook", "application/octet-stream"),
        ("/v1/imports/orders", b"no orders at all\n", "text/csv"),
        ("/v1/imports/orders", b"{no json", "application/json"),
        ("/v1/imports/orders", b"[]", "application/json"),
        ("/v1/imports/orders", b"\xff\xfe", "text/csv"),
        ("/v1/imports/stock", b"", "text/csv"),
        ("/v1/imports/stock", b"sku;place\nTEA;main\n", "text/csv"),
        ("/v1/imports/stock", b"x" * 2_000_000, "text/csv"),
        ("/v1/imports/items", b"sku,colour\nTEA,red\n", "text/csv"),
        ("/v1/imports/kits", b"\x89PNG\r\n\x1a\n", "text/csv"),
    ],
)
async def test_a_file_that_nobody_can_read_is_refused_at_once(
    api: Api, path: str, data: bytes, kind: str
) -> None:
    caller = await api.caller()
    told = problem(await send_file(caller, path, data, kind), 422, "invalid_input")
    assert told["errors"][0]["pointer"] == "/file"
    assert (await caller.get("/v1/jobs")).json()["items"] == []


async def test_odd_bytes_cost_their_own_line_alone(api: Api, shop: Shop) -> None:
    caller = await api.caller()
    good = json.dumps(a_document(("TEA", 1))).encode()
    surrogate = json.dumps(a_document(("TEA", 1))).replace('"web"', '"\\ud800"').encode()
    nul = json.dumps(a_document(("TEA", 1), note="a\0b")).encode()
    long = b'{"note": "' + b"x" * 1_500_000 + b'"}'
    data = b"\n".join([good, b"\xff\xfe\xfd", surrogate, b"[]", b"NaN", nul, long, b"{}"])
    job_id = made(await send_file(caller, "/v1/imports/orders", data, "application/jsonl"))
    job = await ended(shop, job_id)
    items = await items_of(caller, job_id)
    assert job["state"] == "done"
    assert [one["number"] for one in items if one["outcome"] == "done"] == [1, 6]
    assert all(one["faults"][0]["line"] for one in items if one["outcome"] == "refused")


async def test_a_file_that_breaks_off_later_fails_the_job_and_says_where(
    api: Api, shop: Shop
) -> None:
    caller = await api.caller()
    text = "sku,location,quantity\n" + 20 * "TEA,main,5\n" + "x" * 2_000_000
    job_id = made(await send_file(caller, "/v1/imports/stock", text))
    job = await ended(shop, job_id)
    assert job["state"] == "failed"
    assert "line 22" in job["failure"]["detail"]
    assert (await shop.level("TEA")).on_hand == 1000
    assert await items_of(caller, job_id, outcome="waiting") == []


async def test_what_is_too_large_or_of_another_type_is_refused(api: Api) -> None:
    caller = await api.caller()
    large = await send_file(caller, "/v1/imports/stock", b"x" * (8 * 2**20 + 1))
    problem(large, 413, "too_large")
    problem(await send_file(caller, "/v1/imports/stock", "a", "image/png"), 415, "no_file")
    keyless = await caller.post(
        "/v1/imports/stock", content="a", headers={"Content-Type": "text/csv"}
    )
    problem(keyless, 400, "key_needed")


async def test_orders_are_exported_as_they_are_read(api: Api, shop: Shop) -> None:
    caller = await api.caller()
    orders = [an_order(("TEA", 1)) for _ in range(3)]
    for order in orders:
        await caller.placed(order)
    await caller.placed(an_order(("TEA", 1), channel="b2b"))
    job_id = made(await caller.send_once("/v1/exports/orders", {"channel": "web"}))
    job = await ended(shop, job_id)
    assert (job["state"], job["done"], job["total"]) == ("done", 3, 3)
    file = await caller.get(f"/v1/jobs/{job_id}/result")
    assert file.headers["content-type"] == "application/jsonl"
    assert int(file.headers["content-length"]) == len(file.content) == job["result"]["bytes"]
    assert job["result"]["name"] in file.headers["content-disposition"]
    shown = [json.loads(line) for line in file.text.splitlines()]
    assert [one["order_id"] for one in shown] == [one.order_id for one in reversed(orders)]
    assert (
        shown[0]["version"]
        == (await caller.get(f"/v1/orders/{orders[2].order_id}")).json()["version"]
    )


async def test_stock_and_books_are_exported(api: Api, shop: Shop) -> None:
    caller = await api.caller()
    job_id = made(await caller.send_once("/v1/exports/stock", {"sku": "TEA"}))
    await ended(shop, job_id)
    file = (await caller.get(f"/v1/jobs/{job_id}/result")).text
    (row,) = csv.DictReader(io.StringIO(file))
    assert (row["sku"], row["location"], row["on_hand"]) == ("TEA", "main", "1000")
    for kind, begins in (("beancount", "; Orderloom, main"), ("csv-quickbooks", "Journal No.")):
        content = {"seller": "main", "format": kind}
        job_id = made(await caller.send_once("/v1/exports/ledger", content))
        assert (await ended(shop, job_id))["state"] == "done"
        assert (await caller.get(f"/v1/jobs/{job_id}/result")).text.startswith(begins)
    problem(
        await caller.send_once("/v1/exports/ledger", {"seller": "other", "format": "json"}),
        *(404, "not_found"),
    )


async def test_an_export_that_a_rule_forbids_fails_and_says_why(api: Api, shop: Shop) -> None:
    caller = await api.caller()
    content = {"seller": "main", "format": "beancount", "final": True}
    job_id = made(await caller.send_once("/v1/exports/ledger", content))
    job = await ended(shop, job_id)
    assert job["state"] == "failed"
    assert "not closed" in job["failure"]["detail"]
    problem(await caller.get(f"/v1/jobs/{job_id}/result"), 404, "not_found")


async def test_many_orders_are_cancelled_each_with_its_answer(api: Api, shop: Shop) -> None:
    caller = await api.caller()
    orders = [an_order(("TEA", 1)) for _ in range(3)]
    for order in orders:
        await caller.placed(order)
    shipped = an_order(("TEA", 1))
    await shop.drive(await shop.placed(shipped), "shipped")
    named = [one.order_id for one in (*orders[:2], orders[0], shipped)]
    content = {"order_ids": [*named, "web-none"], "reason": "closed", "by": "anna"}
    job_id = made(await caller.send_once("/v1/bulk/cancel-orders", content))
    job = await ended(shop, job_id)
    items = {one["reference"]: one for one in await items_of(caller, job_id)}
    assert [one["outcome"] for one in items.values()] == ["done", "done", "refused", "refused"]
    assert items[orders[0].order_id]["answer"] == "cancelled"
    assert items["web-none"]["code"] == "not_found"
    assert job["made_by"].startswith("anna (key")
    told = [event.who for event in await shop.orders.events(orders[1].order_id)]
    assert any(who.startswith("anna (key") for who in told)
    # By a filter: what matches when the job begins.
    await caller.placed(an_order(("TEA", 1), channel="b2b"))
    where = {"where": {"channel": "web", "state": "confirmed"}, "reason": "closed"}
    job_id = made(await caller.send_once("/v1/bulk/cancel-orders", where))
    assert (await ended(shop, job_id))["done"] == 1
    assert [one["reference"] for one in await items_of(caller, job_id)] == [orders[2].order_id]


@pytest.mark.parametrize(
    "content",
    [
        {"reason": "x"},
        {"reason": "x", "where": {}},
        {"reason": "x", "where": {"colour": "red"}},
        {"reason": "x", "order_ids": []},
        {"reason": "x", "order_ids": ["web-1"], "where": {"channel": "web"}},
        {"reason": "x", "order_ids": ["web-1"], "by": ""},
        {"reason": "x", "order_ids": ["a\0b"]},
        {"reason": "x", "where": {"channel": "a\0b"}},
        {"reason": "x", "where": {"seller": "a\0b"}},
        {"reason": "x", "where": {"customer_id": "a\0b"}},
        {"order_ids": ["web-1"]},
        {"reason": "x", "order_ids": [1]},
    ],
)
async def test_a_cancellation_of_nothing_or_of_everything_is_refused(
    api: Api, content: dict[str, Any]
) -> None:
    caller = await api.caller()
    problem(await caller.send_once("/v1/bulk/cancel-orders", content), 422, "invalid_input")


async def test_many_steps_are_answered_each_once(api: Api, shop: Shop) -> None:
    caller = await api.caller("orders:read", "orders:write")
    shop.faults.refuse("pick_pack_ship")
    parked, other = an_order(("TEA", 1)), an_order(("TEA", 1))
    answers = []
    for order in (parked, other):
        await caller.placed(order)
        step = await shop.parked(order.order_id)
        answers.append({"order_id": order.order_id, "step": step, "action": "retry", "note": "on"})
    shop.faults.heal("pick_pack_ship")
    wrong = [{**answers[0], "step": "dance"}, {**answers[0], "order_id": "web-none"}]
    content = {"answers": [*answers, *wrong], "by": "anna"}
    job_id = made(await caller.send_once("/v1/bulk/resolve-steps", content))
    job = await ended(shop, job_id)
    assert (job["state"], job["done"], job["refused"]) == ("done", 2, 2)
    items = await items_of(caller, job_id)
    assert [one["answer"] for one in items] == ["retry", "retry", None, None]
    assert [one["code"] for one in items[2:]] == ["not_found", "not_found"]
    for order in (parked, other):
        await shop.task("pick", f"{order.order_id}:1")
    # An attempt that was stopped before it could tell: the next one finds that nobody waits.
    standing = await shop.job_work.begin(job_id)
    told = {name: value for name, value in answers[0].items() if name != "order_id"}
    late = OpenItem(1, None, parked.order_id, told, again=True)
    assert (await resolve(shop, standing, late)).answer == "waits for nobody any more"
    with pytest.raises(NotFound):
        await resolve(shop, standing, replace(late, again=False))
    for faulty in ([], [{**answers[0], "step": "a\0b"}]):
        answer = await caller.send_once("/v1/bulk/resolve-steps", {"answers": faulty})
        problem(answer, 422, "invalid_input")


async def test_papers_of_many_orders_are_one_file(api: Api, shop: Shop) -> None:
    caller = await api.caller()
    orders = [an_order(("TEA", 1)) for _ in range(2)]
    for order in orders:
        await shop.task("pick", await shop.placed(order))
    gone = an_order(("TEA", 1))
    await shop.drive(await shop.placed(gone), "shipped")
    ids = {"order_ids": [one.order_id for one in (*orders, gone)]}
    for path in ("/v1/bulk/packing-slips", "/v1/bulk/pick-list"):
        job_id = made(await caller.send_once(path, ids))
        job = await ended(shop, job_id)
        assert (job["state"], job["done"], job["refused"]) == ("done", 2, 1), job
        file = await caller.get(f"/v1/jobs/{job_id}/result")
        assert file.content.startswith(b"%PDF")
        assert file.headers["content-type"] == "application/pdf"
    job_id = made(await caller.send_once("/v1/bulk/documents", ids))
    job = await ended(shop, job_id)
    assert (job["done"], job["refused"]) == (1, 2)
    assert (await items_of(caller, job_id))[2]["answer"].startswith("INV-")
    file = await caller.get(f"/v1/jobs/{job_id}/result")
    assert file.content.startswith(b"%PDF")
    many = {"order_ids": [f"web-{n}" for n in range(501)]}
    problem(await caller.send_once("/v1/bulk/pick-list", many), 422, "invalid_input")


async def test_a_job_is_never_wider_than_the_key_that_made_it(api: Api, shop: Shop) -> None:
    everybody = await api.caller()
    theirs = an_order(("TEA", 1), channel="b2b")
    await everybody.placed(theirs)
    mine = await api.caller("orders:read", "orders:write", "aftersales:write", channels=["web"])
    own, others = an_order(("TEA", 1)), an_order(("TEA", 1), channel="b2b")
    text = lines_of([sent(own), sent(others)])
    job_id = made(await send_file(mine, "/v1/imports/orders", text, "application/jsonl"))
    assert (await ended(shop, job_id))["done"] == 1
    assert [one["code"] for one in await items_of(mine, job_id)] == [None, "not_found"]
    job_id = made(await mine.send_once("/v1/exports/orders", {}))
    await ended(shop, job_id)
    file = (await mine.get(f"/v1/jobs/{job_id}/result")).text
    assert own.order_id in file
    assert theirs.order_id not in file
    content = {"order_ids": [theirs.order_id], "reason": "x"}
    job_id = made(await mine.send_once("/v1/bulk/cancel-orders", content))
    await ended(shop, job_id)
    assert (await items_of(mine, job_id))[0]["code"] == "not_found"
    where = {"where": {"state": "confirmed"}, "reason": "x"}
    job_id = made(await mine.send_once("/v1/bulk/cancel-orders", where))
    assert (await ended(shop, job_id))["total"] == 1


async def test_a_job_is_shown_to_those_who_may_do_what_it_does(api: Api, shop: Shop) -> None:
    everybody = await api.caller()
    whole = made(await everybody.send_once("/v1/exports/orders", {}))
    await ended(shop, whole)
    reader = await api.caller("orders:read")
    web = await api.caller("orders:read", channels=["web"])
    both = await api.caller("orders:read", channels=["web", "b2b"])
    stock = await api.caller("stock:read")
    part = made(await web.send_once("/v1/exports/orders", {}))
    await ended(shop, part)
    for caller, seen in (
        *((everybody, [part, whole]), (reader, [part, whole])),
        *((web, [part]), (both, [part]), (stock, [])),
    ):
        assert [one["job_id"] for one in await caller.listed("/v1/jobs", limit=1)] == seen
        for job_id in (part, whole):
            paths = [f"/v1/jobs/{job_id}{more}" for more in ("", "/items", "/result")]
            for path in paths:
                answer = await caller.get(path)
                if job_id in seen:
                    assert answer.status_code == 200, path
                else:
                    problem(answer, 404, "not_found")
            cancelled = await caller.send_once(f"/v1/jobs/{job_id}/cancel")
            status = (409, "illegal_transition") if job_id in seen else (404, "not_found")
            problem(cancelled, *status)
    found = await everybody.listed("/v1/jobs", kind="export_orders", state="done")
    assert len(found) == 2
    assert await everybody.listed("/v1/jobs", state="running") == []


async def test_a_job_that_waits_is_cancelled_at_once(shop: Shop) -> None:
    caller = await Api(shop).caller()
    text = lines_of([a_document(("TEA", 1)) for _ in range(3)])
    job_id = made(await send_file(caller, "/v1/imports/orders", text, "application/jsonl"))
    assert (await caller.get(f"/v1/jobs/{job_id}")).json()["state"] == "waiting"
    answer = await caller.send_once(f"/v1/jobs/{job_id}/cancel")
    assert answer.json()["state"] == "cancelled"
    again = await caller.send_once(f"/v1/jobs/{job_id}/cancel")
    assert again.json()["state"] == "cancelled"
    async with jobs_at_work(shop):
        await ended(shop, made(await caller.send_once("/v1/exports/orders", {})))
    assert (await caller.get("/v1/orders")).json()["items"] == []
    parts = "select count(*) from job_part where job_id = $1"
    assert await shop.pool.fetchval(parts, job_id) == 0


async def test_many_orders_are_released_and_one_that_is_not_held_says_so(
    api: Api, shop: Shop
) -> None:
    caller = await api.caller()
    held, free = an_order(("TEA", 1)), an_order(("TEA", 1))
    for order in (held, free):
        await caller.placed(order)
    asked = {"reason": "other", "note": "look at it"}
    path = f"/v1/orders/{held.order_id}/hold"
    assert (await caller.send_once(path, asked, if_match="*")).status_code == 200
    wanted = {"order_ids": [held.order_id, free.order_id], "note": "the sale is over"}
    job_id = made(await caller.send_once("/v1/bulk/release-orders", wanted))
    await ended(shop, job_id)
    items = await items_of(caller, job_id)
    assert [(one["outcome"], one["answer"]) for one in items] == [
        ("done", "released"),
        ("refused", None),
    ]
    shown = (await caller.get(f"/v1/orders/{held.order_id}/holds")).json()
    assert shown == {"order_id": held.order_id, "holds": []}
