"""Customers over HTTP: found, and shown on one page."""

from __future__ import annotations

from typing import Any

import pytest

from activities.notifications.sequencing import EventSequence
from starter.service.service import Service
from store.database import Pool
from tests.support.api import Api, problem
from tests.support.bench import Bench
from tests.support.builders import an_order
from tests.support.planted import CUSTOMER, planted

CUSTOMERS = "/v1/customers"


@pytest.fixture
async def api(pool: Pool) -> Api:
    """Doors that ask no workflow."""
    no_temporal: Any = None
    return Api(Service(pool, no_temporal))


async def taken_in(pool: Pool, *channels: str, **about: Any) -> list[str]:
    """Orders that nobody works at."""
    orders = [
        an_order(("TEA", 1, "10.00"), channel=one, **{**planted(), **about}) for one in channels
    ]
    for order in orders:
        await Bench(pool).take_in(order)
    return [order.order_id for order in orders]


async def test_a_customer_is_found_and_shown_with_amounts_as_texts(api: Api, pool: Pool) -> None:
    ids = await taken_in(pool, "web", "web", "b2b")
    caller = await api.caller("customers:read")
    for text in (CUSTOMER["name"], "7766554", CUSTOMER["email"].upper(), ids[0]):
        (hit,) = await caller.listed(CUSTOMERS, q=text)
        assert (hit["orders"], hit["last_order_id"]) == (3, ids[2]), text
    page = (await caller.get(f"{CUSTOMERS}/{hit['customer_id']}")).json()
    known = {one["kind"]: one["value"] for one in page["known_as"]}
    assert known["phone"] == CUSTOMER["phone"]
    assert known["address"]["city"] == "Unterammerwinkel"
    (sums,) = page["sums"]
    assert (sums["ordered"], sums["paid"], sums["returned_percent"]) == ("30.00", "0.00", "0.0")
    orders = await caller.listed(f"{CUSTOMERS}/{hit['customer_id']}/orders")
    assert [one["order_id"] for one in orders] == ids[::-1]
    assert orders == page["orders"]
    assert "_minor" not in str(page)


async def test_lists_of_customers_go_page_by_page(api: Api, pool: Pool) -> None:
    for number in range(5):
        person = {"id": f"K{number}", "name": f"Kim {number}"}
        await taken_in(pool, "web", customer=person)
    found = await (await api.caller("customers:read")).listed(CUSTOMERS, q="kim")
    assert [one["name"] for one in found] == [f"Kim {n}" for n in (4, 3, 2, 1, 0)]


async def test_a_key_for_a_channel_sees_nothing_of_others(api: Api, pool: Pool) -> None:
    await taken_in(pool, "web", "b2b")
    await taken_in(pool, "b2b", customer={"id": "B", "name": "Berta Quendel"})
    of_web = await api.caller("customers:read", channels=["web"])
    page = (await of_web.get(f"{CUSTOMERS}/C1")).json()
    assert {one["channel"] for one in page["orders"]} == {"web"}
    assert (page["credit"], page["vouchers"]) == ([], [])
    assert await of_web.listed(CUSTOMERS, q="Quendel") == []
    theirs = problem(await of_web.get(f"{CUSTOMERS}/C2"), 404, "not_found")
    nobody = problem(await of_web.get(f"{CUSTOMERS}/C3"), 404, "not_found")
    assert theirs["detail"].replace("C2", "C3") == nobody["detail"]


async def test_odd_questions_are_refused(api: Api) -> None:
    caller = await api.caller("customers:read")
    for named in ("c1", "C0", "1", "C99999999999999999999", "C1'"):
        problem(await caller.get(f"{CUSTOMERS}/{named}"), 404, "not_found")
    for asked in ({}, {"q": ""}, {"q": "x" * 300}, {"q": "a\x00"}):
        problem(await caller.get(CUSTOMERS, params=asked), 422, "invalid_input")


