"""The page of an order: units, parcels, money, papers, messages, and its story."""

from __future__ import annotations

import html
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from activities.aftersales.returns import ApproveReturn
from domain.notifications.event_types import NOT_TOLD, TOLD
from domain.orders.claim_rules import ClaimRules
from domain.orders.edit_messages import OrderEdit
from domain.orders.edited import LineStanding, Present
from domain.orders.edits import edited
from domain.orders.hold_rules import Facts, HoldRule, HoldWhen
from domain.orders.holding import unreadable, wanted_holds
from domain.orders.notes import NewOrderNote
from domain.orders.order import Order
from domain.orders.policy import Policy
from starter.web.desk.reasons import CHANGED, change_told, held_told, said
from starter.web.desk.reasons import told as reason_told
from starter.web.desk.story import KINDS, key_of, lines_of
from starter.web.screens.words import screen_words
from store.aftersales.returns import Counted
from store.database import Pool
from store.orders import events
from store.views.reads import EventRow
from tests.support.api import Api
from tests.support.bench import Bench
from tests.support.builders import an_order, shipping
from tests.support.desk import GOOD, Desk, text_of
from tests.support.shop import Shop

INJECTED = '"><img src=x onerror=alert(1)>{{7*7}}'
LANGUAGES = ("en", "ko", "de")


@pytest.fixture
async def bench(pool: Pool) -> Bench:
    made = Bench(pool)
    for sku in ("TEA", "POT"):
        await made.stocked(sku, 100)
    return made


@pytest.fixture
async def desk(pool: Pool) -> Desk:
    return await Desk(pool).signed_in("anna", "admin")


def ordered(number: str, **fields: Any) -> Order:
    customer = {"id": "C-1", "name": "Kim Minji", "email": "kim@example.com"}
    lines = ("TEA", 3, "10.00"), ("POT", 1, "30.00")
    return an_order(*lines, channel_order_id=number, **{"customer": customer, **fields})


async def lived(bench: Bench, number: str, **fields: Any) -> Order:
    """An order that was sent, charged, and paid back in part."""
    order = ordered(number, **fields)
    part = await bench.at(order, "shipped")
    await bench.charged(part)
    await bench.scan(part, "in_transit")
    await bench.scan(part, "delivered")
    await bench.refunded(order, amount="5.00")
    return order


async def test_a_page_tells_units_parcels_money_and_who(bench: Bench, desk: Desk) -> None:
    order = await lived(bench, "page-1")
    before = ordered("page-0")
    await bench.on_record(before)
    page = text_of(await desk.get(f"/app/orders/{order.order_id}"))
    for told in (
        *("3 delivered", "1 delivered", "2 scans", "Kim Minji", "scratched"),
        *("sandbox", "pay back", "Invoice", "Credit note", before.order_id),
        *("Label", "Packing slip", "handed to the carrier", "paid back"),
    ):
        assert told in page, told


async def test_the_tax_of_goods_stands_above_what_was_paid_back(bench: Bench, desk: Desk) -> None:
    """Below it, a total of nothing would have a tax in it."""
    line = {"line_id": "1", "sku": "TEA", "quantity": 3, "unit_price": "10.00", "tax_rate": "19"}
    order = an_order(prices_include_tax=True, lines=[line])
    part = await bench.at(order, "shipped")
    await bench.charged(part)
    before = ["Goods", "Shipping and fees", "Total", "Tax in it"]
    assert await sums(desk, order) == before
    await bench.refunded(order, amount="6.00")
    after = ["Goods", "Shipping and fees", "Tax in it", "Refunded", "Total"]
    assert await sums(desk, order) == after


async def sums(desk: Desk, order: Order) -> list[str]:
    """What stands under the lines of an order, in its sequence."""
    page = (await desk.get(f"/app/orders/{order.order_id}")).text
    (shown,) = re.findall(r'<dl class="sums under-lines">(.*?)</dl>', page, re.DOTALL)
    return re.findall(r"<dt>([^<]*)</dt>", shown)


