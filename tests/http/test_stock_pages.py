"""Stock on screens: what runs out, what must be bought by when, and all of one item."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, cast

import httpx
import pytest

from domain.purchasing.purchase_orders import PurchasingPolicy, SupplierItem
from domain.stock.items import Item
from domain.stock.stock_levels import StockLevels
from starter.service.service import Records, Service
from starter.web.buying.proposals import LISTED
from store.database import Pool
from tests.support.api import Api
from tests.support.bench import Bench
from tests.support.builders import an_order
from tests.support.desk import Desk, text_of
from tests.support.earlier import earlier

INJECTED: Final = '"><img src=x onerror=alert(1)>{{7*7}}'
TODAY: Final = datetime.now(UTC).date()
PAGES: Final = (
    *("app/stock", "app/stock/TEA", "app/transfers", "app/transfers/T-1"),
    *("app/purchases/proposals", "app/purchases/together"),
)
FORMS: Final = (
    *("app/stock/TEA", "app/items/TEA", "app/items", "app/transfers/T-1"),
    *("app/purchases/together", "app/purchases/PO-1/change"),
)


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
    """TEA: 2 of 10 are sold at main, in its first week; 5 lie in the shop."""
    bench = Bench(pool)
    await bench.stocked("TEA", 10)
    await bench.reserve(an_order(("TEA", 2)))
    await earlier(pool, 6)
    await bench.stocked("TEA", 5, "shop")
    await bench.stocked("CUP", 7)
    await bench.catalogue.set_items(
        [Item(sku="TEA", name="Assam tea"), Item(sku="CUP", name=INJECTED)]
    )
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
    for part in ("Assam tea", "in 28 days", "10 on hand, of them 2 allocated", "low"):
        assert part in page.text, part
    assert "<img src=x" not in page.text
    assert "&lt;img src=x onerror=alert(1)&gt;{{7*7}}" in page.text
    out = (TODAY + timedelta(days=28)).isoformat()
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
    day = TODAY + timedelta(days=25)
    page = await desk.get(f"/app/purchases/proposals?by={day.isoformat()}")
    assert "Nothing waits for approval" in text_of(page)
    assert "4 units for €10.00" in text_of(page)  # 4 at 2.50: the supplier's least
    assert "measured over 7 days" in text_of(page)
    assert "sku=TEA&amp;units=4" in page.text
    none = await desk.get(f"/app/purchases/proposals?by={TODAY.isoformat()}")
    assert "Nothing else has to be ordered" in text_of(none)
    po_id = await proposed(bench)
    page = await desk.get(f"/app/purchases/proposals?by={day.isoformat()}")
    told = text_of(page)
    for part in (po_id, "€50.00", "TEA at 3, to be ordered at 5", "Order by", "in all"):
        assert part in told, part
    assert "sku=TEA&amp;units=4" not in page.text  # it is proposed


async def test_what_must_be_decided_by_the_day_comes_first_and_the_rest_behind_a_link(
    bench: Bench, desk: Desk
) -> None:
    po_id = await proposed(bench)
    skus = [f"MUG-{n}" for n in range(LISTED + 3)]
    for sku in skus:
        await bench.stocked(sku, 1)
    levels = [StockLevels(sku=sku, location="main", reorder_point=5, order_up_to=9) for sku in skus]
    await bench.stock.set_levels(levels)
    await bench.purchasing.set_terms([terms(sku) for sku in skus])
    for days, is_first in ((25, True), (24, False)):
        day = (TODAY + timedelta(days=days)).isoformat()
        page = (await desk.get(f"/app/purchases/proposals?by={day}")).text
        assert (page.index(po_id) < page.index('id="needed"')) == is_first
        assert page.index('id="needed"') < page.index('id="suppliers"')
        assert page.count('name="need"') == LISTED
        assert "Show 3 more that are less urgent" in page
    whole = await desk.get(f"/app/purchases/proposals?by={day}&all=1")
    assert whole.text.count('name="need"') == len(skus)


async def test_a_proposal_is_changed_before_it_is_approved(bench: Bench, desk: Desk) -> None:
    po_id = await proposed(bench)
    path = f"app/purchases/{po_id}/change"
    sent = {"request_id": "desk-1-1-change", "version": "1.proposed", "why": "a small shelf"}
    odd = await desk.send_form(path, **sent, **{"units:TEA": "5"})
    assert (odd.status_code, "in multiples of 2" in text_of(odd)) == (422, True)
    for _ in range(2):
        done = await desk.send_form(path, **sent, **{"units:TEA": "8"})
        assert "The units are changed" in text_of(done)
    assert "TEA 20 → 8: a small shelf" in text_of(done)
    assert "Approve it for €20.00" in text_of(done)
    stale = {**sent, "request_id": "desk-2-1-change"}
    late = await desk.send_form(path, **stale, **{"units:TEA": "12"})
    assert (late.status_code, "It has changed since" in text_of(late)) == (422, True)
    await bench.purchasing.set_terms([terms(unit_price="3")])
    level = StockLevels(sku="TEA", location="main", reorder_point=5, order_up_to=20)
    await bench.stock.set_levels([level])
    told = text_of(await desk.get("/app/purchases/proposals"))
    for part in ("now 3.00 EUR", "not low any more"):
        assert part in told, part


async def test_nothing_ticked_is_said_and_what_is_ticked_gets_a_result_each(
    bench: Bench, desk: Desk
) -> None:
    none = await desk.send_form("app/purchases/together")
    assert (none.status_code, "Nothing is ticked that can be" in text_of(none)) == (422, True)
    for query in ("", "?po=PO-none~1.proposed&need=main/NONE&need=odd&need=%2500/%2500", "?of=x"):
        led = await desk.get(f"/app/purchases/together{query}")
        assert "Nothing is ticked that can be" in text_of(led), query
    po_id = await proposed(bench)
    ticked = [f"{po_id}~0.proposed", "PO-none~1.proposed"]
    told = text_of(await desk.send_form("app/purchases/together", po=ticked))
    assert f"{po_id} : It has changed since you opened this page" in told
    assert "there is no purchase order PO-none" in told


def fields_of(page: str) -> dict[str, str]:
    """What the form that does it all would send."""
    (form,) = re.findall(
        r'method="post" action="[^"]*purchases/together">(.*?)</form>', page, re.DOTALL
    )
    found = re.findall(r'<input[^>]* name="([^"]+)"[^>]* value="([^"]*)"', form)
    return {name: html.unescape(value) for name, value in found}


async def several_needs(bench: Bench) -> str:
    """Low at two locations and of two suppliers; the address that ticks all of it."""
    levels = [
        StockLevels(sku="TEA", location="main", reorder_point=20, order_up_to=40),
        StockLevels(sku="CUP", location="main", reorder_point=9, order_up_to=20),
        StockLevels(sku="TEA", location="shop", reorder_point=20, order_up_to=30),
    ]
    await bench.stock.receive("at-shop", "TEA", "shop", 3, who="test", why="test")
    await bench.stock.set_levels(levels)
    await bench.purchasing.set_terms([terms("CUP", unit_price="4.00", currency="USD")])
    day = (TODAY + timedelta(days=1)).isoformat()
    return f"by={day}&need=main/TEA&need=main/CUP&need=shop/TEA"


async def test_what_is_ticked_is_added_up_and_ordered_by_supplier_and_location(
    bench: Bench, desk: Desk
) -> None:
    query = await several_needs(bench)
    day = query[3:13]
    told = text_of(await desk.get(f"/app/purchases/proposals?by={day}"))
    for part in ("By supplier", "Buy all of Assam Gardens for main", "for shop"):
        assert part in told, part
    page = await desk.get(f"/app/purchases/together?{query}")
    for part in ("A new purchase order: Assam Gardens, for main, €", "for main, $", "for shop, €"):
        assert part in text_of(page), part
    fields = fields_of(page.text)
    assert len([name for name in fields if name.startswith("units:")]) == 3
    fields["units:main/assam/TEA"] = "40"
    both = [text_of(await desk.send_form("app/purchases/together", **fields)) for _ in range(2)]
    for told in both:
        assert told.count("is being sent") == 3
        assert "Nothing else has to be ordered" in told
    made = await bench.purchasing.orders()
    assert sorted((one.location, one.currency) for one in made) == [
        *(("main", "EUR"), ("main", "USD"), ("shop", "EUR"))
    ]
    (tea,) = (one for one in made if (one.location, one.currency) == ("main", "EUR"))
    assert tea.worth.minor == 100_00
    story = await bench.purchasing.story(tea.po_id)
    assert (story[0].who, story[0].why) == ("Anna (anna)", f"to buy by {day}")


async def test_of_several_each_has_its_result_and_no_price_that_was_not_seen(
    bench: Bench, desk: Desk
) -> None:
    query = await several_needs(bench)
    day = query[3:13]
    page = await desk.get(f"/app/purchases/together?by={day}&of=main/assam")
    fields = fields_of(page.text)
    assert "units:shop/assam/TEA" not in fields
    odd = {**fields, "units:main/assam/TEA": "1.5"}
    no = await desk.send_form("app/purchases/together", **odd)
    assert (no.status_code, "Write digits alone" in text_of(no)) == (422, True)
    await bench.purchasing.set_terms([terms("CUP", unit_price="5.00", currency="USD")])
    odd = {**fields, "units:main/assam/TEA": "1", "units:away/assam/TEA": "12"}
    told = text_of(await desk.send_form("app/purchases/together", **odd))
    assert "CUP: now 5.00 USD" in told
    assert "in multiples of 2" in told
    assert told.count("not done") == 3
    assert await bench.purchasing.orders() == []
    again = text_of(await desk.send_form("app/purchases/together", **fields))
    assert (again.count("not done"), again.count("is being sent")) == (1, 1)


async def test_a_sum_above_the_limit_waits_and_says_so_beforehand(bench: Bench) -> None:
    query = await several_needs(bench)
    limits = PurchasingPolicy(approve_up_to={"EUR": Decimal(10)})
    shop = Records(bench.pool, purchasing=limits)
    desk = await Desk(bench.pool, Api(cast("Service", shop)).app).signed_in("anna", "buyer")
    page = await desk.get(f"/app/purchases/together?{query}")
    assert text_of(page).count("This sum needs an approval") == 3
    told = text_of(await desk.send_form("app/purchases/together", **fields_of(page.text)))
    assert told.count(": waits for approval") == 3
    assert "See what the ticked ones cost" in told


async def test_somebody_for_one_location_orders_several_for_it_alone(bench: Bench) -> None:
    query = await several_needs(bench)
    desk = await Desk(bench.pool).signed_in("ben", "buyer", locations=["shop"])
    page = await desk.get(f"/app/purchases/together?{query}")
    fields = fields_of(page.text)
    assert [name for name in fields if name.startswith("units:")] == ["units:shop/assam/TEA"]
    price = fields["price:shop/assam/TEA"]
    both = {**fields, "units:main/assam/TEA": "12", "price:main/assam/TEA": price}
    told = text_of(await desk.send_form("app/purchases/together", **both))
    assert "Choose one of your locations" in told
    (made,) = await bench.purchasing.orders()
    assert made.location == "shop"


async def test_somebody_for_one_location_sees_its_stock_alone(bench: Bench) -> None:
    po_id = await proposed(bench)
    desk = await Desk(bench.pool).signed_in("ben", "buyer", locations=["shop"])
    page = await desk.get("/app/stock")
    assert ("shop" in text_of(page), "main" in text_of(page)) == (True, False)
    assert po_id not in (await desk.get("/app/purchases/proposals")).text
    refused = await desk.send_form(f"app/purchases/{po_id}/change", **{"units:TEA": "8"})
    assert refused.status_code == 404


async def test_a_new_item_is_made_known_and_its_first_goods_come(bench: Bench, desk: Desk) -> None:
    odd = await desk.send_form("app/items", sku=" ", name="Sugar")
    assert (odd.status_code, 'value="Sugar"' in odd.text) == (422, True)
    for name in ("Sugar", "Salt"):
        made = await desk.send_form("app/items", sku="SUGAR", name=name)
        assert made.url.path == "/app/stock/SUGAR"
    assert "SUGAR – Sugar" in text_of(made)
    assert "known, and at no location yet" in text_of(await desk.get("/app/stock?q=SUGAR"))
    looked = await done(desk, "receive", "SUGAR", location="shop", n="7", preview="1")
    assert "shop: On hand 0 → 7" in text_of(looked)
    came = await done(desk, "receive", "SUGAR", location="shop", n="7")
    assert "The goods are in stock" in text_of(came)
    assert await bench.level("SUGAR", "shop") == (7, 0)


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


def hidden(page: str, act: str) -> dict[str, str]:
    """What the form of an act sends that nobody fills in."""
    found = [
        form
        for form in re.findall(r'<form method="post"[^>]*>(.*?)</form>', page, re.DOTALL)
        if f'name="act" value="{act}"' in form
    ]
    fields = re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', found[0])
    return {name: html.unescape(value) for name, value in fields}


async def done(desk: Desk, act: str, sku: str = "TEA", **fields: str) -> httpx.Response:
    """Open an item's page, fill a form in, and send it."""
    page = (await desk.get(f"/app/stock/{sku}")).text
    place = "items" if act in ("item", "kit") else "stock"
    usual = {"location": "main", "why": "a test"}
    return await desk.send_form(f"app/{place}/{sku}", **{**usual, **hidden(page, act), **fields})


