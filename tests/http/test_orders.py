"""Orders over HTTP: placed once, read by version, listed page by page, and asked for changes."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from domain.access.keys import Scope
from tests.support.api import Api, Caller, problem, sent
from tests.support.builders import an_order
from tests.support.planted import WORDS, found_in, planted
from tests.support.shop import Shop

CHANGES = """
insert into order_event (order_no, effect, what, who)
select order_no, 'a test', 'a note', 'anna' from customer_order
"""


@pytest.fixture
async def api(shop: Shop) -> Api:
    await shop.stocked("TEA", 1000)
    return Api(shop)


@pytest.fixture
async def caller(api: Api) -> Caller:
    return await api.caller()


async def version(caller: Caller, order_id: str) -> str:
    return (await caller.get(f"/v1/orders/{order_id}")).headers["etag"]


async def test_an_order_is_placed_once_however_often_it_is_sent(caller: Caller) -> None:
    order = an_order(("TEA", 2, "10.00"))
    first = await caller.send_once("/v1/orders", sent(order), key="k1")
    assert (first.status_code, first.json()["outcome"]) == (201, "confirmed")
    where = first.headers["location"]
    assert where == f"/v1/orders/{order.order_id}"
    again = await caller.send_once("/v1/orders", sent(order), key="k1")
    assert (again.status_code, again.json()) == (200, first.json())
    assert again.headers["idempotent-replayed"] == "true"
    # Its name makes it one order, under whatever key it comes.
    other = await caller.send_once("/v1/orders", sent(order), key="k2")
    assert (other.status_code, other.json()) == (200, first.json())
    assert "idempotent-replayed" not in other.headers
    shown = (await caller.get(where)).json()
    assert (shown["total"], shown["lines"][0]["ordered"]) == (
        str(order.total or shown["total"]),
        2,
    )


async def test_a_key_that_comes_with_another_order_is_refused(caller: Caller) -> None:
    first, second = an_order(("TEA", 1, "10.00")), an_order(("TEA", 1, "10.00"))
    await caller.placed(first)
    assert (await caller.send_once("/v1/orders", sent(first), key="k")).status_code == 200
    told = await caller.send_once("/v1/orders", sent(second), key="k")
    problem(told, 422, "key_reused")
    assert (await caller.get(f"/v1/orders/{second.order_id}")).status_code == 404


async def test_another_order_under_the_same_name_is_a_conflict(caller: Caller) -> None:
    order = an_order(("TEA", 1, "10.00"))
    await caller.placed(order)
    other = sent(order)
    other["lines"][0]["quantity"] = 7
    other.pop("total", None)
    problem(await caller.send_once("/v1/orders", other), 409, "conflict")


async def test_a_repeat_at_the_same_moment_waits_or_is_told_to(caller: Caller) -> None:
    order = an_order(("TEA", 1, "10.00"))
    answers = await asyncio.gather(
        *(caller.send_once("/v1/orders", sent(order), key="k") for _ in range(5))
    )
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [201, 409, 409, 409, 409]
    for answer in answers:
        if answer.status_code == 409:
            problem(answer, 409, "still_running")
    assert (await caller.send_once("/v1/orders", sent(order), key="k")).status_code == 200


async def test_without_a_key_nothing_is_changed(caller: Caller) -> None:
    order = an_order(("TEA", 1, "10.00"))
    problem(await caller.post("/v1/orders", json=sent(order)), 400, "key_needed")
    for odd in (b"", b'""', "é".encode(), b"\x7f"):
        headers = {b"Idempotency-Key": odd}
        answer = await caller.post("/v1/orders", json=sent(order), headers=headers)
        assert answer.status_code == 400, odd
    assert (await caller.get(f"/v1/orders/{order.order_id}")).status_code == 404


async def test_what_cannot_be_read_is_told_field_by_field(caller: Caller) -> None:
    order = sent(an_order(("TEA", 1, "10.00")))
    order["lines"][0]["quantity"] = -1
    order["currency"] = "XQX"
    told = problem(await caller.send_once("/v1/orders", order), 422, "invalid_input")
    assert {fault["pointer"] for fault in told["errors"]} == {
        "/body/lines/0/quantity",
        "/body/currency",
    }


async def test_an_order_of_an_unknown_channel_is_refused_and_its_key_is_free(
    caller: Caller,
) -> None:
    order = sent(an_order(("TEA", 1, "10.00"), channel="nowhere"))
    problem(await caller.send_once("/v1/orders", order, key="k"), 422, "invalid_input")
    order["channel"] = "web"
    assert (await caller.send_once("/v1/orders", order, key="k")).status_code == 201


async def test_many_orders_are_each_answered_for_themselves(caller: Caller) -> None:
    good, other = an_order(("TEA", 1, "10.00")), an_order(("TEA", 2, "10.00"))
    bad = sent(an_order(("TEA", 1, "10.00"))) | {"lines": []}
    answer = await caller.send_once("/v1/orders/many", {"orders": [sent(good), bad, sent(other)]})
    first, refused, last = answer.json()["results"]
    assert (first["order_id"], last["order_id"]) == (good.order_id, other.order_id)
    assert (refused["status"], refused["code"]) == (422, "invalid_input")
    assert "lines" in refused["detail"]


async def test_many_orders_under_one_key_are_told_apart_from_others(caller: Caller) -> None:
    first, second = ({"orders": [sent(an_order(("TEA", 1, "10.00")))]} for _ in range(2))
    once = await caller.send_once("/v1/orders/many", first, key="k")
    again = await caller.send_once("/v1/orders/many", first, key="k")
    assert again.json() == once.json()
    assert [each.headers.get("idempotent-replayed") for each in (once, again)] == [None, "true"]
    problem(await caller.send_once("/v1/orders/many", second, key="k"), 422, "key_reused")
    assert len((await caller.get("/v1/orders")).json()["items"]) == 1


async def test_many_orders_without_a_decision_take_no_longer_than_one(
    shop: Shop, caller: Caller
) -> None:
    shop.faults.hold("authorize_payment")
    many = {"orders": [sent(an_order(("TEA", 1, "10.00"))) for _ in range(5)]}
    began = asyncio.get_running_loop().time()
    answer = await caller.send_once("/v1/orders/many", many, prefer="wait=2")
    took = asyncio.get_running_loop().time() - began
    shop.faults.release("authorize_payment")
    assert [one["outcome"] for one in answer.json()["results"]] == ["in_progress"] * 5
    assert took < 6
    await shop.all_decided(5)  # a worker that stops waits for what it has begun


async def test_a_step_is_resolved_once_and_a_repeat_is_told_so(shop: Shop, caller: Caller) -> None:
    shop.faults.refuse("pick_pack_ship")
    order = an_order(("TEA", 1, "10.00"))
    await caller.placed(order)
    path = f"/v1/orders/{order.order_id}/resolve"
    decision = {"step": await shop.parked(order.order_id), "action": "retry", "note": "again"}
    shop.faults.heal("pick_pack_ship")
    for replayed in (None, "true"):
        answer = await caller.send_once(path, decision, key="k", if_match="*")
        assert (answer.status_code, answer.headers.get("idempotent-replayed")) == (204, replayed)
    other = {**decision, "note": "another"}
    problem(await caller.send_once(path, other, key="k", if_match="*"), 422, "key_reused")


async def test_it_is_read_by_version_and_a_known_one_is_not_sent_again(
    shop: Shop, caller: Caller
) -> None:
    order = an_order(("TEA", 1, "10.00"))
    await caller.placed(order)
    path = f"/v1/orders/{order.order_id}"
    first = await caller.get(path)
    known = {"If-None-Match": first.headers["etag"]}
    unchanged = await caller.get(path, headers=known)
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    await shop.drive(f"{order.order_id}:1", "picked")
    changed = await caller.get(path, headers=known)
    assert (changed.status_code, changed.headers["etag"] != first.headers["etag"]) == (200, True)


async def test_a_change_by_an_old_page_is_refused_and_told_what_happened(
    shop: Shop, caller: Caller
) -> None:
    order = an_order(("TEA", 1, "10.00"))
    await caller.placed(order)
    path = f"/v1/orders/{order.order_id}/cancel"
    why = {"reason": "ordered twice"}
    problem(await caller.send_once(path, why), 428, "version_needed")
    old = await version(caller, order.order_id)
    await shop.drive(f"{order.order_id}:1", "shipped")
    told = problem(await caller.send_once(path, why, if_match=old), 412, "order_changed")
    assert "shipped" in told["detail"]
    assert any("shipped" in fault["detail"] for fault in told["errors"])
    await shop.told(order.order_id, "charged")
    now = await version(caller, order.order_id)
    answer = await caller.send_once(path, why, if_match=now)
    assert (answer.status_code, answer.json()["outcome"]) == (200, "refused")


async def test_versions_are_compared_as_they_are_and_what_is_none_is_told_so(
    caller: Caller,
) -> None:
    order = an_order(("TEA", 2, "10.00"))
    await caller.placed(order)
    path, why = f"/v1/orders/{order.order_id}/cancel", {"reason": "ordered twice"}
    seen = await version(caller, order.order_id)
    for odd in ("17", "W/", f"{seen} {seen}", '"17', f"{seen}, *", ","):
        problem(await caller.send_once(path, why, if_match=odd), 400, "no_version")
    problem(await caller.send_once(path, why, if_match=f"W/{seen}"), 412, "order_changed")
    known = await caller.get(f"/v1/orders/{order.order_id}", headers={"If-None-Match": f"W/{seen}"})
    assert known.status_code == 304, "of a read, a weak one is enough"
    answer = await caller.send_once(path, why, if_match=f'W/"1", "a-b" ,{seen}')
    assert (answer.status_code, answer.json()["outcome"]) == (200, "cancelled")


async def test_head_tells_what_get_would_without_its_body(caller: Caller) -> None:
    order = an_order(("TEA", 1, "10.00"))
    await caller.placed(order)
    for path in ("/v1/orders", f"/v1/orders/{order.order_id}", "/v1/stock", "/v1/events?after=0"):
        told, whole = await caller.head(path), await caller.get(path)
        assert (told.status_code, told.content) == (whole.status_code, b"") == (200, b"")
        assert told.headers.get("etag") == whole.headers.get("etag")
        assert told.headers["content-type"] == whole.headers["content-type"]
    stream = await caller.head("/v1/events", headers={"Accept": "text/event-stream"})
    assert (stream.status_code, stream.content) == (200, b"")
    assert (await caller.head("/v1/orders/web-nothing")).status_code == 404


async def test_a_path_of_its_own_is_no_order_and_names_its_methods(caller: Caller) -> None:
    for method in ("GET", "HEAD", "DELETE", "PUT"):
        answer = await caller.request(method, "/v1/orders/many")
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST"), method
    answer = await caller.request("DELETE", "/v1/orders/web-1")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


async def test_a_cancellation_is_asked_once_and_its_repeat_gets_the_same_answer(
    caller: Caller,
) -> None:
    order = an_order(("TEA", 2, "10.00"))
    await caller.placed(order)
    path = f"/v1/orders/{order.order_id}/cancel"
    seen = await version(caller, order.order_id)
    first = await caller.send_once(
        path, {"reason": "ordered twice", "by": "anna"}, key="k", if_match=seen
    )
    assert (first.status_code, first.json()["outcome"]) == (200, "cancelled")
    again = await caller.send_once(
        path, {"reason": "ordered twice", "by": "anna"}, key="k", if_match=seen
    )
    assert (again.json(), again.headers["idempotent-replayed"]) == (first.json(), "true")
    other = await caller.send_once(path, {"reason": "no", "by": "anna"}, key="k", if_match=seen)
    problem(other, 422, "key_reused")
    story = (await caller.get(f"/v1/orders/{order.order_id}/story")).json()["events"]
    assert any(event["who"] == f"anna (key {caller.key_id})" for event in story)


async def test_a_request_that_takes_longer_is_a_command_to_be_asked_for(
    shop: Shop, caller: Caller
) -> None:
    order = an_order(("TEA", 2, "10.00"))
    await caller.placed(order)
    path = f"/v1/orders/{order.order_id}/cancel"
    shop.faults.hold("recall")
    later = await caller.send_once(path, {"reason": "no"}, key="k", if_match="*", prefer="wait=0")
    assert later.status_code == 202, later.text
    assert later.headers["preference-applied"] == "wait=0"
    command = (await caller.get(later.headers["location"])).json()
    assert (command["status"], command["order_id"]) == ("running", order.order_id)
    shop.faults.release("recall")
    for _ in range(100):
        command = (await caller.get(later.headers["location"])).json()
        if command["status"] == "done":
            break
        await asyncio.sleep(0.1)
    assert command["outcome"]["outcome"] == "cancelled"
    forged = later.headers["location"][:-2] + "AA"
    problem(await caller.get(forged), 404, "not_found")


async def test_a_repeat_is_not_refused_for_what_its_first_request_may_have_done(
    shop: Shop, caller: Caller
) -> None:
    order = an_order(("TEA", 2, "10.00"))
    await caller.placed(order)
    path = f"/v1/orders/{order.order_id}/cancel"
    old = await version(caller, order.order_id)
    shop.faults.hold("recall")
    first = await caller.send_once(path, {"reason": "x"}, key="k", if_match=old, prefer="wait=0")
    assert first.status_code == 202, first.text
    await shop.pool.execute(CHANGES)
    assert await version(caller, order.order_id) != old
    problem(await caller.send_once(path, {"reason": "y"}, if_match=old), 412, "order_changed")
    problem(await caller.send_once(path, {"reason": "y"}, key="k", if_match=old), 422, "key_reused")
    again = asyncio.create_task(
        caller.send_once(path, {"reason": "x"}, key="k", if_match=old, prefer="wait=20")
    )
    shop.faults.release("recall")
    assert (await again).json()["outcome"] == "cancelled"


async def test_a_request_that_the_order_refuses_leaves_its_key_free(caller: Caller) -> None:
    order = an_order(("TEA", 2, "10.00"))
    await caller.placed(order)
    path = f"/v1/orders/{order.order_id}/refund"
    for amount in ("500.00", "600.00"):
        content = {"reason": "late", "amount": amount}
        problem(await caller.send_once(path, content, key="k", if_match="*"), 409, "refused")


async def test_a_refusal_says_which_rule_it_was_and_what_can_be_asked_instead(
    caller: Caller,
) -> None:
    order = an_order(("TEA", 2, "10.00"))
    await caller.placed(order)
    path = f"/v1/orders/{order.order_id}/return"
    answer = await caller.send_once(path, {"reason": "too bitter"}, key="k", if_match="*")
    told = problem(answer, 409, "refused")
    assert (told["reason"], told["instead"]) == ("not_delivered", ["cancel_order"])


async def test_a_key_with_a_role_asks_for_goodwill_in_no_other(api: Api) -> None:
    agent = await api.caller(role="agent")
    order = an_order(("TEA", 2, "10.00"))
    await agent.placed(order)
    path, content = f"/v1/orders/{order.order_id}/refund", {"reason": "late", "amount": "0.50"}
    other = content | {"role": "lead"}
    problem(await agent.send_once(path, other, if_match="*"), 403, "other_role")
    told = problem(await agent.send_once(path, content, if_match="*"), 409, "refused")
    assert told["reason"] == "more_than_charged"


async def test_a_repeat_is_told_of_the_same_command_and_then_how_it_ended(
    shop: Shop, caller: Caller
) -> None:
    order = an_order(("TEA", 2, "10.00"))
    await caller.placed(order)
    path = f"/v1/orders/{order.order_id}/refund"
    too_much = {"reason": "late", "amount": "500.00"}

    async def asked() -> httpx.Response:
        return await caller.send_once(path, too_much, key="k", if_match="*", prefer="wait=0")

    shop.faults.hold("grant_refund")
    first, again = await asked(), await asked()
    assert (first.status_code, again.status_code) == (202, 202), again.text
    assert again.json() == first.json()
    assert again.headers["location"] == first.headers["location"]
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    shop.faults.release("grant_refund")
    for _ in range(100):
        if (await caller.get(first.headers["location"])).json()["status"] == "refused":
            break
        await asyncio.sleep(0.1)
    shop.faults.hold("grant_refund")
    problem(await asked(), 409, "refused")  # told at once, and the order is not asked again
    anew = await asked()
    assert (anew.status_code, anew.json() != first.json()) == (202, True), "its key is free"
    shop.faults.release("grant_refund")


async def test_a_command_that_the_order_refuses_later_says_so(shop: Shop, caller: Caller) -> None:
    order = an_order(("TEA", 2, "10.00"))
    await caller.placed(order)
    path = f"/v1/orders/{order.order_id}/refund"
    shop.faults.hold("grant_refund")
    too_much = {"reason": "late", "amount": "500.00"}
    later = await caller.send_once(path, too_much, key="k", if_match="*", prefer="wait=0")
    assert later.status_code == 202, later.text
    where = later.headers["location"]
    assert (await caller.get(where)).json()["status"] == "running"
    shop.faults.release("grant_refund")
    for _ in range(100):
        command = (await caller.get(where)).json()
        if command["status"] != "running":
            break
        await asyncio.sleep(0.1)
    assert (command["status"], command["outcome"]) == ("refused", None)
    now = await caller.send_once(path, too_much, key="k", if_match="*")
    told = problem(now, 409, "refused")
    assert command["problem"]["detail"] == told["detail"]


async def pages(caller: Caller, **filters: Any) -> list[str]:
    found: list[str] = []
    cursor: dict[str, Any] = {}
    while True:
        answer = await caller.get("/v1/orders", params={"limit": 2, **filters, **cursor})
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found += [one["order_id"] for one in page["items"]]
        if not page["has_more"]:
            return found
        cursor = {"cursor": page["next_cursor"]}


async def test_lists_are_read_page_by_page_while_orders_come(api: Api, caller: Caller) -> None:
    orders = [an_order(("TEA", 1, "10.00")) for _ in range(5)]
    for order in orders:
        await caller.placed(order)
    ids = [order.order_id for order in reversed(orders)]
    assert await pages(caller) == ids
    assert await pages(caller, state="confirmed") == ids
    assert await pages(caller, state="closed") == []
    page = (await caller.get("/v1/orders", params={"limit": 2})).json()
    await caller.placed(an_order(("TEA", 1, "10.00")))
    following = await caller.get("/v1/orders", params={"limit": 2, "cursor": page["next_cursor"]})
    assert [one["order_id"] for one in following.json()["items"]] == ids[2:4]
    assert following.headers["link"].startswith("<http")
    other = await caller.get("/v1/orders", params={"channel": "web", "cursor": page["next_cursor"]})
    problem(other, 422, "invalid_input")


async def test_of_the_person_only_the_document_tells_and_only_whoever_may_know(
    api: Api, caller: Caller
) -> None:
    order = an_order(("TEA", 1, "10.00"), **planted())
    await caller.placed(order)
    path = f"/v1/orders/{order.order_id}"
    shown = (await caller.get(path)).text.replace(order.customer.id, "")
    assert found_in(shown, WORDS) == []
    assert found_in((await caller.get(f"{path}/document")).text, WORDS) != []
    clerk = await api.caller("orders:read")
    problem(await clerk.get(f"{path}/document"), 403, "missing_scope")


def ids_of(answer: httpx.Response) -> list[str]:
    return [one["order_id"] for one in answer.json()["items"]]


async def test_what_is_not_yours_is_not_there(api: Api, caller: Caller) -> None:
    mine = an_order(("TEA", 1, "10.00"))
    theirs = an_order(("TEA", 1, "10.00"), channel="b2b")
    for order in (mine, theirs):
        await caller.placed(order)
    of_web = await api.caller("orders:read", "orders:write", "aftersales:write", channels=["web"])
    assert ids_of(await of_web.get("/v1/orders")) == [mine.order_id]
    assert ids_of(await of_web.get("/v1/orders", params={"channel": "b2b"})) == []
    path = f"/v1/orders/{theirs.order_id}"
    for answer in (
        await of_web.get(path),
        await of_web.get(f"{path}/story"),
        await of_web.send_once(f"{path}/cancel", {"reason": "no"}, if_match="*"),
        await of_web.send_once("/v1/orders", sent(an_order(("TEA", 1, "10.00"), channel="b2b"))),
    ):
        problem(answer, 404, "not_found")


async def test_an_order_is_shown_with_what_belongs_to_it_where_it_is_asked_for(
    shop: Shop, caller: Caller
) -> None:
    order = an_order(("TEA", 1, "10.00"))
    await caller.placed(order)
    where = f"/v1/orders/{order.order_id}"
    await shop.drive(f"{order.order_id}:1", "delivered")
    await shop.told(order.order_id, "charged")
    await shop.settled()
    alone = (await caller.get(where)).json()
    assert not {"document", "documents", "story"} & set(alone)
    asked = {"expand": ["story", "document", "documents"]}
    whole = (await caller.get(where, params=asked)).json()
    assert {name: whole[name] for name in alone} == alone
    assert whole["document"] == (await caller.get(f"{where}/document")).json()
    assert whole["documents"] == (await caller.get(f"{where}/documents")).json()["items"]
    assert whole["documents"]
    assert whole["story"] == (await caller.get(f"{where}/story")).json()["events"]
    # A version says nothing of what stands beside the order.
    known = {"If-None-Match": f'"{whole["version"]}"'}
    assert (await caller.get(where, headers=known)).status_code == 304
    assert (await caller.get(where, params={"expand": "story"}, headers=known)).status_code == 200
    odd = await caller.get(where, params={"expand": "everything"})
    assert problem(odd, 422, "invalid_input")["errors"][0]["pointer"] == "/query/expand/0"


async def test_what_an_order_is_shown_with_takes_the_scope_that_its_own_path_takes(
    api: Api, caller: Caller
) -> None:
    order = an_order(("TEA", 1, "10.00"))
    await caller.placed(order)
    reads = await api.caller("orders:read")
    where = f"/v1/orders/{order.order_id}"
    assert (await reads.get(where, params={"expand": "story"})).status_code == 200
    takes: dict[str, tuple[Scope, ...]] = {
        "document": ("customers:read",),
        "documents": ("customers:read", "payments:read"),
    }
    for part, scopes in takes.items():
        refused = await reads.get(where, params={"expand": ["story", part]})
        assert ", ".join(scopes) in problem(refused, 403, "missing_scope")["detail"]
        allowed = await api.caller("orders:read", *scopes)
        for answer in (
            await allowed.get(where, params={"expand": part}),
            await allowed.get(f"{where}/{part}"),
        ):
            assert answer.status_code == 200


async def test_a_list_shows_its_orders_whole_where_it_is_asked_to(caller: Caller) -> None:
    for _ in range(3):
        await caller.placed(an_order(("TEA", 1, "10.00")))
    short = (await caller.get("/v1/orders", params={"limit": 2})).json()
    assert [one["order"] for one in short["items"]] == [None, None]
    page = (await caller.get("/v1/orders", params={"limit": 2, "expand": "order"})).json()
    assert page["has_more"]
    for one in page["items"]:
        assert one["order"]["order_id"] == one["order_id"]
        assert one["order"]["lines"][0]["sku"] == "TEA"