async def test_what_was_given_at_the_counter_has_no_label_and_is_not_expected(
    bench: Bench, desk: Desk
) -> None:
    order = await lived(bench, "page-counter")
    part = f"{order.order_id}:1"
    await bench.pool.execute(
        "update fulfilment set promised_leave = '2027-02-27', promised_on = '2027-03-01' "
        "where fulfilment_id = $1",
        part,
    )
    await bench.pool.execute(
        "update shipment set carrier = 'counter' where fulfilment_id = $1", part
    )
    page = await desk.get(f"/app/orders/{order.order_id}")
    assert [kind for kind in ("slip", "label") if f'/{kind}"' in page.text] == ["slip"]
    assert "Expected on" not in text_of(page)


async def test_what_is_asked_for_after_its_time_stands_apart_with_the_reason(
    bench: Bench, desk: Desk
) -> None:
    for is_late in (False, True):
        window = timedelta(microseconds=1) if is_late else timedelta(days=30)
        order = ordered(f"page-{'late' if is_late else 'in-time'}")
        await bench.take_in(order, Policy(return_window=window, claims=ClaimRules(within=window)))
        await bench.charged(await bench.at(order, "delivered"))
        at = f"app/orders/{order.order_id}"
        usual, _, rest = (await desk.get(f"/{at}")).text.partition("By exception")
        exceptions = rest.partition('id="order-cannot"')[0]
        for act in ("return", "exchange", "claim"):
            link = f'{at}/{act}"'
            assert (link in usual, link in exceptions) == (not is_late, is_late), act
        form = text_of(await desk.get(f"/{at}/return"))
        assert ("without this tick the rules say no" in form) is is_late
    assert exceptions.count("The time for it was over on") == 3


@pytest.mark.parametrize(
    ("story", "step", "fate"),
    [
        ("", "", "they stay with the customer, and are not paid back"),
        ("refund granted", "return_short", "Somebody has the customer pay them"),
        ("refund granted", "", "and stay paid back"),
        ("refund granted,not returned, written off", "", "written off by the rules"),
    ],
)
async def test_a_return_says_what_is_missing_of_it_and_what_becomes_of_that(
    bench: Bench, desk: Desk, story: str, step: str, fate: str
) -> None:
    order = ordered("page-missing")
    order_id = order.order_id
    await bench.charged(await bench.at(order, "delivered"))
    ask = ApproveReturn(
        order_id=order_id, request_id="r1", units={"1": 2}, reason="too small", who="kim"
    )
    return_id = (await bench.returns.approve_return(ask)).return_id
    page = text_of(await desk.get(f"/app/orders/{order_id}"))
    assert "missing" not in page.partition("Returns and claims")[2]
    await bench.warehouse.receive_return(return_id, {"1": Counted(restocked=1)}, who="dock")
    for what in filter(None, story.split(",", 1)):
        await bench.pool.execute(
            "insert into order_event (order_no, effect, what, who, data) "
            "values (order_no_of($1), $2, $2, 'orderloom', $3)",
            *(order_id, what, {"return_id": return_id}),
        )
    if step:
        async with bench.pool.acquire() as conn:
            await events.raise_attention(conn, order_id, f"{step} {return_id}", "?", ("done",))
    page = text_of(await desk.get(f"/app/orders/{order_id}"))
    assert "2 asked for, 1 came, 1 missing 1 × TEA (line 1): they" in page
    assert fate in page


async def test_the_lines_the_shipping_and_the_tax_make_the_total(bench: Bench, desk: Desk) -> None:
    lines = [
        {"line_id": "1", "sku": "TEA", "quantity": 2, "unit_price": "12.10", "tax_rate": "21"},
        {"line_id": "2", "sku": "POT", "quantity": 1, "unit_price": "30.00", "discount": "2.00"},
    ]
    for number, has_tax in enumerate((True, False)):
        order = ordered(f"page-sums-{number}", lines=lines, prices_include_tax=has_tax)
        await bench.on_record(order)
        page = text_of(await desk.get(f"/app/orders/{order.order_id}"))
        goods = "Goods $52.20 Discount, taken off already $2.00 Shipping and fees $5.00"
        assert "$24.20" in page
        if has_tax:
            assert f"{goods} Total $57.20 Tax in it $4.20" in page
        else:
            assert f"{goods} Tax $5.08 Total $62.28" in page