async def test_notes_consent_and_merges_are_written_once_and_shown(api: Api, pool: Pool) -> None:
    await taken_in(pool, "web")
    await taken_in(pool, "b2b", customer={"id": "B", "name": "Berta Quendel"})
    caller = await api.caller("customers:read", "customers:write")
    wanted = {"note": "moves house", "contact": "call", "by": "ann"}
    written = await caller.send_once(f"{CUSTOMERS}/C1/notes", wanted, key="n")
    assert (written.status_code, written.json()["who"]) == (201, f"ann (key {caller.key_id})")
    again = await caller.send_once(f"{CUSTOMERS}/C1/notes", wanted, key="n")
    assert again.json() == written.json()
    said = await caller.send_once(
        f"{CUSTOMERS}/C2/consent", {"kind": "marketing", "given": True, "how": "by phone"}
    )
    assert said.json()["consent"][0]["said"][0]["how"] == "by phone"
    merged = await caller.send_once(f"{CUSTOMERS}/C2/merge", {"into": "C1", "reason": "married"})
    assert (merged.status_code, merged.json()["merges"][0]["into"]) == (200, "C1"), merged.text
    page = (await caller.get(f"{CUSTOMERS}/C2")).json()
    assert (page["customer_id"], page["merged"]) == ("C1", ["C2"])
    assert [one["note"] for one in page["notes"]] == ["moves house"]
    assert page["consent"][0]["given"]
    assert await caller.listed(f"{CUSTOMERS}/C2/notes") == [written.json()]
    refused = await caller.send_once(f"{CUSTOMERS}/C1/merge", {"into": "C2", "reason": "x"})
    assert problem(refused, 409, "refused")["reason"] == "merged_elsewhere"
    parted = await caller.send_once(f"{CUSTOMERS}/C2/unmerge", {"reason": "divorced", "by": "bo"})
    assert parted.json()["merges"][0]["undone_why"] == "divorced"
    alone = await caller.send_once(f"{CUSTOMERS}/C2/unmerge", {"reason": "x"})
    assert problem(alone, 409, "refused")["reason"] == "not_merged"


async def test_a_key_for_a_channel_writes_nothing_about_the_person(api: Api, pool: Pool) -> None:
    await taken_in(pool, "web")
    await taken_in(pool, "b2b", customer={"id": "B", "name": "Berta Quendel"})
    of_web = await api.caller("customers:read", "customers:write", channels=["web"])
    asked: tuple[tuple[str, Any], ...] = (
        ("notes", {"note": "x"}),
        ("consent", {"kind": "reviews", "given": True, "how": "x"}),
        ("merge", {"into": "C2", "reason": "x"}),
        ("unmerge", {"reason": "x"}),
    )
    for path, content in asked:
        answer = await of_web.send_once(f"{CUSTOMERS}/C1/{path}", content)
        problem(answer, 403, "restricted_key")
        answer = await of_web.send_once(f"{CUSTOMERS}/C2/{path}", content)
        problem(answer, 404, "not_found")
    for path in ("notes", "consent", "merges"):
        problem(await of_web.get(f"{CUSTOMERS}/C1/{path}"), 403, "restricted_key")
        problem(await of_web.get(f"{CUSTOMERS}/C2/{path}"), 404, "not_found")


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("notes", {}),
        ("notes", {"note": ""}),
        ("notes", {"note": "  "}),
        ("notes", {"note": "x" * 2001}),
        ("notes", {"note": "x", "contact": "dream"}),
        ("notes", {"note": "x", "order_id": "x" * 101}),
        ("consent", {"kind": "marketing", "given": "yes", "how": "x"}),
        ("consent", {"kind": "everything", "given": True, "how": "x"}),
        ("consent", {"kind": "marketing", "given": True}),
        ("merge", {"into": "C2"}),
        ("merge", {"into": "C2", "reason": " "}),
        ("unmerge", {"reason": ""}),
    ],
)
async def test_odd_words_about_customers_are_refused(
    api: Api, pool: Pool, path: str, content: dict[str, Any]
) -> None:
    await taken_in(pool, "web")
    caller = await api.caller("customers:read", "customers:write")
    answer = await caller.send_once(f"{CUSTOMERS}/C1/{path}", content)
    problem(answer, 422, "invalid_input")


async def test_segments_are_set_listed_and_shown_with_their_members(api: Api, pool: Pool) -> None:
    for number in range(5):
        await taken_in(pool, "web", customer={"id": f"K{number}", "name": f"Kim {number}"})
    caller = await api.caller("customers:read", "customers:write")
    rules = {"segment": "all", "orders": {"at_least": 1}}
    answer = await caller.send_once("/v1/customer-segments", {"segments": [rules]}, method="PUT")
    (told,) = answer.json()["segments"]
    assert told["set_as"]["orders"] == {"at_least": 1, "at_most": None}
    assert (await caller.get("/v1/customer-segments")).json() == answer.json()
    members = await caller.listed("/v1/customer-segments/all/members")
    assert [one["customer_id"] for one in members] == ["C1", "C2", "C3", "C4", "C5"]
    because = {"rule": "orders", "wanted": "1 or more", "found": "1", "holds": True}
    assert members[0]["because"] == [because]
    assert (await caller.get("/v1/customer-segments/all")).json() == told
    reasons = (await caller.get(f"{CUSTOMERS}/C2/segments")).json()["segments"]
    assert reasons == [{"segment": "all", "belongs": True, "checks": [because]}]
    assert (await caller.get(f"{CUSTOMERS}/C2")).json()["segments"] == ["all"]
    gone = await caller.send_once("/v1/customer-segments/all", method="DELETE")
    assert gone.status_code == 204
    problem(await caller.get("/v1/customer-segments/all/members"), 404, "not_found")
    odd_ones: tuple[Any, ...] = ({}, {"segments": []}, {"segments": [{"segment": "x"}]})
    for wrong in odd_ones:
        odd = await caller.send_once("/v1/customer-segments", wrong, method="PUT")
        problem(odd, 422, "invalid_input")


