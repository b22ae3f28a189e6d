"""Purchase orders on screens: found, decided about, reported, and bought by hand."""

from __future__ import annotations

import asyncio
import html
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import httpx
import pytest

from domain.errors import Refused
from domain.purchasing.purchase_orders import OnOrder, SupplierItem
from starter.web.buying.asked import friday
from store.database import Pool
from store.edi import bills
from tests.support import printed
from tests.support.api import Api
from tests.support.bench import Bench
from tests.support.desk import Desk, text_of
from tests.support.shop import Shop

INJECTED: Final = '"><img src=x onerror=alert(1)>{{7*7}}'
PAGES: Final = (
    "app/purchases",
    "app/purchases/new",
    "app/purchases/PO-1",
    "app/purchases/PO-1/850",
    "app/purchases/PO-1/pdf",
)
FORMS: Final = (
    "app/purchases/new",
    *(
        f"app/purchases/PO-1/{act}"
        for act in ("approve", "cancel", "acknowledge", "agree", "ship", "receive", "refuse")
    ),
    "app/purchases/PO-1/documents/1",
)
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


def on_order(units: int = 24, *, days: int = 3, place: str = "main") -> OnOrder:
    due_on = TODAY + timedelta(days=days)
    return OnOrder.model_validate(
        {
            "supplier": "assam",
            "sku": "TEA",
            "location": place,
            "quantity": units,
            "due_on": due_on.isoformat(),
        }
    )


@pytest.fixture
async def bench(pool: Pool) -> Bench:
    bench = Bench(pool)
    for place in ("main", "shop"):
        await bench.stock.receive(
            *(f"first-{place}", "TEA", place, 5), new_location=True, who="test", why="test"
        )
    await bench.purchasing.set_terms([terms(), terms("POT", unit_price="0.125")])
    return bench


@pytest.fixture
async def desk(bench: Bench) -> Desk:
    return await Desk(bench.pool).signed_in("anna", "buyer")


async def entered(bench: Bench, *rows: OnOrder) -> str:
    (po_id,) = await bench.purchasing.enter(rows, who="test", why="ordered before")
    return po_id


def hidden(page: str, path: str) -> dict[str, str]:
    (found,) = re.findall(rf'method="post" action="[^"]*/{path}">(.*?)</form>', page, re.DOTALL)
    fields = re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', found)
    return {name: html.unescape(value) for name, value in fields}


async def done(desk: Desk, po_id: str, act: str, **fields: str) -> httpx.Response:
    """Open the page, fill a form in, and send it. `units__TEA` is the field units:TEA."""
    page = (await desk.get(f"/app/purchases/{po_id}")).text
    named = {name.replace("__", ":"): value for name, value in fields.items()}
    return await desk.send_form(f"app/purchases/{po_id}/{act}", **hidden(page, act), **named)


async def test_the_list_says_who_is_late_and_what_comes_by_friday(bench: Bench, desk: Desk) -> None:
    late = await entered(bench, on_order(24, days=-10))
    soon = await entered(bench, on_order(36, days=2, place="shop"))
    page = text_of(await desk.get("/app/purchases"))
    assert page.index(soon) < page.index(late)
    assert "working days late" in page
    assert "0 of 36" in page
    assert "€60.00" in page
    only = text_of(await desk.get("/app/purchases?late=1"))
    assert (late in only, soon in only) == (True, False)
    by = (TODAY - timedelta(days=1)).isoformat()
    assert soon not in text_of(await desk.get(f"/app/purchases?due={by}"))
    for query in ("state=closed", "supplier=none", "sku=NONE", "before=1"):
        assert "No purchase order matches" in text_of(await desk.get(f"/app/purchases?{query}"))
    for query in ("state=odd", "due=odd", "before=odd", "state=all", "sku=TEA&supplier=assam"):
        assert late in text_of(await desk.get(f"/app/purchases?{query}")), query