async def test_a_discount_goes_with_what_is_cancelled(bench: Bench, desk: Desk) -> None:
    await bench.stocked("RARE", 1)
    lines = [
        {"line_id": "1", "sku": "RARE", "quantity": 2, "unit_price": "10.00", "discount": "4.00"},
        {"line_id": "2", "sku": "POT", "quantity": 1, "unit_price": "16.00"},
    ]
    order = ordered("page-discount", lines=lines, discount="8.00")
    assert (await bench.reserve(order)).missing == {"1": 1}
    page = text_of(await desk.get(f"/app/orders/{order.order_id}"))
    assert "Goods $18.00 as ordered: $24.00" in page
    assert "Discount, taken off already $8.00 as ordered: $12.00" in page


async def test_papers_are_of_their_order_alone(bench: Bench, desk: Desk, pool: Pool) -> None:
    order = await lived(bench, "page-papers")
    other = ordered("page-other")
    await bench.on_record(other)
    at = f"/app/orders/{order.order_id}"
    found = re.findall(r'href="[^"]*(/documents/[^"]+)"', (await desk.get(at)).text)
    assert len(found) == 4
    pdf, data = [await desk.get(f"{at}{path}") for path in found[:2]]
    assert pdf.content.startswith(b"%PDF")
    assert json.loads(data.content)["order_id"] == order.order_id
    elsewhere = await desk.get(f"/app/orders/{other.order_id}{found[0]}")
    assert (elsewhere.status_code, "no such document" in text_of(elsewhere)) == (404, True)
    part = f"/app/parcels/{order.order_id}:1"
    assert (await desk.get(f"{part}/slip")).content.startswith(b"%PDF")
    assert (await desk.get(f"{part}/label")).headers["content-disposition"].startswith("attachment")
    clerk = await Desk(pool, desk.app).signed_in("cy", "buyer")
    for path in (f"{at}{found[0]}", f"{part}/slip", f"{part}/label"):
        assert (await clerk.get(path)).status_code == 403, path
    page = await clerk.get(at)
    assert (page.status_code, "Kim Minji" in page.text, "/documents/" in page.text) == (
        *(200, False),
        False,
    )


@pytest.mark.parametrize(
    "path", ["", "/story", "/messages/1", "/documents/INV-1.pdf", "/documents/INV-1.json"]
)
async def test_somebody_elses_order_is_as_if_not_there(
    bench: Bench, desk: Desk, pool: Pool, path: str
) -> None:
    order = ordered("page-theirs")
    await bench.on_record(order)
    pos = await Desk(pool, desk.app).signed_in("ben", "agent", channels=["pos"])
    answer = await pos.get(f"/app/orders/{order.order_id}{path}")
    assert (answer.status_code, "There is no such order" in text_of(answer)) == (404, True)
    nobody = await Desk(pool, desk.app).get(f"/app/orders/{order.order_id}{path}")
    assert nobody.url.path == "/app/sign-in"


async def test_a_parcel_of_somebody_else_is_as_if_not_there(bench: Bench, desk: Desk) -> None:
    part = await bench.at(ordered("page-parcel"), "packed")
    pos = await Desk(bench.pool, desk.app).signed_in("ben", "agent", channels=["pos"])
    # A label names who gets the parcel: that is for those who work where it leaves.
    await bench.pool.execute("insert into location (location) values ('shop')")
    shop = await Desk(bench.pool, desk.app).signed_in("cy", "agent", locations=["shop"])
    for path in ("label", "slip"):
        assert (await pos.get(f"/app/parcels/{part}/{path}")).status_code == 404
        assert (await shop.get(f"/app/parcels/{part}/{path}")).status_code == 404
    page = f"/app/orders/{part.partition(':')[0]}"
    assert "/slip" in (await desk.get(page)).text
    assert "/slip" not in (await shop.get(page)).text
    main = await Desk(bench.pool, desk.app).signed_in("dee", "agent", locations=["main", "shop"])
    assert "/slip" in (await main.get(page)).text
    assert (await main.get(f"/app/parcels/{part}/slip")).content.startswith(b"%PDF")