async def test_an_item_is_shown_whole(bench: Bench, desk: Desk) -> None:
    await bench.purchasing.propose("assam", "main", {"TEA": 8}, who="x", why="y")
    await bench.baskets.hold("B-1", {"TEA": 1}, expires_at=datetime.now(UTC) + timedelta(hours=1))
    page = await desk.get("/app/stock/TEA")
    told = text_of(page)
    for part in (
        *("TEA – Assam tea", "Held by baskets", "B-1", "Assam Gardens → main: 8", "2.50 EUR"),
        *("On hand at the end of each day", "Sold on each day", "0 → 10", "claimed", "received"),
    ):
        assert part in told or part in page.text, part
    cup = (await desk.get("/app/stock/CUP")).text
    assert "<img src=x" not in cup
    none = await desk.get("/app/stock/NONE")
    assert (none.status_code, "There is no such item" in text_of(none)) == (404, True)


async def test_a_promise_is_asked_for_on_its_page(desk: Desk) -> None:
    told = text_of(await desk.get("/app/stock/TEA?n=20&country=DE"))
    assert "12 – " not in told
    assert "cannot be promised" in told
    wrong = text_of(await desk.get("/app/stock/TEA?n=x"))
    assert "This has to be a whole number." in wrong


@pytest.mark.parametrize(
    ("act", "fields", "left"),
    [
        ("receive", {"n": "5", "unit_cost": "2.50", "currency": "EUR"}, 15),
        ("adjust", {"n": "-3"}, 7),
        ("count", {"n": "9"}, 9),
        ("write_off", {"n": "2"}, 8),
        ("send", {"n": "4", "to": "shop"}, 6),
    ],
)
async def test_stock_is_changed_once_after_a_look_at_what_it_would_do(
    bench: Bench, desk: Desk, act: str, fields: dict[str, str], left: int
) -> None:
    looked = await done(desk, act, **fields, preview="1")
    assert f"On hand 10 → {left}" in text_of(looked), text_of(looked)
    assert await bench.level("TEA") == (10, 2)
    sent = {**hidden(looked.text, act), "location": "main", "why": "a test", **fields}
    for _ in range(2):
        answer = await desk.send_form("app/stock/TEA", **sent)
        assert answer.status_code == 200, text_of(answer)
    assert await bench.level("TEA") == (left, 2)
    (last,) = await bench.stock.history("TEA", location="main", at_most=1)
    assert (last.who, "a test" in last.why) == ("Anna (anna)", True)