async def test_each_page_leads_to_the_others_and_to_what_is_due_by_friday(
    bench: Bench, desk: Desk
) -> None:
    await entered(bench, on_order(24, days=-10))
    far = await entered(bench, on_order(36, days=20))
    elsewhere = await entered(bench, on_order(12, days=-10, place="shop"))
    week = friday(TODAY).isoformat()
    paths = ("", "/proposals", "/new", f"/{far}", "/together?of=x")
    for path in (*(f"purchases{one}" for one in paths), "suppliers", "suppliers/assam"):
        page = await desk.get(f"/app/{path}")
        (row,) = re.findall(
            r'<nav class="tabs" aria-label="Pages of.*?</nav>', page.text, re.DOTALL
        )
        told = " ".join(re.sub("<[^>]+>", " ", row).split())
        assert "To buy 0 to approve Purchase orders 3 open Buy by hand Suppliers 1" in told, path
        assert re.search(r"To buy by Fri, [^A]*Arriving by Fri, .* 2$", told), told
        for led in (f"purchases/proposals?by={week}", f"purchases?due={week}"):
            assert f"app/{led}" in row
        assert "aria-current" in row, path
    ben = await Desk(bench.pool).signed_in("ben", "buyer", locations=["shop"])
    assert "Purchase orders 1 open" in text_of(await ben.get(f"/app/purchases/{elsewhere}"))


def test_a_week_ends_on_friday() -> None:
    monday = TODAY - timedelta(days=TODAY.weekday())
    days = [friday(monday + timedelta(days=n)) for n in range(7)]
    assert [(day - monday).days for day in days] == [4, 4, 4, 4, 4, 11, 11]


async def test_goods_that_come_are_counted_once_with_what_is_damaged(
    bench: Bench, desk: Desk
) -> None:
    po_id = await entered(bench, on_order(24))
    none = await done(desk, po_id, "receive")
    assert (none.status_code, "Choose how many units" in text_of(none)) == (422, True)
    odd = await done(desk, po_id, "receive", units__TEA="1.5")
    assert (odd.status_code, "Write digits alone" in text_of(odd)) == (422, True)
    many = await done(desk, po_id, "receive", units__TEA="2", damaged__TEA="3")
    assert (many.status_code, "More are damaged than came" in text_of(many)) == (422, True)
    assert 'name="damaged:TEA" type="number" min="0" value="3"' in many.text
    page = (await desk.get(f"/app/purchases/{po_id}")).text
    fields = {**hidden(page, "receive"), "units:TEA": "20", "damaged:TEA": "2"}
    both = await asyncio.gather(
        *(desk.send_form(f"app/purchases/{po_id}/receive", **fields) for _ in range(2))
    )
    assert all("The goods are in stock" in text_of(one) for one in both)
    assert await bench.level("TEA") == (23, 0)
    over = await done(desk, po_id, "receive", units__TEA="9")
    assert (over.status_code, "more may, tolerance included" in text_of(over)) == (409, True)
    rest = await done(desk, po_id, "receive", units__TEA="1", rest_is_cancelled="1")
    assert "The goods are in stock" in text_of(rest)
    told = text_of(rest)
    assert "the rest was cancelled Anna (anna)" in told
    (line,) = (await bench.purchasing.order(po_id)).lines
    assert (line.received, line.cancelled, line.outstanding) == (21, 3, 0)


async def test_what_the_supplier_says_is_noted_under_ones_name(bench: Bench, desk: Desk) -> None:
    po_id = await entered(bench, on_order(24))
    wrong = await done(desk, po_id, "acknowledge", due_on="soon")
    assert (wrong.status_code, "A day is wrong" in text_of(wrong)) == (422, True)
    due = (TODAY + timedelta(days=20)).isoformat()
    answer = await done(desk, po_id, "acknowledge", units__TEA="18", due_on=due)
    assert "The supplier's answer is noted" in html.unescape(text_of(answer))
    sent = await done(desk, po_id, "ship", units__TEA="12")
    assert "on its way" in text_of(sent)
    half = await done(desk, po_id, "ship", units__TEA="6", carrier="DHL")
    assert (half.status_code, "write both, or neither" in text_of(half)) == (422, True)
    (line,) = (await bench.purchasing.order(po_id)).lines
    assert (line.acknowledged, line.shipped, line.due_on.isoformat()) == (18, 12, due)
    story = await bench.purchasing.story(po_id)
    assert [(event.what, event.who) for event in story[1:]] == [
        ("acknowledged", "Anna (anna)"),
        ("shipped", "Anna (anna)"),
    ]
    no = await done(desk, po_id, "refuse", why=" ")
    assert no.status_code == 422
    refused = await done(desk, po_id, "refuse", why="out of production")
    assert "It is noted that the supplier refuses" in text_of(refused)
    assert (await bench.purchasing.order(po_id)).outstanding == 0