async def test_the_story_is_whole_page_by_page_and_by_kind(bench: Bench, desk: Desk) -> None:
    order = await lived(bench, "page-story")
    at = f"/app/orders/{order.order_id}/story"
    every = (await desk.get(at)).text
    ids = re.findall(r'data-event="(\d+)"', every)
    assert len(ids) == len(await desk.here.orders.events(order.order_id))
    assert ids == sorted(ids, key=int, reverse=True)
    kinds = [
        re.findall(r'data-event="(\d+)"', (await desk.get(f"{at}?kind={one}")).text)
        for one in KINDS
    ]
    assert sorted(one for ids_ in kinds for one in ids_) == sorted(ids)
    assert all(kinds)
    later = re.findall(r'data-event="(\d+)"', (await desk.get(f"{at}?before={ids[2]}")).text)
    assert later == ids[3:]
    assert "no such lines" in text_of(await desk.get(f"{at}?before=1&kind=odd"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_line_of_a_story_is_said_in_each_language(language: str) -> None:
    words = screen_words(language)
    for word in {*TOLD, *NOT_TOLD}:
        assert words.has(f"storyline_{key_of(word)}"), word
    at = datetime(2027, 3, 1, tzinfo=UTC)
    texts = ("edit refused: x", "never heard of: this", "held: fraud_review")
    events = [
        EventRow(event_id=n, at=at, what=what, who="x", why="", data={})
        for n, what in enumerate(texts)
    ]
    refused, odd, held = lines_of(events)
    assert words("act_edit") in refused.what(words)
    assert (odd.what(words), odd.about(words)) == ("never heard of", "this")
    assert held.about(words) == words("hold_fraud_review")


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_rules_and_edits_write_is_told_in_each_language(language: str) -> None:
    words = screen_words(language)
    when = {
        "amount_over": {"amount": "10", "currency": "USD"},
        "orders_within": {"more_than": 1, "within": timedelta(days=1, hours=2)},
        "countries_differ": True,
        "words": ["gift"],
        "listed": "risk",
        "address_refused": True,
    }
    address = {"name": "K", "line1": "1", "city": "Bonn", "country": "DE"}
    order = ordered("page-reasons", note="a gift", billing=address)
    now = datetime(2027, 3, 1, tzinfo=UTC)
    facts = Facts(earlier=(now, now), lists=frozenset({"risk"}))
    rule = HoldRule.model_validate({"rule": "r", "when": when, "reason": "fraud_review"})
    (held,) = wanted_holds([rule], order, "own", facts, now)
    (first,) = wanted_holds(
        [rule.model_copy(update={"when": HoldWhen(first_order=True)})], order, "own", Facts(), now
    )
    for note in (*held.note.split("; "), first.note, unreadable("r").note):
        assert said(words, note), note
    both = held_told(words, f"fraud_review: {first.note}; address: two; names")
    assert both == (
        f"{words('hold_fraud_review')}: {words('because_hold_first')}; "
        f"{words('hold_address')}: two; names"
    )
    asked = {
        "lines": [
            {"line_id": "1", "quantity": 2, "unit_price": "9", "discount": "1", "tax_rate": "5"}
        ],
        "add": [{"sku": "POT", "quantity": 1, "unit_price": "1"}],
        "shipping": {"service": "express", "price": "3", "tax_rate": "5"},
        "discount": "1",
        "requested_delivery_date": "2027-04-01",
        "address": address,
        "note": "x",
        "forget": ["billing"],
    }
    present = Present(order, 1, {"1": LineStanding(ordered=3), "2": LineStanding(ordered=1)})
    wish = OrderEdit.model_validate({"reason": "x", "by": "x", "request_id": "r", **asked})
    found = edited(present, wish.as_met, wish.person)
    whats = [each.what for each in found.changes] + [each.what for each in found.obstacles]
    assert len(whats) >= 12
    for what in whats:
        assert any(form.fullmatch(what) for form in CHANGED.values()), what
        assert change_told(words, what)
    assert reason_told(words, INJECTED) == INJECTED


async def test_a_story_of_several_parcels_says_which_and_when_to_the_second(
    bench: Bench, desk: Desk
) -> None:
    order = ordered("page-parcels")
    await bench.on_record(order)
    noon = datetime(2027, 3, 1, 12, tzinfo=UTC)
    for part, what, told, seconds in (
        (1, "picked", {"picked": {"1": 2, "2": 0}, "missing": {}}, 7),
        (2, "shipped", {"units": {"2": 1}}, 9),
        (2, "delivered", {"units": {"2": 1}}, 3600),
    ):
        await bench.pool.execute(
            "insert into order_event (order_no, effect, at, what, who, data) "
            "values (order_no_of($1), $2, $3, $2, 'ben', $4)",
            *(order.order_id, what, noon + timedelta(seconds=seconds)),
            {"fulfilment_id": f"{order.order_id}:{part}", **told},
        )
    at = f"/app/orders/{order.order_id}"
    for page in [text_of(await desk.get(path)) for path in (at, f"{at}/story?kind=goods")]:
        assert f"12:00:07 PM picked {order.order_id}:1: 2 × TEA (line 1) ben" in page
        assert f"12:00:09 PM handed to the carrier {order.order_id}:2: 1 × POT (line 2)" in page
        assert f"1:00 PM delivered {order.order_id}:2: 1 × POT (line 2)" in page
    alone = await lived(bench, "page-alone")
    story = text_of(await desk.get(f"/app/orders/{alone.order_id}/story"))
    assert f"picked {alone.order_id}:1" not in story


async def test_an_edit_is_told_before_and_after(bench: Bench, desk: Desk) -> None:
    order = ordered("page-edited")
    await bench.on_record(order)
    await bench.pool.execute(
        "insert into order_event (order_no, effect, what, who, why, data) "
        "values (order_no_of($1), 'e1', 'edited', 'Anna (anna)', 'she asked', $2)",
        order.order_id,
        {"changes": [{"what": "line 1", "before": "3", "after": "2"}]},
    )
    page = text_of(await desk.get(f"/app/orders/{order.order_id}"))
    assert "order edited line 1: 3 → 2" in page
    assert "she asked" in page


async def test_what_customers_and_companies_write_is_shown_as_text(
    bench: Bench, desk: Desk
) -> None:
    customer = {"id": "C-9", "name": INJECTED, "email": "x@example.com", "phone": "+82 1 2345"}
    order = ordered(
        "page-text",
        customer={**customer, "company": INJECTED},
        note=INJECTED,
        gift_message=INJECTED,
        shipping=shipping("0", service="standard"),
    )
    part = await bench.at(order, "shipped")
    await bench.pool.execute(
        "insert into carrier_event (order_no, fulfilment_id, event_id, status, happened_at, "
        "detail) values (order_no_of($1), $1, 'e', 'in_transit', now(), $2)",
        part,
        INJECTED,
    )
    page = (await desk.get(f"/app/orders/{order.order_id}")).text
    assert "<img src=x" not in page
    assert page.count("&lt;img src=x onerror=alert(1)&gt;{{7*7}}") >= 5


async def test_a_note_is_written_once_pinned_and_told(bench: Bench, pool: Pool) -> None:
    desk = await Desk(pool).signed_in("ben", "agent")
    order = ordered("page-noted")
    await bench.on_record(order)
    at = f"app/orders/{order.order_id}"
    (request_id,) = re.findall(
        r'name="request_id" value="([^"]+-note)"', (await desk.get(f"/{at}")).text
    )
    fields = {"request_id": request_id, "note": INJECTED, "pinned": "1"}
    before = (await desk.here.orders.marks([order.order_id]))[order.order_id]
    for _ in range(2):
        done = await desk.send_form(f"{at}/notes", **fields)
        assert "The note is kept" in text_of(done)
    (note,) = await desk.here.orders.notes(order.order_id, at_most=9)
    assert (note.note, note.who, note.pinned) == (INJECTED, "Ben (ben)", True)
    marks = [before, (await desk.here.orders.marks([order.order_id]))[order.order_id]]
    page = (await desk.get(f"/{at}")).text
    assert "<img src=x" not in page
    assert "Pinned note" in page
    assert "what people decided" in page
    off = await desk.send_form(f"{at}/notes/1/unpin")
    assert "Pinned note" not in off.text
    marks.append((await desk.here.orders.marks([order.order_id]))[order.order_id])
    assert len(set(marks)) == 3  # an open page hears of each
    story = await desk.here.orders.events(order.order_id)
    assert [(one.who, one.why) for one in story if one.what == "note"] == [("Ben (ben)", INJECTED)]
    empty = await desk.send_form(f"{at}/notes", request_id="x-note", note="")
    assert empty.status_code == 422
    for path in (f"{at}/notes/9/pin", f"{at}/notes/{10**12}/pin", "app/orders/web-none/notes"):
        assert (await desk.send_form(path, note="x")).status_code == 404, path
    pos = await Desk(pool, desk.app).signed_in("pia", "agent", channels=["pos"])
    reader = await Desk(pool, desk.app).signed_in("cy", "accountant")
    for path in (f"{at}/notes", f"{at}/notes/1/pin", f"{at}/notes/1/unpin"):
        assert (await pos.send_form(path, note="x")).status_code == 404, path
        assert (await reader.send_form(path, note="x")).status_code == 403, path


async def test_a_note_goes_with_the_person(bench: Bench, pool: Pool) -> None:
    here = Desk(pool).here
    order = ordered("page-forgotten")
    await bench.on_record(order)
    new = NewOrderNote(note="Kim Minji asks for a call")
    await here.orders.note(order.order_id, new, who="anna")
    await pool.execute(
        "update customer_order set decision = 'cancelled', state = 'cancelled' where order_id = $1",
        order.order_id,
    )
    await here.customers.erase("C-1", who="anna", why="asked by letter")
    assert await here.orders.notes(order.order_id, at_most=9) == []
    assert "Kim" not in str([one.why for one in await here.orders.events(order.order_id)])
    await here.orders.note(order.order_id, new, who="anna")
    (again,) = await here.customers.orders_of("erased-1")
    assert again.asked_at is not None  # it is erased once more


async def test_the_workflow_is_one_click_away_at_its_run(shop: Shop) -> None:
    await shop.stocked("TEA", 9)
    order = an_order(("TEA", 1, "10.00"), channel_order_id="page-run")
    await shop.placed(order)
    at = f"/app/orders/{order.order_id}"
    app = Api(shop, temporal_ui="https://ui.example/namespaces/shop").app
    desk = await Desk(shop.pool, app).signed_in("anna", "lead")
    assert f"{order.order_id}/temporal" in (await desk.get(at)).text
    leads = await desk.get(f"{at}/temporal", follow_redirects=False)
    run = (await shop.workflow(order.order_id).describe()).run_id
    assert leads.headers["location"] == (
        f"https://ui.example/namespaces/shop/workflows/order%3A{order.order_id}/{run}/history"
    )
    unborn = ordered("page-unborn")
    await Bench(shop.pool).on_record(unborn)
    none = await desk.get(f"/app/orders/{unborn.order_id}/temporal")
    assert (none.status_code, "Temporal knows no workflow" in text_of(none)) == (404, True)
    clerk = await Desk(shop.pool, app).signed_in("cy", "warehouse")
    assert "/temporal" not in (await clerk.get(at)).text
    assert (await clerk.get(f"{at}/temporal")).status_code == 403
    without = Desk(shop.pool, Api(shop).app)
    await without.sign_in("anna", GOOD)
    assert "/temporal" not in (await without.get(at)).text
    assert (await without.get(f"{at}/temporal")).status_code == 404


async def test_a_message_is_read_and_sent_again_once(bench: Bench, pool: Pool) -> None:
    desk = await Desk(pool).signed_in("ben", "agent")
    customer = {"id": "C-1", "name": INJECTED, "email": "kim@example.com"}
    order = ordered("page-mail", customer=customer)
    await bench.reserve(order)
    event = (await desk.here.orders.events(order.order_id))[0].event_id
    await pool.execute(
        "insert into message (order_no, event_id, kind, state, why, sent_at) "
        "values (order_no_of($1), $2, 'received', 'bounced', 'no such box', now())",
        *(order.order_id, event),
    )
    at = f"app/orders/{order.order_id}/messages/{event}"
    assert "came back" in text_of(await desk.get(f"/app/orders/{order.order_id}"))
    page = await desk.get(f"/{at}")
    assert "<img src=x" not in page.text
    assert "no such box" in text_of(page)
    assert order.channel_order_id in text_of(page)
    assert "What has happened since it was sent" not in text_of(page)
    await desk.here.orders.note(order.order_id, NewOrderNote(note="moved"), who="anna")
    page = await desk.get(f"/{at}")
    assert "What has happened since it was sent" in text_of(page)
    assert "note (anna)" in text_of(page)
    for _ in range(2):
        done = await desk.send_form(f"{at}/send-again", round="1")
        assert "It is sent again in a moment" in text_of(done)
    row = await desk.here.messages.get(f"{order.order_id}:M{event}")
    assert (row.state, row.round) == ("planned", 2)
    await pool.execute("update message set round = 3, state = 'bounced', sent_at = now()")
    late = await desk.send_form(f"{at}/send-again", round="1")
    assert (late.status_code, "Somebody else" in text_of(late)) == (422, True)
    reader = await Desk(pool, desk.app).signed_in("cy", "accountant")
    assert (await reader.send_form(f"{at}/send-again", round="3")).status_code == 403
    assert (await desk.get(f"/app/orders/{order.order_id}/messages/{10**12}")).status_code == 404


async def test_disputes_claims_and_references_take_their_scopes(bench: Bench, pool: Pool) -> None:
    order = await lived(bench, "page-scopes")
    await pool.execute(
        "insert into claim (order_no, claim_id, kind, reason, who) "
        "values (order_no_of($1), $1 || ':C1', 'late', 'it came late', 'kim')",
        order.order_id,
    )
    agent = await Desk(pool).signed_in("ben", "agent")
    buyer = await Desk(pool, agent.app).signed_in("bo", "buyer")
    whole, part = [(await one.get(f"/app/orders/{order.order_id}")).text for one in (agent, buyer)]
    call = (await agent.here.orders.get(order.order_id)).payments[0]
    for text in ("it came late", str(call.reference)):
        assert (text in whole, text in part) == (True, False), text


async def test_scans_of_one_moment_stand_as_they_came(bench: Bench, desk: Desk) -> None:
    order = ordered("scanned")
    part = await bench.at(order, "shipped")
    await bench.scan(part, "in_transit")
    await bench.scan(part, "out_for_delivery")
    await bench.scan(part, "delivered")
    async with bench.pool.acquire() as conn:
        # A carrier that tells the minute alone, and whose numbers say nothing.
        await conn.execute(
            "update carrier_event set happened_at = '2026-11-20T10:00Z', event_id = case status "
            "when 'out_for_delivery' then 'a' when 'delivered' then 'b' else 'c' end"
        )
    page = (await desk.get(f"/app/orders/{order.order_id}")).text
    (scans,) = re.findall(r'<ol class="scans">.*?</ol>', page, re.DOTALL)
    told = [html.unescape(one) for one in re.findall(r"<strong>(.*?)</strong>", scans)]
    came = ("delivered", "out_for_delivery", "in_transit")
    assert told == [screen_words("en")(f"scan_{one}") for one in came]