async def test_what_cannot_be_is_refused_and_nothing_typed_is_lost(
    bench: Bench, desk: Desk
) -> None:
    for act, fields, why in (
        ("receive", {"n": ""}, "Choose how many units"),
        ("receive", {"n": "1", "unit_cost": "2"}, "goes with currency"),
        ("adjust", {"n": "x"}, "Write digits alone"),
        ("write_off", {"n": "1", "why": ""}, "Why: This is needed."),
        ("send", {"n": "1", "to": "main"}, "leads elsewhere"),
        ("kit", {"parts": "TEA"}, "Write the parts as"),
        ("levels", {"reorder_point": "9"}, "goes with reorder_point"),
    ):
        answer = await done(desk, act, **fields)
        assert (answer.status_code, why in text_of(answer)) == (422, True), text_of(answer)
    many = await done(desk, "write_off", n="99")
    assert many.status_code == 409
    assert 'value="99"' in many.text
    looked = await done(desk, "write_off", n="99", preview="1")
    assert looked.status_code == 409
    page = (await desk.get("/app/stock/TEA")).text
    await bench.stock.adjust("k", "TEA", "main", -1, who="ben", why="broken")
    sent = {**hidden(page, "count"), "location": "main", "n": "10", "why": "a count"}
    again = await desk.send_form("app/stock/TEA", **sent)
    assert (again.status_code, "units have come or gone" in text_of(again)) == (409, True)
    odd = await desk.send_form("app/stock/TEA", act="odd")
    assert odd.status_code == 422


