"""Payment companies' days over HTTP: compared, listed, and differences seen to."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from domain.orders.order import Order
from tests.http.test_money import pages, placed
from tests.support.api import Api, Caller, problem
from tests.support.shop import Shop

NOTE: dict[str, Any] = {"note": "the bank has confirmed it", "by": "anna"}


@pytest.fixture
async def api(shop: Shop) -> Api:
    await shop.stocked("TEA", 1000)
    return Api(shop)


@pytest.fixture
async def caller(api: Api) -> Caller:
    return await api.caller()


async def differing(shop: Shop, caller: Caller, count: int = 1) -> tuple[str, list[Order]]:
    """A day on which the company has paid something back that nobody here knows of."""
    orders = await placed(caller, *["web"] * count)
    for order in orders:
        await shop.finish(order.order_id)
        await shop.pool.execute(
            """insert into sandbox.payment_call
                (key, kind, request, payment_reference, order_id, token, reference, amount_minor,
                 currency)
            select null, 'refund', '', reference, '', token, 'ref_' || $1, 5_00, currency
            from sandbox.payment where order_id = $1""",
            order.order_id,
        )
    done = await shop.payment.operations(orders[0].order_id)
    day = done[0].at.date().isoformat()
    answer = await caller.send_once("/v1/reconciliation/comparisons", {"day": day})
    assert (answer.status_code, answer.json()["status"]) == (200, "done"), answer.text
    return day, orders


async def test_a_day_is_compared_and_its_differences_are_listed(shop: Shop, caller: Caller) -> None:
    day, orders = await differing(shop, caller, 3)
    days = await pages(caller, "/v1/reconciliation/days", day=day)
    assert [(one["provider"], one["state"]) for one in days] == [
        ("gift_card", "clean"),
        ("sandbox", "open"),
        ("store_credit", "clean"),
        ("voucher", "clean"),
    ]
    assert await pages(caller, "/v1/reconciliation/days") == days
    found = await pages(caller, "/v1/reconciliation/differences")
    assert {one["order_id"] for one in found} == {order.order_id for order in orders}
    assert [one["subject"] for one in found] == sorted(one["subject"] for one in found)
    assert (found[0]["ours"], found[0]["theirs"]["amount"]) == (None, "5.00")
    path = f"/v1/reconciliation/differences/{found[0]['difference_id']}"
    assert (await caller.get(path)).json() == found[0]
    asked = {"provider": "store_credit"}
    assert await pages(caller, "/v1/reconciliation/differences", **asked) == []


async def test_a_difference_is_resolved_once_and_recorded_for_its_order(
    shop: Shop, caller: Caller
) -> None:
    _, (order,) = await differing(shop, caller)
    (found,) = await pages(caller, "/v1/reconciliation/differences")
    path = f"/v1/reconciliation/differences/{found['difference_id']}/resolve"
    problem(await caller.send_once(path, {"note": ""}, key="k"), 422, "invalid_input")
    first = await caller.send_once(path, NOTE, key="k")
    assert first.status_code == 200, first.text
    assert first.json()["resolution"] == "resolved"
    assert (first.json()["recorded"], first.json()["recorded_currency"]) == ("5.00", "USD")
    assert first.json()["who"] == f"anna (key {caller.key_id})"
    again = await caller.send_once(path, NOTE, key="k")
    assert (again.json(), again.headers["idempotent-replayed"]) == (first.json(), "true")
    problem(await caller.send_once(path, NOTE | {"note": "no"}, key="k"), 422, "key_reused")
    told = problem(await caller.send_once(path, NOTE), 409, "refused")
    assert NOTE["note"] in told["detail"]
    assert await pages(caller, "/v1/reconciliation/differences") == []
    closed = await pages(caller, "/v1/reconciliation/differences", open=False)
    assert [one["order_id"] for one in closed] == [order.order_id]
    refunds = (await shop.orders.get(order.order_id)).refunds
    assert [one.kind for one in refunds] == ["elsewhere"]


async def test_a_comparison_that_takes_longer_goes_on(shop: Shop, caller: Caller) -> None:
    (order,) = await placed(caller, "web")
    done = await shop.payment.operations(order.order_id)
    day = done[0].at.date().isoformat()
    shop.faults.hold("reconcile_day")
    later = await caller.send_once("/v1/reconciliation/comparisons", {"day": day}, prefer="wait=1")
    assert (later.status_code, later.json()["status"]) == (202, "running")
    shop.faults.release("reconcile_day")
    now = await caller.send_once("/v1/reconciliation/comparisons", {"day": day})
    assert (now.status_code, now.json()["status"]) == (200, "done")


async def test_differences_of_others_are_not_there(api: Api, shop: Shop, caller: Caller) -> None:
    day, _ = await differing(shop, caller)
    (found,) = await pages(caller, "/v1/reconciliation/differences")
    await caller.put("/v1/sellers/de", json={"name": "Tee GmbH"})
    of_de = await api.caller("reconciliation:read", "reconciliation:write", sellers=["de"])
    of_main = await api.caller("reconciliation:read", sellers=["main"])
    assert await pages(of_main, "/v1/reconciliation/differences") == [found]
    assert await pages(of_de, "/v1/reconciliation/differences") == []
    path = f"/v1/reconciliation/differences/{found['difference_id']}"
    problem(await of_de.get(path), 404, "not_found")
    problem(await of_de.send_once(f"{path}/resolve", NOTE), 404, "not_found")
    problem(await of_de.get("/v1/reconciliation/days"), 403, "restricted_key")
    compare = await of_de.send_once("/v1/reconciliation/comparisons", {"day": day})
    problem(compare, 403, "restricted_key")
    problem(await of_main.send_once(f"{path}/resolve", NOTE), 403, "missing_scope")


async def test_odd_questions_are_refused(caller: Caller, shop: Shop) -> None:
    today = await shop.accounting.today("main")
    for content in (
        {},
        {"day": "0001-01-01"},
        {"day": "9999-12-31"},
        {"day": 20261124},
        {"day": f"{today + timedelta(days=3)}"},
        {"day": "2026-11-24", "provider": "bank"},
        {"day": "2026-11-24", "provider": "\x00"},
        {"day": "2026-11-24", "more": 1},
    ):
        answer = await caller.send_once("/v1/reconciliation/comparisons", content)
        problem(answer, 422, "invalid_input")
    for path in ("days?day=0001-01-01", "differences?provider=~", "differences?open=maybe"):
        problem(await caller.get(f"/v1/reconciliation/{path}"), 422, "invalid_input")
    for number in ("0", "-1", "x", "9" * 30):
        answer = await caller.get(f"/v1/reconciliation/differences/{number}")
        problem(answer, 422, "invalid_input")
    problem(await caller.get("/v1/reconciliation/differences/999"), 404, "not_found")
    problem(await caller.get(f"/v1/reconciliation/differences/{2**63 - 1}"), 404, "not_found")