async def test_what_happens_to_customers_is_followed_with_a_cursor(api: Api, pool: Pool) -> None:
    caller = await api.caller("customers:read")
    now = (await caller.get(f"{CUSTOMERS}/changes", params={"cursor": "now"})).json()
    await taken_in(pool, "web")
    asked = {"cursor": now["next_cursor"]}
    told = (await caller.get(f"{CUSTOMERS}/changes", params=asked)).json()
    assert told["items"] == [
        {
            "customer_id": "C1",
            "what": "created",
            "into": None,
            "segment": None,
            "at": told["items"][0]["at"],
        }
    ]
    again = {"cursor": told["next_cursor"]}
    after = (await caller.get(f"{CUSTOMERS}/changes", params=again)).json()
    assert after == {"items": [], "has_more": False, "next_cursor": told["next_cursor"]}
    problem(await caller.get(f"{CUSTOMERS}/changes", params={"cursor": "x"}), 422, "invalid_input")


async def test_what_is_of_all_channels_takes_a_key_for_all(api: Api, pool: Pool) -> None:
    await taken_in(pool, "b2b")
    rules = {"segments": [{"segment": "all", "orders": {"at_least": 1}}]}
    everybody = await api.caller("customers:write")
    await everybody.send_once("/v1/customer-segments", rules, method="PUT")
    of_web = await api.caller("customers:read", "customers:write", channels=["web"])
    for path in (
        *("customers/changes", "customer-segments", "customer-segments/all"),
        "customer-segments/all/members",
    ):
        problem(await of_web.get(f"/v1/{path}"), 403, "restricted_key")
    saved = await of_web.send_once("/v1/customer-segments", rules, method="PUT")
    problem(saved, 403, "restricted_key")
    gone = await of_web.send_once("/v1/customer-segments/all", method="DELETE")
    problem(gone, 403, "restricted_key")
    problem(await of_web.send_once("/v1/exports/customers", {}), 403, "restricted_key")
    reader = await api.caller("customers:read")
    none = await reader.send_once("/v1/exports/customers", {"segment": "none"})
    problem(none, 404, "not_found")
    made = await reader.send_once("/v1/exports/customers", {"segment": "all"})
    assert (made.status_code, made.json()["kind"]) == (202, "export_customers")


async def test_events_about_customers_take_a_key_that_may_read_customers(
    api: Api, pool: Pool
) -> None:
    scopes = ("events:read", "events:write")
    whole = await api.caller(*scopes, "customers:read")
    without = await api.caller(*scopes)
    of_web = await api.caller(*scopes, "customers:read", channels=["web"])
    types = ["orderloom.customer.created.v1"]
    made = await whole.send_once(
        "/v1/subscriptions", {"url": "https://crm.example/hook", "types": types}
    )
    assert made.status_code == 201
    subscription = made.json()["subscription"]["subscription_id"]
    for caller, code in ((without, "missing_scope"), (of_web, "restricted_key")):
        problem(await caller.get("/v1/events", params={"types": types}), 403, code)
        wanted = {"url": "https://elsewhere.example/hook", "types": types}
        problem(await caller.send_once("/v1/subscriptions", wanted), 403, code)
    # Who may not read them may not send them somewhere else either.
    away = {"url": "https://elsewhere.example/hook"}
    path = f"/v1/subscriptions/{subscription}"
    problem(await without.send_once(path, away, method="PUT"), 403, "missing_scope")
    both = await whole.send_once(
        "/v1/subscriptions", {"url": "https://crm.example", "types": types, "channels": ["web"]}
    )
    problem(both, 422, "invalid_input")
    begin = (await whole.get("/v1/events", params={"types": types})).json()["position"]
    await taken_in(pool, "web")
    await EventSequence(pool).advance()
    asked = {"types": types, "after": begin}
    (event,) = (await whole.get("/v1/events", params=asked)).json()["events"]
    assert (event["type"], event["subject"]) == (types[0], "C1")
