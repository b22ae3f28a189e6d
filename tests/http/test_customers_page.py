"""Customers on screens: found, shown, written about, merged, handed out and erased."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from activities.customers.memberships import Memberships
from domain.customers.segments import Segment
from domain.orders.order import Order
from store.database import Pool
from tests.support.bench import Bench
from tests.support.builders import an_order
from tests.support.desk import Desk, text_of

INJECTED = '"><img src=x onerror=alert(1)>{{7*7}}'


@pytest.fixture
async def bench(pool: Pool) -> Bench:
    return Bench(pool)


@pytest.fixture
async def desk(pool: Pool) -> Desk:
    return await Desk(pool).signed_in("anna", "agent")


def ordered(number: str, customer: str = "C-1", **person: Any) -> Order:
    channel = person.pop("channel", "web")
    who = {"id": customer, "name": "Kim Minji", "email": "kim@example.com", **person}
    return an_order(("TEA", 1, "10.00"), channel=channel, channel_order_id=number, customer=who)


async def id_of(desk: Desk, text: str) -> str:
    return await desk.here.customer_pages.id_of(text)


async def send(desk: Desk, customer: str, path: str, **fields: str) -> httpx.Response:
    """Fill a form of the customer's page in, and send it."""
    page = (await desk.get(f"/app/customers/{customer}")).text
    (request_id, *_) = re.findall(r'name="request_id" value="([^"]+)"', page)
    return await desk.send_form(
        f"app/customers/{customer}/{path}", request_id=request_id, form=path, **fields
    )


async def test_somebody_is_found_and_shown_whole(bench: Bench, desk: Desk) -> None:
    await bench.on_record(ordered("cust-1", phone="+82 10 1234 5678"), ordered("cust-2"))
    assert "A name, a mail address" in text_of(await desk.get("/app/customers"))
    for text in ("kim@example.com", "minji", "345678", "cust-1"):
        found = await desk.get("/app/customers", params={"q": text})
        assert "Kim Minji" in text_of(found), text
    assert "Nothing is found" in text_of(await desk.get("/app/customers?q=nobody"))
    customer = await id_of(desk, "C-1")
    page = text_of(await desk.get(f"/app/customers/{customer}"))
    for told in ("kim@example.com", "web-cust-1", "web-cust-2", "Sejong-daero", "2 orders"):
        assert told in page, told
    every = text_of(await desk.get(f"/app/customers/{customer}/orders"))
    assert "web-cust-2" in every
    order = (await desk.get("/app/orders/web-cust-1")).text
    assert f"app/customers/{customer}" in order


def names_in(page: httpx.Response) -> list[str]:
    """The customers that a list shows, in its sequence."""
    return re.findall(r'<li><a href="[^"]*app/customers/C\d+">([^<]*)</a>', page.text)


async def listed(desk: Desk, **query: str) -> list[str]:
    return names_in(await desk.get("/app/customers", params=query))


async def test_a_list_of_customers_begins_with_the_latest(
    bench: Bench, desk: Desk, pool: Pool
) -> None:
    assert "There are no such customers" in text_of(await desk.get("/app/customers"))
    await bench.on_record(*(ordered(f"n-{n}", f"C-{n}", name=f"Nr {n}") for n in range(53)))
    await bench.on_record(ordered("other", "C-0", name="Nr 0"))
    first = await desk.get("/app/customers")
    (more,) = re.findall(r'app/customers\?(after=\d+)"', first.text)
    assert names_in(first) == [f"Nr {n}" for n in range(52, 2, -1)]
    assert names_in(await desk.get(f"/app/customers?{more}")) == ["Nr 2", "Nr 1", "Nr 0"]
    # The two are one, who is called as the latest order says.
    merge = {"who": "ann", "why": "one person"}
    await desk.here.customer_care.merge(
        await id_of(desk, "C-52"), await id_of(desk, "C-51"), **merge
    )
    assert (await listed(desk))[:2] == ["Nr 52", "Nr 50"]