async def test_levels_and_what_an_item_is_are_set_and_never_over_somebody_elses(
    bench: Bench, desk: Desk
) -> None:
    page = (await desk.get("/app/stock/TEA")).text
    level = {"reorder_point": "3", "order_up_to": "20", "safety": "1", "service_level": "95"}
    for wrong in ({"reorder_point": "1.5"}, {"service_level": "high"}, {"safety": "-1"}):
        odd = await done(desk, "levels", **{**level, **wrong})
        assert (odd.status_code, "Write digits alone" in text_of(odd)) == (422, True), wrong
    told = await done(desk, "levels", **level)
    assert "The levels are set" in text_of(told)
    (row,) = await bench.stock.levels(sku="TEA")
    assert (row.reorder_point, row.order_up_to, row.safety, row.service_level) == (3, 20, 1, 0.95)
    old = {**hidden(page, "levels"), "location": "main", "reorder_point": "1", "order_up_to": "2"}
    late = await desk.send_form("app/stock/TEA", **old)
    assert (late.status_code, "the levels have changed" in text_of(late)) == (422, True)
    item = {"name": "Assam", "backorder": "1", "handling": "shipped", "category": "tea"}
    saved = await done(desk, "item", **item)
    assert "It is saved" in text_of(saved)
    (kept,) = await bench.catalogue.items(sku="TEA")
    assert (kept.name, kept.backorder, kept.category) == ("Assam", True, "tea")
    stale = await desk.send_form("app/items/TEA", **hidden(page, "item"), name="Other")
    assert (stale.status_code, "somebody has changed this item" in text_of(stale)) == (409, True)
    await bench.catalogue.set_items([Item(sku="BOX")])
    kit = await done(desk, "kit", "BOX", parts="TEA=2, CUP=1")
    assert "Could be made up: main: 3" in text_of(kit)  # one is kept back
    plain = await done(desk, "kit", "BOX", parts="")
    assert "Could be made up" not in text_of(plain)
    assert await bench.catalogue.kits() == []


