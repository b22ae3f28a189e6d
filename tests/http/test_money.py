"""Money that needs a look, and store credit, over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from domain.orders.order import Order
from domain.payments.disputes import DisputeState
from tests.support.api import Api, Caller, problem, sent
from tests.support.builders import an_order
from tests.support.provider_desk import Telling
from tests.support.shop import Shop

GRANT: dict[str, Any] = {
    "customer": "kim@example.com",
    "amount": "25.00",
    "currency": "USD",
    "reason": "the parcel came late",
}


@pytest.fixture
async def api(shop: Shop) -> Api:
    await shop.stocked("TEA", 1000)
    return Api(shop)


@pytest.fixture
async def caller(api: Api) -> Caller:
    return await api.caller()


async def pages(caller: Caller, path: str, **asked: Any) -> list[dict[str, Any]]:
    """All rows of a list, of which each page has two."""
    found: list[dict[str, Any]] = []
    cursor: dict[str, Any] = {}
    while True:
        answer = await caller.get(path, params={"limit": 2, **asked, **cursor})
        assert answer.status_code == 200, answer.text
        assert "_minor" not in answer.text
        page = answer.json()
        found += page["items"]
        if not page["has_more"]:
            return found
        cursor = {"cursor": page["next_cursor"]}


async def placed(caller: Caller, *channels: str) -> list[Order]:
    orders = [an_order(("TEA", 1, "10.00"), channel=channel) for channel in channels]
    for order in orders:
        await caller.placed(order)
    return orders


async def test_payments_without_an_outcome_are_listed(api: Api, shop: Shop, caller: Caller) -> None:
    first, second, other = await placed(caller, "web", "web", "b2b")
    assert await pages(caller, "/v1/payments/unsettled") == []
    await shop.pool.execute("update payment_operation set state = 'unknown', settled_at = null")
    found = await pages(caller, "/v1/payments/unsettled")
    assert [one["order_id"] for one in found] == [x.order_id for x in (first, second, other)]
    assert {(one["amount"], one["currency"], one["state"]) for one in found} == {
        ("15.00", "USD", "unknown")
    }
    of_b2b = await api.caller("payments:read", channels=["b2b"])
    mine = await pages(of_b2b, "/v1/payments/unsettled")
    assert [one["order_id"] for one in mine] == [other.order_id]


async def test_refunds_that_are_owed_are_listed(api: Api, shop: Shop, caller: Caller) -> None:
    orders = await placed(caller, "web", "web", "b2b")
    for order in orders:
        await shop.pool.execute(
            """insert into refund (refund_id, order_no, kind, goods_minor, tax_minor,
                shipping_minor, shipping_tax_minor, currency, credited_minor, reason, who)
            values ($1, order_no_of($2), 'goodwill', 250, 0, 0, 0, 'USD', 0, 'sorry', 'ann')""",
            f"{order.order_id}:G1",
            order.order_id,
        )
    found = await pages(caller, "/v1/refunds/owed")
    assert [one["refund_id"] for one in found] == [f"{order.order_id}:G1" for order in orders]
    assert (found[0]["owed"], found[0]["amount"]) == ("2.50", "2.50")
    of_b2b = await api.caller("payments:read", channels=["b2b"])
    assert len(await pages(of_b2b, "/v1/refunds/owed")) == 1


async def test_disputes_and_what_companies_told_are_listed(
    api: Api, shop: Shop, caller: Caller
) -> None:
    (order,) = await placed(caller, "web")
    company = Telling(shop.pool)
    await company.tell(
        company.dispute("auth_1", DisputeState.NEEDS_RESPONSE, fee_minor=15_00),
        company.dispute("auth_9", DisputeState.LOST, id="dp_2"),
        company.dispute("auth_1", DisputeState.LOST, id="dp_3", currency="XYZ"),
    )
    await company.worked_through()

    async def worked_through() -> bool:
        return len(await shop.payments.disputes()) == 2

    await shop.until(worked_through, "the relay works through what was told")
    found = await pages(caller, "/v1/disputes")
    assert {(one["dispute_id"], one["order_id"]) for one in found} == {
        ("dp_1", order.order_id),
        ("dp_2", None),
    }
    (open_one,) = await pages(caller, "/v1/disputes", open=True)
    assert (open_one["amount"], open_one["fee"], open_one["state"]) == (
        "10.00",
        "15.00",
        "needs_response",
    )
    assert await pages(caller, "/v1/disputes", order_id=order.order_id) == [open_one]
    of_web = await api.caller("payments:read", channels=["web"])
    assert await pages(of_web, "/v1/disputes") == [open_one]
    of_b2b = await api.caller("payments:read", channels=["b2b"])
    assert await pages(of_b2b, "/v1/disputes") == []
    not_mine = await of_b2b.get("/v1/disputes", params={"order_id": order.order_id})
    problem(not_mine, 404, "not_found")

    events = await pages(caller, "/v1/provider-events")
    assert {one["event_id"] for one in events} == {"evt_1", "evt_2", "evt_3"}
    (failed,) = await pages(caller, "/v1/provider-events", failed=True)
    assert "XYZ" in failed["last_error"]
    assert "body" not in failed
    problem(await of_web.get("/v1/provider-events"), 403, "restricted_key")


async def test_credit_is_given_once_shown_and_pays_an_order(shop: Shop, caller: Caller) -> None:
    first = await caller.send_once("/v1/credit", GRANT, key="k")
    assert (first.status_code, first.json()["available"]) == (201, "25.00")
    again = await caller.send_once("/v1/credit", GRANT, key="k")
    assert (again.json(), again.headers["idempotent-replayed"]) == (first.json(), "true")
    other = await caller.send_once("/v1/credit", GRANT | {"amount": "26.00"}, key="k")
    problem(other, 422, "key_reused")
    (account,) = await pages(caller, "/v1/credit", customer="kim@example.com")
    assert account == first.json()
    order = an_order(
        ("TEA", 1, "10.00"),
        payment={"provider": "store_credit", "token": account["account_id"]},
    )
    await caller.placed(order)
    path = f"/v1/credit/{account['account_id']}/operations"
    told = await pages(caller, path)
    assert [(one["kind"], one["amount"]) for one in told] == [
        ("authorize", "15.00"),
        ("issue", "25.00"),
    ]
    (account,) = await pages(caller, "/v1/credit", customer="kim@example.com")
    assert (account["balance"], account["available"]) == ("25.00", "10.00")
    assert await pages(caller, "/v1/credit", customer="nobody") == []
    # The customer stands in no answer that is kept for a repeat.
    kept = await shop.pool.fetchval("select string_agg(t::text, ' ') from request_key t")
    assert "kim@example.com" not in kept


async def test_credit_goes_to_the_account_of_whoever_is_named(caller: Caller) -> None:
    kim = {"id": "K-1", "name": "Kim", "email": "mail@example.com"}
    await caller.placed(an_order(("TEA", 1, "10.00"), customer=kim))
    before = await caller.send_once("/v1/credit", GRANT | {"customer": "old-system"})
    for named in ("K-1", "C1", "MAIL@example.com"):
        await caller.send_once("/v1/credit", GRANT | {"customer": named})
    (account,) = await pages(caller, "/v1/credit", customer="C1")
    assert account["balance"] == "75.00"
    assert await pages(caller, "/v1/credit", customer="K-1") == [account]
    # One may have credit before the first order: the old system's customers had.
    (kept,) = await pages(caller, "/v1/credit", customer="old-system")
    assert kept["account_id"] == before.json()["account_id"] != account["account_id"]


async def test_credit_is_of_a_seller_and_seen_by_its_keys_alone(api: Api, caller: Caller) -> None:
    await caller.put("/v1/sellers/main", json={"name": "Main"})
    await caller.put("/v1/sellers/de", json={"name": "Tee GmbH"})
    problem(await caller.send_once("/v1/credit", GRANT, key="k"), 422, "invalid_input")
    main = await caller.send_once("/v1/credit", GRANT | {"seller": "main"}, key="k")
    assert main.status_code == 201
    of_de = await api.caller("payments:read", "payments:write", sellers=["de"])
    of_web = await api.caller("payments:read", "payments:write", channels=["web"])
    for content in (GRANT, GRANT | {"seller": "main"}, GRANT | {"seller": "none"}):
        problem(await of_de.send_once("/v1/credit", content), 404, "not_found")
    mine = await of_de.send_once("/v1/credit", GRANT | {"seller": "de"})
    assert mine.status_code == 201
    assert await pages(of_de, "/v1/credit", customer="kim@example.com") == [mine.json()]
    both = await pages(caller, "/v1/credit", customer="kim@example.com")
    assert [one["seller"] for one in both] == ["de", "main"]
    path = f"/v1/credit/{main.json()['account_id']}/operations"
    problem(await of_de.get(path), 404, "not_found")
    problem(await of_web.get(path), 404, "not_found")
    problem(await caller.get("/v1/credit/none/operations"), 404, "not_found")
    assert await pages(of_web, "/v1/credit", customer="kim@example.com") == []
    problem(await of_web.send_once("/v1/credit", GRANT), 403, "restricted_key")


@pytest.mark.parametrize(
    "content",
    [
        {},
        GRANT | {"amount": "0.00"},
        GRANT | {"amount": "-1.00"},
        GRANT | {"amount": 25},
        GRANT | {"amount": "1.001"},
        GRANT | {"amount": "99999999999999.00"},
        GRANT | {"amount": "1e3"},
        GRANT | {"currency": "XQX"},
        GRANT | {"customer": ""},
        GRANT | {"customer": "a\x00b"},
        GRANT | {"customer": "x" * 201},
        GRANT | {"reason": ""},
        GRANT | {"reason": "x" * 501},
        GRANT | {"seller": "Main"},
        GRANT | {"by": "\x00"},
        GRANT | {"who": "ann"},
    ],
)
async def test_odd_credit_is_refused_and_the_key_is_free(
    caller: Caller, content: dict[str, Any]
) -> None:
    problem(await caller.send_once("/v1/credit", content, key="k"), 422, "invalid_input")
    assert (await caller.send_once("/v1/credit", GRANT, key="k")).status_code == 201


async def test_odd_questions_and_missing_scopes(api: Api, caller: Caller) -> None:
    for path, asked in (
        ("payments/unsettled", {"limit": -1}),
        ("refunds/owed", {"cursor": "\N{SNOWMAN}"}),
        ("disputes", {"open": "perhaps"}),
        ("disputes", {"order_id": "x" * 400}),
        ("credit", {}),
        ("credit", {"customer": ""}),
        ("credit", {"customer": "\x00"}),
    ):
        problem(await caller.get(f"/v1/{path}", params=asked), 422, "invalid_input")
    nobody = await api.caller("orders:read")
    for path in ("payments/unsettled", "refunds/owed", "disputes", "provider-events", "credit"):
        answer = await nobody.get(f"/v1/{path}", params={"customer": "x"})
        problem(answer, 403, "missing_scope")
    problem(await nobody.send_once("/v1/credit", GRANT), 403, "missing_scope")


async def test_the_books_of_a_day_with_credit_are_clean(shop: Shop, caller: Caller) -> None:
    account = (await caller.send_once("/v1/credit", GRANT)).json()["account_id"]
    order = an_order(("TEA", 1, "10.00"), payment={"provider": "store_credit", "token": account})
    assert (await caller.send_once("/v1/orders", sent(order))).status_code == 201
    await shop.finish(order.order_id)
    await shop.settled()