async def test_one_that_came_in_part_says_so_and_nothing_that_its_supplier_never_told(
    bench: Bench, desk: Desk
) -> None:
    po_id = await entered(bench, on_order(120))
    await bench.purchasing.receive(po_id, "dock", {"TEA": 100}, who="the dock")
    page = text_of(await desk.get(f"/app/purchases/{po_id}"))
    assert "State partly received" in page
    assert "on its way" not in page
    # Ordered, acknowledged, shipped, received, billed, still to come.
    assert "TEA 120 – – 100 0 20 " in page
    assert "partly received the dock 100 TEA; still to come: 20 TEA" in page
    listed = text_of(await desk.get("/app/purchases"))
    assert f"{po_id} partly received Assam Gardens main 100 of 120" in listed
    assert po_id in text_of(await desk.get("/app/purchases?state=partly_received"))
    for other in ("sent", "acknowledged", "shipped", "received"):
        assert po_id not in text_of(await desk.get(f"/app/purchases?state={other}")), other
    # It is not further on because the supplier says something in between.
    answer = await done(desk, po_id, "acknowledge", units__TEA="120")
    assert "TEA 120 120 – 100 0 20 " in text_of(answer)
    sent = await done(desk, po_id, "ship", units__TEA="20")
    assert "State partly received" in text_of(sent)
    assert "TEA 120 120 20 100 more than was announced 0 20 " in text_of(sent)
    rest = await done(desk, po_id, "receive", units__TEA="12", rest_is_cancelled="1")
    assert "State received" in text_of(rest)
    assert "TEA 120 120 20 112 more than was announced 0 0 8 units do not come" in text_of(rest)


async def test_an_answer_that_differs_is_a_task_until_somebody_agrees(
    bench: Bench, desk: Desk
) -> None:
    async def tasks() -> list[tuple[str, str, str]]:
        return [
            (one.kind, one.subject, one.reason)
            for one in await desk.here.needs_attention.tasks(snoozed=None)
        ]

    po_id = await entered(bench, on_order(24))
    page = text_of(await done(desk, po_id, "acknowledge", units__TEA="24"))
    assert ("not what was ordered" in page, await tasks()) == (False, [])
    page = text_of(await done(desk, po_id, "acknowledge", units__TEA="18"))
    assert "answer is not what was ordered – 18 of 24 TEA" in page
    told = "supplier Assam Gardens answers otherwise: 18 of 24 TEA"
    assert await tasks() == [("purchase_answer", po_id, told)]
    lead = await Desk(bench.pool).signed_in("kim", "admin")
    listed = await lead.get("/app/tasks")
    assert "Agree to it, or cancel the rest" in text_of(listed)
    assert f"app/purchases/{po_id}" in listed.text
    agreed = await done(desk, po_id, "agree", why="enough for Christmas")
    assert "The answer is agreed to" in text_of(agreed)
    assert "not what was ordered" not in text_of(agreed)
    assert await tasks() == []
    later = (TODAY + timedelta(days=30)).isoformat()
    await done(desk, po_id, "acknowledge", units__TEA="18", due_on=later)
    assert [subject for _, subject, _ in await tasks()] == [po_id]


async def test_one_unit_is_told_as_one(bench: Bench, desk: Desk) -> None:
    po_id = await entered(bench, on_order(1))
    page = text_of(await desk.get(f"/app/purchases/{po_id}"))
    assert "Units that came (1 is expected, at most 1)" in page
    assert "1 unit does not come then. The supplier is told" in page
    more = await entered(bench, on_order(40))
    page = text_of(await desk.get(f"/app/purchases/{more}"))
    assert "Units that came (40 are expected, at most 42)" in page
    assert "40 units do not come then." in page


async def test_nothing_came_where_the_rest_is_given_up_before_anything_did(
    bench: Bench, desk: Desk
) -> None:
    po_id = await entered(bench, on_order(24))
    answer = text_of(await done(desk, po_id, "receive", rest_is_cancelled="1"))
    assert "State sent" in answer
    assert "TEA 24 – – 0 0 0 24 units do not come" in answer


async def test_what_changed_meanwhile_is_told_and_nothing_is_done(bench: Bench, desk: Desk) -> None:
    po_id = await entered(bench, on_order(24))
    page = (await desk.get(f"/app/purchases/{po_id}")).text
    await bench.purchasing.receive(po_id, "dock", {"TEA": 24}, who="the dock")
    sent = {**hidden(page, "receive"), "units:TEA": "24"}
    answer = await desk.send_form(f"app/purchases/{po_id}/receive", **sent)
    assert (answer.status_code, "Nothing was done" in text_of(answer)) == (409, True)
    assert "received – 24 TEA (the dock)" in text_of(answer)
    assert await bench.level("TEA") == (29, 0)


