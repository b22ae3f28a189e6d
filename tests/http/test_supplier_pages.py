"""Suppliers on screens: how well they keep their word, and their terms."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx
import pytest

from domain.calendars import WEEKDAYS
from domain.purchasing.purchase_orders import OnOrder, SupplierItem
from domain.stock.locations import Location
from store.database import Pool
from tests.support.bench import Bench
from tests.support.desk import Desk, text_of

INJECTED: Final = '"><img src=x onerror=alert(1)>{{7*7}}'
TODAY: Final = datetime.now(UTC).date()


def terms(sku: str = "TEA", **changes: Any) -> SupplierItem:
    usual: dict[str, Any] = {
        "supplier": "assam",
        "name": "Assam Gardens",
        "sku": sku,
        "lead_time_days": 7,
        "unit_price": "2.50",
        "currency": "EUR",
        "minimum": 12,
        "multiple": 6,
    }
    return SupplierItem.model_validate({**usual, **changes})


@pytest.fixture
async def bench(pool: Pool) -> Bench:
    """One order that came in time with two units short, and one that is late."""
    bench = Bench(pool)
    await bench.stocked("TEA", 5)
    await bench.purchasing.set_terms([terms()])
    for days, units in ((2, 20), (-3, 30)):
        due_on = (TODAY + timedelta(days=days)).isoformat()
        row = {"supplier": "assam", "sku": "TEA", "location": "main", "quantity": units}
        entered = [OnOrder.model_validate({**row, "due_on": due_on})]
        (po_id,) = await bench.purchasing.enter(entered, who="test", why="ordered before")
        if days > 0:
            await bench.purchasing.receive(
                po_id, "1", {"TEA": 18}, rest_is_cancelled=True, who="dock"
            )
    return bench


@pytest.fixture
async def desk(bench: Bench) -> Desk:
    return await Desk(bench.pool).signed_in("anna", "buyer")


def version(page: str) -> str:
    (found,) = re.findall(r'name="version" value="([^"]*)"', page)
    return html.unescape(str(found))


async def test_a_supplier_is_known_by_how_it_keeps_its_word(desk: Desk) -> None:
    for path in ("/app/suppliers", "/app/suppliers/assam?days=30", "/app/suppliers/assam?days=x"):
        told = text_of(await desk.get(path))
        for part in ("Assam Gardens", "50 %", "7 days"):
            assert part in told, (path, part)
    assert "1 of 2 lines" in told
    assert "2 of 50, 4 %" in told
    assert "Lines on time, by month of the order" in told
    assert "Nothing was ordered" not in told
    none = await desk.get("/app/suppliers/none")
    assert none.status_code == 404


async def test_terms_are_set_and_never_over_somebody_elses(bench: Bench, desk: Desk) -> None:
    page = (await desk.get("/app/suppliers/assam?sku=TEA")).text
    assert 'name="unit_price" type="text" value="2.50"' in page
    sent = {
        "sku": "TEA",
        "unit_price": "2.75",
        "currency": "EUR",
        "lead_time_days": "9",
        "minimum": "6",
        "multiple": "6",
        "version": version(page),
    }
    wrong = await desk.send_form("app/suppliers/assam", **{**sent, "unit_price": "x"})
    assert (wrong.status_code, 'value="x"' in wrong.text) == (422, True)
    done = await desk.send_form("app/suppliers/assam", **sent)
    assert "The terms are set" in text_of(done)
    (kept,) = await bench.purchasing.terms(supplier="assam")
    assert (str(kept.unit_price), kept.lead_time_days, kept.minimum) == ("2.75", 9, 6)
    stale = await desk.send_form("app/suppliers/assam", **{**sent, "unit_price": "3"})
    assert (stale.status_code, "somebody has changed these terms" in text_of(stale)) == (422, True)


async def test_a_new_supplier_is_made_by_its_first_terms(bench: Bench, desk: Desk) -> None:
    sent = {
        "supplier": "potter",
        "name": INJECTED,
        "sku": "POT",
        "unit_price": "0.125",
        "currency": "EUR",
        "lead_time_days": "3",
    }
    done = await desk.send_form("app/suppliers", **sent)
    assert done.url.path == "/app/suppliers/potter"
    for path in ("/app/suppliers/potter", "/app/suppliers"):
        page = (await desk.get(path)).text
        assert "<img src=x" not in page
        assert "&lt;img src=x onerror=alert(1)&gt;{{7*7}}" in page
    again = await desk.send_form("app/suppliers", **sent)
    assert (again.status_code, "sells this item already" in text_of(again)) == (422, True)
    few = await desk.send_form("app/suppliers", supplier="x")
    assert few.status_code == 422
    behind = text_of(await desk.get("/app/suppliers?after=assam"))
    assert ("potter" in behind, "assam" in behind) == (True, False)


async def test_figures_of_other_locations_are_not_counted(bench: Bench) -> None:
    desk = await Desk(bench.pool).signed_in("ben", "buyer", locations=["main"])
    assert "1 of 2 lines" in text_of(await desk.get("/app/suppliers/assam"))
    await bench.stocked("TEA", 1, "shop")
    other = await Desk(bench.pool).signed_in("cy", "buyer", locations=["shop"])
    told = text_of(await other.get("/app/suppliers/assam"))
    assert ("Nothing was ordered" in told, "0 open purchase orders" in told) == (True, True)


async def test_a_days_end_and_a_day_off_are_those_of_the_location(bench: Bench, desk: Desk) -> None:
    """18 came at 8 in the evening of their last day in New York; 30 are due on its day off."""
    async with bench.pool.acquire() as conn:
        await conn.execute("alter table purchase_order_event disable trigger user")
        await conn.execute(
            """update purchase_order_event set at = (current_date + time '01:00') at time zone 'UTC'
               where effect like 'receive:%'"""
        )
        await conn.execute("update purchase_order_line set due_on = current_date - 1")
    assert "0 of 2 lines" in text_of(await desk.get("/app/suppliers/assam"))
    place = {"location": "main", "calendar": {"time_zone": "America/New_York"}}
    await bench.locations.save([Location.model_validate(place)])
    assert "1 of " in text_of(await desk.get("/app/suppliers/assam"))
    days = [one for one in WEEKDAYS if one != WEEKDAYS[(TODAY - timedelta(days=1)).weekday()]]
    place["calendar"] = {"working_days": days}
    await bench.locations.save([Location.model_validate(place)])
    assert "1 of 1 line" in text_of(await desk.get("/app/suppliers/assam"))
    assert "No purchase order matches" in text_of(await desk.get("/app/purchases?late=1"))


async def test_many_lines_of_one_supplier_hide_nobody_elses(bench: Bench) -> None:
    await bench.purchasing.set_terms([terms(supplier="potter")])
    row = {"supplier": "potter", "sku": "TEA", "location": "main", "quantity": 6}
    entered = [OnOrder.model_validate({**row, "due_on": TODAY.isoformat()})]
    await bench.purchasing.enter(entered, who="test", why="ordered before")
    since = TODAY - timedelta(days=1)
    found = await bench.purchasing.bought_lines(["assam", "potter"], since=since, at_most=1)
    assert [line.supplier for line in found] == ["potter", "assam"]


async def test_nobody_comes_here_who_may_not(pool: Pool) -> None:
    desk = Desk(pool)
    asked = [(path, form) for path in ("app/suppliers", "app/suppliers/x") for form in (0, 1)]

    async def ask(path: str, form: int) -> httpx.Response:
        return await (desk.send_form(path) if form else desk.get(f"/{path}"))

    for path, form in asked:
        assert (await ask(path, form)).url.path == "/app/sign-in", path
    await desk.signed_in("ben", "agent")
    for path, form in asked:
        answer = await ask(path, form)
        assert (answer.status_code, "purchasing:" in text_of(answer)) == (403, True), path
        if form:
            foreign = await desk.post(f"/{path}", headers={"Sec-Fetch-Site": "cross-site"})
            assert (foreign.status_code, "another site" in text_of(foreign)) == (403, True), path
    reader = await Desk(pool, desk.app).signed_in("lea", "accountant")
    assert "A new supplier" not in text_of(await reader.get("/app/suppliers"))