async def test_customers_of_a_kind_are_chosen(bench: Bench, desk: Desk, pool: Pool) -> None:
    await bench.on_record(
        *(ordered("over", "C-1", name="Over"), ordered("open", "C-2", name="Open")),
        *(ordered("a", "C-3", name="Twice"), ordered("b", "C-3", name="Twice")),
        *(ordered("none", "C-4", name="None"), ordered("gone", "C-4", name="None")),
        *(
            ordered("firm", "C-5", name="Firm", company="Kim Ltd"),
            ordered("due", "C-6", name="Due"),
        ),
        ordered("back", "C-7", name="Back"),
    )
    # As the routines leave it when these orders go their ways.
    await pool.execute(
        """
        delete from order_in_state where order_no in (
            select order_no from customer_order where order_id in ('web-over', 'web-gone'));
        update customer_order set decision = 'cancelled' where order_id = 'web-gone';
        insert into order_money (order_no, currency, charged, authorized, capture_granted, captured,
                                 refund_granted)
        select order_no, 'USD', 1000, 1000, 1000,
               case order_id when 'web-due' then 400 else 1000 end,
               case order_id when 'web-back' then 100 else 0 end
        from customer_order where order_id in ('web-due', 'web-back', 'web-over')
        on conflict (order_no) do update set charged = excluded.charged,
            authorized = excluded.authorized, capture_granted = excluded.capture_granted,
            captured = excluded.captured, refund_granted = excluded.refund_granted
        """
    )
    assert await listed(desk, which="open") == [
        *("Back", "Due", "Firm", "None", "Twice"),
        "Open",
    ]
    assert await listed(desk, which="again") == ["Twice"]
    assert await listed(desk, which="business") == ["Firm"]
    assert "Firm" not in await listed(desk, which="private")
    assert len(await listed(desk, which="private")) == 6
    assert await listed(desk, which="owing") == ["Due"]
    assert await listed(desk, which="owed_back") == ["Back"]
    page = (await desk.get("/app/customers?which=owing")).text
    assert 'app/customers?which=owing" aria-current="page">Payment due' in page
    assert len(await listed(desk, which="unknown")) == 7


async def test_who_is_in_a_segment_is_listed(bench: Bench, desk: Desk, pool: Pool) -> None:
    await bench.on_record(
        *(ordered(f"s-{n}", f"C-{n}", name=f"Nr {n}") for n in range(3)),
        ordered("s-b2b", "C-9", name="Nr 9", channel="b2b"),
    )
    rules = [Segment.model_validate({"segment": "webshop", "channels": ["web"]})]
    await desk.here.segments.save(rules, who="ann")
    await Memberships(pool).look()
    assert await listed(desk, segment="webshop") == ["Nr 2", "Nr 1", "Nr 0"]
    assert "As the worker saw it last" in text_of(await desk.get("/app/customers?segment=webshop"))
    await desk.here.segments.remove("webshop")
    assert len(await listed(desk, segment="webshop")) == 4  # of a bookmark