async def test_two_who_count_the_same_delivery_count_it_once(bench: Bench, desk: Desk) -> None:
    po_id = await entered(bench, on_order(24))
    page = (await desk.get(f"/app/purchases/{po_id}")).text
    fields = {**hidden(page, "receive"), "units:TEA": "10"}
    both = await asyncio.gather(
        *(
            desk.send_form(f"app/purchases/{po_id}/receive", **{**fields, "request_id": key})
            for key in ("mine", "yours")
        )
    )
    assert sorted(answer.status_code for answer in both) == [200, 409]
    assert await bench.level("TEA") == (15, 0)


async def test_whoever_receives_goods_does_not_buy(bench: Bench) -> None:
    po_id = await entered(bench, on_order(24))
    desk = await Desk(bench.pool).signed_in("ben", "warehouse")
    told = text_of(await desk.get(f"/app/purchases/{po_id}"))
    assert ("Goods have come" in told, "Cancel it" in told) == (True, False)
    came = await done(desk, po_id, "receive", units__TEA="24")
    assert "The goods are in stock" in text_of(came)
    for path in (*(f"app/purchases/{po_id}/{act}" for act in ("approve", "cancel")), FORMS[0]):
        assert (await desk.send_form(path)).status_code == 403, path


async def test_it_is_bought_by_hand_once(bench: Bench, desk: Desk) -> None:
    form = await desk.get("/app/purchases/new?supplier=assam&sku=TEA&units=24")
    assert 'name="units:TEA" type="number" min="0" value="24"' in form.text
    assert "POT" not in text_of(form)
    fields = {**hidden(form.text, "new"), "location": "main", "why": "for Christmas"}
    few = await desk.send_form("app/purchases/new", **fields, **{"units:TEA": "5"})
    assert (few.status_code, "in multiples of 6" in text_of(few)) == (422, True)
    assert 'value="for Christmas"' in few.text
    for _ in range(2):
        made = await desk.send_form("app/purchases/new", **fields, **{"units:TEA": "24"})
        assert "The purchase order is made" in text_of(made)
    (order,) = await bench.purchasing.orders()
    assert (order.worth.minor, order.location) == (6000, "main")
    assert "850" in (await desk.get(f"/app/purchases/{order.po_id}/850")).text
    paper = (await desk.get(f"/app/purchases/{order.po_id}/pdf")).content
    assert "24" in printed.pages(paper)[0]
    assert printed.barcodes(paper) == [order.po_id]
    nobody = await desk.get("/app/purchases/new?supplier=none")
    assert nobody.status_code == 200


async def test_a_large_one_is_approved_and_cancelled(shop: Shop) -> None:
    await shop.stocked("TEA", 5)
    await shop.purchasing.set_terms([terms()])
    po_id = await shop.purchasing.propose("assam", "main", {"TEA": 4200}, who="x", why="y")
    desk = await Desk(shop.pool, Api(shop).app).signed_in("ben", "buyer")
    for path in (f"/app/purchases/{po_id}", "/app/purchases/proposals"):
        told = text_of(await desk.get(path))
        assert ("above what you may approve" in told, "Approve" in told) == (True, False)
    version = "1.proposed"
    no = await desk.send_form(f"app/purchases/{po_id}/approve", version=version)
    assert (no.status_code, "above what a buyer approves" in text_of(no)) == (409, True)
    no = await desk.send_form("app/purchases/together", po=f"{po_id}~{version}")
    assert "above what a buyer approves" in text_of(no)
    with pytest.raises(Refused, match=r"it costs 10500\.00 EUR, and not 2\.50 EUR"):
        await shop.purchasing.approve(po_id, by="x", seen_minor=250)
    await desk.signed_in("anna", "lead")
    first = text_of(await desk.get(f"/app/purchases/together?po={po_id}~{version}"))
    assert "In all €10,500.00" in first
    page = await desk.get(f"/app/purchases/{po_id}")
    assert "Approve it for €10,500.00" in text_of(page)
    sent = {**hidden(page.text, "approve"), "why": "a good price"}
    both = await asyncio.gather(
        *(desk.send_form(f"app/purchases/{po_id}/approve", **sent) for _ in range(2))
    )
    assert all("It is approved" in text_of(one) for one in both)

    async def is_sent() -> bool:
        return (await shop.purchasing.order(po_id)).state == "sent"

    await shop.until(is_sent, "it is sent")
    assert any(
        (event.what, event.who, event.why) == ("approved", "Anna (anna)", "a good price")
        for event in await shop.purchasing.story(po_id)
    )
    ended = await done(desk, po_id, "cancel", why="by mistake")
    assert "What had not come is cancelled" in text_of(ended)


