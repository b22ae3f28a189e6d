"""Customers over HTTP: found, and shown on one page."""

from __future__ import annotations

from typing import Any

import pytest

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