async def test_a_list_of_customers_shows_those_of_ones_own_channels(
    bench: Bench, desk: Desk, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("starter.web.desk.customers._LOOKS_AT", 3)
    await bench.on_record(
        *(ordered(f"w-{n}", f"C-{n}", name=f"Nr {n}", channel="b2b") for n in range(2)),
        *(ordered("mine", "C-a", name="Mine"), ordered("also", "C-b", channel="b2b")),
    )
    await desk.here.segments.save(
        [Segment.model_validate({"segment": "b2b", "channels": ["b2b"]})], who="ann"
    )
    ben = await Desk(pool, desk.app).signed_in("ben", "agent", channels=["web"])
    page = await ben.get("/app/customers")
    assert names_in(page) == ["Mine"]
    assert ">b2b<" not in page.text
    assert "It was looked back until" in text_of(page)
    (further,) = re.findall(r'app/customers\?(after=\d+)"', page.text)
    rest = await ben.get(f"/app/customers?{further}")
    assert names_in(rest) == []
    assert "There are no such customers" in text_of(rest)


async def test_a_note_is_written_once_however_often_it_is_sent(bench: Bench, desk: Desk) -> None:
    await bench.on_record(ordered("cust-note"))
    customer = await id_of(desk, "C-1")
    fields = {"note": "asks for a later day", "contact": "call", "order_id": "web-cust-note"}
    page = (await desk.get(f"/app/customers/{customer}")).text
    (request_id, *_) = re.findall(r'name="request_id" value="([^"]+)"', page)
    for _ in range(2):
        done = await desk.send_form(
            f"app/customers/{customer}/notes", request_id=request_id, **fields
        )
        assert "The note is kept" in text_of(done), text_of(done)
    (note,) = await desk.here.customer_care.notes(customer, at_most=9)
    assert (note.note, note.who, note.order_id) == (
        *("asks for a later day", "Anna (anna)"),
        "web-cust-note",
    )
    wrong = await send(desk, customer, "notes", note="kept", contact="call", order_id="web-none")
    assert wrong.status_code == 409
    assert "kept</textarea>" in wrong.text  # what was typed is not lost
    empty = await send(desk, customer, "notes", note="", contact="call")
    assert empty.status_code == 422


async def test_wishes_are_kept(bench: Bench, desk: Desk) -> None:
    await bench.on_record(ordered("cust-wish"))
    customer = await id_of(desk, "C-1")
    done = await send(desk, customer, "consent", kind="marketing", given="yes", how="by phone")
    assert "Advertising: yes by phone" in text_of(done)
    done = await send(desk, customer, "consent", kind="marketing", given="no", how="by letter")
    assert "Advertising: no by letter" in text_of(done)


async def test_two_who_are_one_are_suggested_merged_and_parted(bench: Bench, desk: Desk) -> None:
    await bench.on_record(ordered("cust-a"), ordered("cust-b", "C-2"))
    first, second = await id_of(desk, "C-1"), await id_of(desk, "C-2")
    page = text_of(await desk.get(f"/app/customers/{first}"))
    assert f"the same mail address or phone number: {second}" in page
    itself = await send(desk, first, "merge", other=first, reason="x")
    assert (itself.status_code, "This is the same customer" in text_of(itself)) == (409, True)
    merged = await send(desk, first, "merge", other=second, reason="the same address")
    assert "They are seen as one" in text_of(merged)
    assert "web-cust-b" in text_of(merged)
    parted = await send(desk, first, "unmerge", other=second, reason="father and son")
    assert "They are two again" in text_of(parted)
    assert "father and son" in text_of(parted)


async def test_somebody_is_handed_out_and_erased(bench: Bench, desk: Desk) -> None:
    order = ordered("cust-gone")
    await bench.on_record(order)
    customer = await id_of(desk, "C-1")
    out = await desk.get(f"/app/customers/{customer}/export")
    assert out.json()["orders"][0]["order_id"] == order.order_id
    asked = text_of(await desk.get(f"/app/customers/{customer}/erase"))
    assert "waits: the order is not over" in asked
    path = f"app/customers/{customer}/erase"
    unsure = await desk.send_form(path, reason="asked by letter", sure="C0")
    assert (unsure.status_code, "Nothing was done" in text_of(unsure)) == (422, True)
    assert 'value="asked by letter"' in unsure.text
    no_reason = await desk.send_form(path, reason="", sure=customer)
    assert no_reason.status_code == 422
    done = await desk.send_form(path, reason="asked by letter", sure=customer)
    assert "waits: the order is not over" in text_of(done)
    events = await desk.here.orders.events(order.order_id)
    assert [one.who for one in events if one.what == "erasure asked for"] == ["Anna (anna)"]


async def test_who_sees_a_part_sees_and_changes_a_part(bench: Bench, desk: Desk) -> None:
    await bench.on_record(ordered("cust-web"), ordered("cust-pos", channel="pos"))
    await bench.on_record(ordered("cust-only-pos", "C-5"))
    customer = await id_of(desk, "C-1")
    await send(desk, customer, "notes", note="a secret of the whole", contact="call")
    pos = await Desk(bench.pool, desk.app).signed_in("ben", "agent", channels=["pos"])
    page = await pos.get(f"/app/customers/{customer}")
    told = text_of(page)
    assert (page.status_code, "pos-cust-pos" in told, "web-cust-web" in told) == (200, True, False)
    assert "a secret of the whole" not in told
    refused = await pos.send_form(
        f"app/customers/{customer}/notes", request_id="r1", note="x", contact="call"
    )
    assert (refused.status_code, "the person as a whole" in text_of(refused)) == (422, True)
    theirs = await id_of(desk, "C-5")
    for path in ("", "/orders", "/export", "/erase"):
        assert (await pos.get(f"/app/customers/{theirs}{path}")).status_code == 404, path
    for path in ("notes", "consent", "merge", "unmerge", "erase"):
        answer = await pos.send_form(f"app/customers/{theirs}/{path}", request_id="r2")
        assert answer.status_code == 404, path


PATHS = ("", "/C1", "/C1/orders", "/C1/export", "/C1/erase")
FORMS = ("notes", "consent", "merge", "unmerge", "erase")


async def test_who_may_not_see_customers_sees_none(desk: Desk, pool: Pool) -> None:
    nobody = Desk(pool, desk.app)
    clerk = await Desk(pool, desk.app).signed_in("cy", "buyer")
    reader = await Desk(pool, desk.app).signed_in("dan", "accountant")
    for path in PATHS:
        assert (await nobody.get(f"/app/customers{path}")).url.path == "/app/sign-in"
        assert (await clerk.get(f"/app/customers{path}")).status_code == 403
    for form in FORMS:
        assert (await reader.send_form(f"app/customers/C1/{form}")).status_code == 403
        foreign = await desk.post(
            f"/app/customers/C1/{form}", headers={"Sec-Fetch-Site": "cross-site"}
        )
        assert foreign.status_code == 403
    for odd in ("C0", "x", "%00", "C99999999999999999999"):
        assert (await desk.get(f"/app/customers/{odd}")).status_code == 404, odd


async def test_what_customers_write_is_shown_as_text(bench: Bench, desk: Desk) -> None:
    await bench.on_record(ordered("cust-text", name=INJECTED, company=INJECTED))
    customer = await id_of(desk, "C-1")
    await send(desk, customer, "notes", note=INJECTED, contact="chat")
    for path in ("", f"/{customer}", f"/{customer}/erase"):
        page = (await desk.get(f"/app/customers{path}?q=kim@example.com")).text
        assert "<img src=x" not in page