async def test_somebody_for_one_location_sees_and_buys_for_it_alone(bench: Bench) -> None:
    hers = await entered(bench, on_order(24, place="shop"))
    other = await entered(bench, on_order(36))
    desk = await Desk(bench.pool).signed_in("anna", "buyer", locations=["shop"])
    page = text_of(await desk.get("/app/purchases"))
    assert (hers in page, other in page) == (True, False)
    for path in (f"app/purchases/{other}{part}" for part in ("", "/850", "/pdf")):
        answer = await desk.get(f"/{path}")
        assert (answer.status_code, "no such purchase order" in text_of(answer)) == (404, True)
    refused = await desk.send_form(f"app/purchases/{other}/refuse", why="x")
    assert refused.status_code == 404
    # All levels are also those of other locations.
    assert "app/purchases/replenish" not in (await desk.get("/app/purchases/proposals")).text
    looked = await desk.send_form("app/purchases/replenish")
    assert (looked.status_code, "for all locations" in text_of(looked)) == (422, True)
    form = await desk.get("/app/purchases/new?supplier=assam")
    fields = {**hidden(form.text, "new"), "location": "main", "why": "x", "units:TEA": "12"}
    answer = await desk.send_form("app/purchases/new", **fields)
    assert (answer.status_code, "one of your locations" in text_of(answer)) == (422, True)


async def test_what_people_have_typed_is_shown_as_text(bench: Bench, desk: Desk) -> None:
    po_id = await entered(bench, on_order(24))
    await done(desk, po_id, "refuse", why=INJECTED)
    page = (await desk.get(f"/app/purchases/{po_id}")).text
    assert "<img src=x" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;{{7*7}}" in page


async def test_nobody_comes_here_who_may_not(pool: Pool) -> None:
    desk = Desk(pool)
    asked = [(path, False) for path in PAGES] + [(path, True) for path in FORMS]

    async def ask(path: str, form: bool) -> httpx.Response:
        return await (desk.send_form(path) if form else desk.get(f"/{path}"))

    for path, form in asked:
        assert (await ask(path, form)).url.path == "/app/sign-in", path
    await desk.signed_in("ben", "agent")
    for path, form in asked:
        answer = await ask(path, form)
        assert (answer.status_code, "purchasing:read" in text_of(answer)) == (403, True), path
        if form:
            foreign = await desk.post(f"/{path}", headers={"Sec-Fetch-Site": "cross-site"})
            assert (foreign.status_code, "another site" in text_of(foreign)) == (403, True), path


async def test_a_bill_is_compared_with_what_came_and_with_the_agreed_price(
    bench: Bench, desk: Desk
) -> None:
    po_id = await entered(bench, on_order(24))
    await bench.purchasing.receive(po_id, "1", {"TEA": 20}, who="dock")
    async with bench.pool.acquire() as conn:
        for number, units, total in (("R-1", 20, "50.00"), ("R-2", 4, "11.00")):
            assert await bills.keep(conn, "assam", number, po_id, {"TEA": units}, Decimal(total))
    told = text_of(await desk.get(f"/app/purchases/{po_id}"))
    assert "24 more than came" in told
    assert "R-1 20 × TEA 50.00 EUR 50.00 EUR" in told
    assert "R-2 4 × TEA 11.00 EUR differs 10.00 EUR" in told


async def test_nothing_is_bought_to_be_brought_to_a_suppliers_own_place(
    bench: Bench, desk: Desk
) -> None:
    await bench.stock.receive(
        *("first-there", "TEA", "at-assam", 5), new_location=True, who="test", why="test"
    )
    page = (await desk.get("/app/purchases/new?supplier=assam")).text
    select = page.partition('<select id="location"')[2].partition("</select>")[0]
    assert re.findall(r'<option value="([\w-]+)"', select) == ["main", "shop"]
