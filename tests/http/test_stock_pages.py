"""Stock on screens: what runs out, what must be bought by when, and all of one item."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import httpx
import pytest

from domain.purchasing.purchase_orders import PurchasingPolicy, SupplierItem
from domain.stock.items import Item
from domain.stock.stock_levels import StockLevels
from starter.service.service import Records
from store.database import Pool
from tests.support.bench import Bench
from tests.support.builders import an_order
from tests.support.desk import Desk, text_of

INJECTED: Final = '"><img src=x onerror=alert(1)>{{7*7}}'
TODAY: Final = datetime.now(UTC).date()
PAGES: Final = ("app/stock", "app/purchases/proposals")
FORMS: Final = ("app/purchases/proposals", "app/purchases/PO-1/change")


def terms(sku: str = "TEA", **changes: Any) -> SupplierItem:
    usual: dict[str, Any] = {
        "supplier": "assam",
        "name": "Assam Gardens",
        "sku": sku,
        "lead_time_days": 3,
        "unit_price": "2.50",
        "currency": "EUR",
        "minimum": 4,
        "multiple": 2,
    }
    return SupplierItem.model_validate({**usual, **changes})


@pytest.fixture
async def bench(pool: Pool) -> Bench:
    """TEA: 2 of 10 are sold at main, on its first day; 5 lie in the shop."""
    bench = Bench(pool)
    await bench.stocked("TEA", 10)
    await bench.stocked("TEA", 5, "shop")
    await bench.stocked("CUP", 7)
    await bench.catalogue.set_items(
        [Item(sku="TEA", name="Assam tea"), Item(sku="CUP", name=INJECTED)]
    )
    await bench.reserve(an_order(("TEA", 2)))
    await bench.purchasing.set_terms([terms()])
    await bench.purchasing.measure_demand()
    return bench


@pytest.fixture
async def desk(bench: Bench) -> Desk:
    return await Desk(bench.pool).signed_in("anna", "buyer")


async def proposed(bench: Bench, units: int = 20) -> str:
    """A purchase order above the limit."""
    buying = Records(bench.pool, purchasing=PurchasingPolicy(approve_up_to={"EUR": Decimal(10)}))
    return await buying.purchasing.propose(
        "assam", "main", {"TEA": units}, who="orderloom", why="TEA at 3, to be ordered at 5"
    )


async def test_the_first_to_run_out_comes_first(bench: Bench, desk: Desk) -> None:
    level = StockLevels(sku="CUP", location="main", reorder_point=9, order_up_to=20)
    await bench.stock.set_levels([level])
    page = await desk.get("/app/stock")
    told = text_of(page)
    assert told.index("TEA") < told.index("CUP")
    for part in ("Assam tea", "in 4 days", "10 on hand, of them 2 allocated", "low"):
        assert part in page.text, part
    assert "<img src=x" not in page.text
    assert "&lt;img src=x onerror=alert(1)&gt;{{7*7}}" in page.text
    out = (TODAY + timedelta(days=4)).isoformat()
    for query, found in (
        *(("q=te", "TEA"), ("q=assam", "TEA"), ("location=shop", "TEA"), ("low=1", "CUP")),
        *((f"out={out}", "TEA"), (f"after={out}~main~TEA", "CUP"), ("after=odd&out=x", "TEA")),
    ):
        assert f">{found}</a>" in (await desk.get(f"/app/stock?{query}")).text, query
    for query in ("q=nothing", f"out={TODAY.isoformat()}", "after=never~shop~TEA"):
        assert "No stock matches" in text_of(await desk.get(f"/app/stock?{query}")), query


async def test_what_must_be_bought_says_why_what_it_costs_and_by_when(
    bench: Bench, desk: Desk
) -> None:
    day = TODAY + timedelta(days=1)
    page = await desk.get(f"/app/purchases/proposals?by={day.isoformat()}")
    assert "Nothing waits for approval" in text_of(page)
    assert "€10.00" in text_of(page)  # 4 at 2.50: the supplier's least
    assert "sku=TEA&amp;units=4" in page.text
    none = await desk.get(f"/app/purchases/proposals?by={TODAY.isoformat()}")
    assert "Nothing else has to be ordered" in text_of(none)
    po_id = await proposed(bench)
    page = await desk.get(f"/app/purchases/proposals?by={day.isoformat()}")
    told = text_of(page)
    for part in (po_id, "€50.00", "TEA at 3, to be ordered at 5", "Order by", "in all"):
        assert part in told, part
    assert "sku=TEA&amp;units=4" not in page.text  # it is proposed


async def test_a_proposal_is_changed_before_it_is_approved(bench: Bench, desk: Desk) -> None:
    po_id = await proposed(bench)
    path = f"app/purchases/{po_id}/change"
    sent = {"request_id": "desk-1-1-change", "why": "a small shelf"}
    odd = await desk.send_form(path, **sent, **{"units:TEA": "5"})
    assert (odd.status_code, "in multiples of 2" in text_of(odd)) == (422, True)
    for _ in range(2):
        done = await desk.send_form(path, **sent, **{"units:TEA": "8"})
        assert "The units are changed" in text_of(done)
    assert "TEA 20 → 8: a small shelf" in text_of(done)
    assert "Approve it for €20.00" in text_of(done)


async def test_nothing_ticked_is_said_and_what_is_ticked_gets_a_result_each(
    bench: Bench, desk: Desk
) -> None:
    none = await desk.send_form("app/purchases/proposals")
    assert (none.status_code, "Tick what is to be approved" in text_of(none)) == (422, True)
    po_id = await proposed(bench)
    ticked = [f"{po_id}~0.proposed", "PO-none~1.proposed"]
    told = text_of(await desk.send_form("app/purchases/proposals", po=ticked))
    assert f"{po_id} : It has changed since you opened this page" in told
    assert "there is no purchase order PO-none" in told


async def test_somebody_for_one_location_sees_its_stock_alone(bench: Bench) -> None:
    po_id = await proposed(bench)
    desk = await Desk(bench.pool).signed_in("ben", "buyer", locations=["shop"])
    page = await desk.get("/app/stock")
    assert ("shop" in text_of(page), "main" in text_of(page)) == (True, False)
    assert po_id not in (await desk.get("/app/purchases/proposals")).text
    refused = await desk.send_form(f"app/purchases/{po_id}/change", **{"units:TEA": "8"})
    assert refused.status_code == 404


async def test_nobody_comes_here_who_may_not(pool: Pool) -> None:
    desk = Desk(pool)
    asked = [(path, False) for path in PAGES] + [(path, True) for path in FORMS]

    async def ask(path: str, form: bool) -> httpx.Response:
        return await (desk.send_form(path) if form else desk.get(f"/{path}"))

    for path, form in asked:
        assert (await ask(path, form)).url.path == "/app/sign-in", path
    await desk.signed_in("ben", "accountant")
    for path, form in asked:
        answer = await ask(path, form)
        assert (answer.status_code, "It takes: " in text_of(answer)) == (403, True), path
        if form:
            foreign = await desk.post(f"/{path}", headers={"Sec-Fetch-Site": "cross-site"})
            assert (foreign.status_code, "another site" in text_of(foreign)) == (403, True), path
