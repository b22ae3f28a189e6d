"""Forms take amounts as the reader's language writes them, and show them like that."""

from __future__ import annotations

import re

import httpx
import pytest

from store.database import Pool
from tests.http.test_setup_pages import lane, saved
from tests.support.bench import Bench
from tests.support.builders import an_order
from tests.support.desk import Desk, text_of

TWO_WAYS = "auf zwei Arten lesen"


@pytest.fixture
async def bench(pool: Pool) -> Bench:
    bench = Bench(pool)
    await bench.stocked("TEA", 100)
    return bench


@pytest.fixture
async def desk(bench: Bench) -> Desk:
    return await Desk(bench.pool).signed_in("anna", language="de")


def box_of(answer: httpx.Response, name: str) -> str:
    """A box that somebody can type into."""
    found = re.findall(rf'<input[^>]*name="{re.escape(name)}"[^>]*>', answer.text)
    (tag,) = (one for one in found if 'type="hidden"' not in one)
    return str(tag)


def value_of(answer: httpx.Response, name: str) -> str:
    """What stands in a box."""
    tag = box_of(answer, name)
    (value,) = re.findall(r' value="([^"]*)"', tag)
    return str(value)


async def foretold(desk: Desk, path: str, **fields: str) -> httpx.Response:
    page = await desk.get(f"/{path}")
    (version,) = re.findall(r'name="version" value="([^"]*)"', page.text)
    return await desk.send_form(path, version=version, request_id="r1", go="preview", **fields)


async def test_a_voucher_and_credit_are_given_in_the_form_of_the_language(
    bench: Bench, desk: Desk
) -> None:
    await bench.take_in(an_order(("TEA", 1, "10.00"), customer={"id": "C-1", "name": "Kim"}))
    path = "app/money/vouchers/new"
    page = await desk.get(f"/{path}")
    assert "Zum Beispiel 25,00" in text_of(page)
    said = {"kind": "voucher", "currency": "EUR", "reason": "sorry", "request_id": "r1"}
    unclear = await desk.send_form(path, **said, amount="1.234")
    assert (unclear.status_code, TWO_WAYS in text_of(unclear)) == (422, True)
    assert value_of(unclear, "amount") == "1.234"
    assert not await desk.here.vouchers.list()
    made = await desk.send_form(path, **said, amount="1.234,50")
    assert made.status_code == 200, text_of(made)
    (kept,) = await desk.here.vouchers.list()
    assert kept.issued_minor == 123450
    wrong = await desk.send_form(
        "app/money/credit", customer="C-1", amount="12,5,0", currency="EUR", reason="sorry"
    )
    assert (wrong.status_code, "wie 12,50" in text_of(wrong)) == (422, True)
    gift = {"customer": "C-1", "amount": "12,50", "currency": "EUR", "reason": "sorry"}
    await desk.send_form("app/money/credit", request_id="r2", **gift)
    (account,) = await desk.here.credit.accounts("C-1", sellers=None, at_most=9)
    assert account.balance_minor == 1250


async def test_the_forms_of_an_order_take_and_show_it_too(bench: Bench, desk: Desk) -> None:
    order = an_order(("TEA", 2, "1234.50"), channel_order_id="sums")
    await bench.charged(await bench.at(order, "delivered"))
    path = f"app/orders/{order.order_id}/goodwill"
    shown = await foretold(desk, path, amount="12,50", reason="sorry")
    assert (shown.status_code, "12,50\xa0$" in shown.text) == (200, True), text_of(shown)
    unclear = await foretold(desk, path, amount="12.500", reason="sorry")
    assert unclear.status_code == 422
    assert f"Betrag: Das lässt sich {TWO_WAYS}" in text_of(unclear)


async def test_an_edit_shows_prices_like_that_and_asks_for_none_that_stays(
    bench: Bench, desk: Desk
) -> None:
    order = an_order(("TEA", 2, "1234.50"), channel_order_id="edited")
    await bench.at(order, "confirmed")
    path = f"app/orders/{order.order_id}/edit"
    page = await desk.get(f"/{path}")
    assert value_of(page, "line:1:unit_price") == "1234,50"
    same = {"line:1:unit_price": "1234,50", "line:1:discount": "0,00", "reason": "called"}
    unchanged = await foretold(desk, path, **{**same, "line:1:discount": "0"})
    assert "1234,50" in unchanged.text
    assert unchanged.status_code == 422, text_of(unchanged)
    changed = await foretold(desk, path, **{"line:1:unit_price": "1.200,25", "reason": "called"})
    assert changed.status_code == 200, text_of(changed)
    unclear = await foretold(desk, path, **{"line:1:unit_price": "1.200", "reason": "called"})
    assert (unclear.status_code, TWO_WAYS in text_of(unclear)) == (422, True)
    assert 'aria-invalid="true"' in box_of(unclear, "line:1:unit_price")


async def test_set_up_and_buying_take_and_show_it_too(bench: Bench, desk: Desk) -> None:
    made = await saved(
        *(desk, "app/setup/rules/new"),
        rule="dear",
        reason="fraud_review",
        when__amount_over__amount="1.500,50",
        when__amount_over__currency="EUR",
    )
    assert made.status_code == 200, text_of(made)
    page = await desk.get("/app/setup/rules/dear")
    assert value_of(page, "when.amount_over.amount") == "1500,50"
    (main, *_) = await desk.here.locations.list("main")
    price = {"country": "DE", "service": "*", "cost": "4,90", "currency": "EUR"}
    place = f"app/setup/locations/{main.location}"
    done = await saved(*(desk, place), calendar__time_zone="UTC", **lane(len(main.lanes), **price))
    assert done.status_code == 200, text_of(done)
    (now,) = await desk.here.locations.list("main")
    assert "4.90" in {str(one.cost) for one in now.lanes}
    assert 'value="4,90"' in (await desk.get(f"/{place}")).text
    terms = {"supplier": "assam", "sku": "TEA", "unit_price": "0,125", "currency": "EUR"}
    bought = await desk.send_form("app/suppliers", **terms, lead_time_days="3")
    assert bought.status_code == 200, text_of(bought)
    (item,) = await bench.purchasing.terms(supplier="assam")
    assert str(item.unit_price) == "0.125"
    assert value_of(await desk.get("/app/suppliers/assam?sku=TEA"), "unit_price") == "0,125"


async def test_a_list_is_filtered_by_amounts_and_its_addresses_are_for_everybody(
    bench: Bench, desk: Desk
) -> None:
    order = an_order(("TEA", 2, "1234.50"), channel_order_id="dear")
    await bench.at(order, "confirmed")
    query = "currency=USD&total_from=1.234,50&total_to=1.234"
    found = await desk.get(f"/app/orders?{query}")
    assert order.order_id in found.text
    assert value_of(found, "total_from") == "1234,50"
    assert "„Summe bis“" in text_of(found)  # It can be read in two ways.
    assert "total_from=1234.50" in found.text.replace("&amp;", "&")
    fine = await desk.get("/app/orders?currency=KWD&total_from=1,234")
    assert "total_from=1.2340" in fine.text
    assert value_of(fine, "total_from") == "1,2340"


async def test_a_claim_at_a_carrier_asks_what_is_meant(bench: Bench, desk: Desk) -> None:
    order = an_order(("TEA", 2, "10.00"), channel_order_id="lost")
    await bench.at(order, "shipped")
    part = f"{order.order_id}:1"
    unclear = await desk.send_form(f"app/money/claims/{part}/file", amount="1.234", reference="K")
    assert (unclear.status_code, TWO_WAYS in text_of(unclear)) == (422, True)