async def test_a_story_is_told_page_by_page_and_says_no_more_than_somebody_may_know(
    bench: Bench, desk: Desk
) -> None:
    for n in range(55):
        await bench.stock.adjust(f"k{n}", "TEA", "shop", 1, who="ben", why=f"found {n}")
    page = await desk.get("/app/stock/TEA")
    assert "59 → 60" in text_of(page)
    (before,) = re.findall(r"\?before=(\d+)#story", page.text)
    older = text_of(await desk.get(f"/app/stock/TEA?before={before}"))
    for part in ("5 → 6", "0 → 5", "0 → 10"):
        assert part in older, part
    assert "web-" in older
    other = await Desk(bench.pool).signed_in("cy", "agent", channels=["pos"])
    told = text_of(await other.get(f"/app/stock/TEA?before={before}"))
    assert ("claimed" in told, "web-" in told) == (True, False)
    shop = await Desk(bench.pool).signed_in("dee", "buyer", locations=["shop"])
    told = text_of(await shop.get("/app/stock/TEA"))
    assert ("59 → 60" in told, "main" in told) == (True, False)
    wrong = await done(shop, "adjust", location="main", n="1")
    assert (wrong.status_code, "one of your locations" in text_of(wrong)) == (422, True)


async def test_goods_on_their_way_are_received_where_they_go(bench: Bench, desk: Desk) -> None:
    moved = await bench.transfers.send(
        "T-1", "main", "shop", {"TEA": 4}, who="ben", why="for the weekend"
    )
    assert "T-1" in text_of(await desk.get("/app/transfers"))
    page = await desk.get(f"/app/transfers/{moved.transfer_id}")
    assert "for the weekend" in text_of(page)
    key = re.findall(r'name="request_id" value="([^"]+)"', page.text)[0]
    none = await desk.send_form("app/transfers/T-1", request_id=key)
    assert none.status_code == 422
    for _ in range(2):
        fields = {"units:TEA": "3", "rest_is_lost": "1"}
        got = await desk.send_form("app/transfers/T-1", request_id=key, **fields)
        assert "The goods are in stock" in text_of(got)
    assert await bench.level("TEA", "shop") == (8, 0)
    assert "T-1" not in text_of(await desk.get("/app/transfers"))
    assert "T-1" in text_of(await desk.get("/app/transfers?all=1&after=odd"))
    here = await Desk(bench.pool).signed_in("dee", "buyer", locations=["main"])
    refused = await here.send_form("app/transfers/T-1", request_id="k")
    assert refused.status_code == 404
