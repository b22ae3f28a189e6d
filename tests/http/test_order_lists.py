"""Lists of orders on a screen: each filter, columns, pages, and the same as a file."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Any

import httpx
import pytest

from domain.orders.order import Order
from starter.web.desk import listing, order_files
from store.database import Pool
from tests.support.bench import Bench
from tests.support.builders import an_order, shipping
from tests.support.desk import Desk, text_of

INJECTED = '"><img src=x onerror=alert(1)>{{7*7}}'


@pytest.fixture
async def desk(pool: Pool) -> Desk:
    return await Desk(pool).signed_in("anna", "agent")


def listed(answer: httpx.Response) -> list[str]:
    """The orders of a list, as they stand there."""
    assert answer.status_code == 200, answer.text
    return re.findall(r'<th scope="row"><a href="[^"]*app/orders/([^"]+)"', answer.text)


async def rows_of(desk: Desk, query: str) -> list[dict[str, str]]:
    """The same list as a CSV file."""
    answer = await desk.get(f"/app/orders/export.csv?{query}")
    assert answer.status_code == 200, answer.text
    assert "attachment" in answer.headers["content-disposition"]
    assert answer.content.startswith(b"\xef\xbb\xbf"), "so that Excel reads names"
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


def ordered(number: str, *lines: Any, country: str = "KR", **fields: Any) -> Order:
    sent = shipping("5.00")
    sent["address"]["country"] = country
    return an_order(
        *lines or [("TEA", 1, "10.00")], channel_order_id=number, shipping=sent, **fields
    )


@pytest.fixture
async def orders(pool: Pool) -> dict[str, str]:
    """Orders that differ, by what is remarkable about each."""
    bench = Bench(pool)
    for sku in ("TEA", "POT"):
        await bench.stocked(sku, 100)
    await bench.stocked("CUP", 9, "annex")
    made = {
        "plain": ordered("plain"),
        "gone": ordered("gone"),
        "abroad": ordered("abroad", country="DE"),
        "pot": ordered("pot", ("POT", 2, "30.00"), placed_at="2026-11-25T10:00:00Z"),
        "annex": ordered("annex", ("CUP", 1, "8.00")),
        "till": ordered("till", channel="pos"),
        "won": ordered("won", ("TEA", 1, "9000"), currency="KRW"),
    }
    for name, order in made.items():
        await bench.at(order, "shipped" if name == "gone" else "confirmed")
    return {name: order.order_id for name, order in made.items()}


async def held(pool: Pool, order_id: str, note: str) -> None:
    async with pool.acquire() as conn, conn.transaction():
        await conn.execute(
            "insert into order_hold (order_no, hold_id, reason, note, owner, who) "
            "values (order_no_of($1), 'H1', 'other', $2, 'agent', 'test')",
            *(order_id, note),
        )


async def test_each_filter_leaves_what_it_names(
    pool: Pool, desk: Desk, orders: dict[str, str]
) -> None:
    await held(pool, orders["plain"], "look at it")
    await pool.execute(
        "insert into attention (order_no, step, reason) values (order_no_of($1), 'x', 'y')",
        orders["annex"],
    )
    await pool.execute(
        "update fulfilment set promised_leave = '2026-12-01', promised_on = '2026-12-03' "
        "where order_no = order_no_of($1)",
        orders["abroad"],
    )
    await pool.execute(
        "update customer_order set received_at = '2026-11-24T12:00:00Z' where order_id = $1",
        orders["till"],
    )
    for query, names in {
        "held=1": ["plain"],
        "needs=1": ["annex"],
        "goods=partly_fulfilled&state=in_fulfilment": ["gone"],
        "country=de": ["abroad"],
        "sku=POT": ["pot"],
        "sku=POT&country=DE": [],
        "location=annex": ["annex"],
        "channel=pos": ["till"],
        "placed_from=2026-11-25&placed_to=2026-11-25": ["pot"],
        "placed_from=2026-11-24": ["pot"],
        "received_from=2026-11-24&received_to=2026-11-24": ["till"],
        "received_from=2026-11-23T22:30:00Z&received_to=2026-11-24T22:30:00Z": ["till"],
        "received_to=2026-11-24&channel=pos": ["till"],
        "received_to=2026-11-24&state=confirmed&sku=TEA": ["till"],
        "promised_by=2026-12-03": ["abroad"],
        "promised_by=2026-12-02": [],
        "currency=KRW": ["won"],
        "currency=USD&total_from=40&total_to=70.00": ["pot"],
        "money=authorized&sku=CUP": ["annex"],
        "money=paid": [],
    }.items():
        found = listed(await desk.get(f"/app/orders?{query}"))
        assert found == [orders[name] for name in names], query
        if names:
            assert [row["order"] for row in await rows_of(desk, query)] == found, query


async def test_what_is_no_filter_is_not_applied_and_told(
    desk: Desk, orders: dict[str, str]
) -> None:
    for query, told in {
        "state=odd": "“State”",
        "total_from=10": "“Total from”",
        "currency=KRW&total_to=0.5": "“Total until”",
        "country=XX": "“Country”",
        "placed_from=2026-02-31": "“Placed from”",
        "received_to=yesterday": "“Received until”",
        "currency=EURO": "“Currency (such as EUR)”",
        "currency=USD&total_from=-1": "“Total from”",
        "currency=USD&total_from=..": "“Total from”",
        "placed_from=9999-12-31": "“Placed from”",
        "channel=elsewhere": "“Channel”",
    }.items():
        answer = await desk.get(f"/app/orders?{query}")
        # What was understood counts, on the page and in the addresses that lead on from it.
        left = {"KRW": ["won"], "USD": [x for x in orders if x != "won"]}
        names = next((left[x] for x in left if f"currency={x}" in query), list(orders))
        assert sorted(listed(answer)) == sorted(orders[x] for x in names), query
        assert told in text_of(answer), query
        file = await desk.get(f"/app/orders/export.csv?{query}")
        assert file.status_code == 422, query


async def test_pages_go_on_and_back_also_while_orders_come_in(
    pool: Pool, desk: Desk, orders: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "PAGE", 3)
    for sort, every in (
        ("oldest", list(orders.values())),
        ("", list(reversed(orders.values()))),
    ):
        pages, at = [], f"app/orders?sort={sort}&columns=total"
        while at:
            answer = await desk.get(f"/{at}")
            pages.append(listed(answer))
            at = link(answer, "next")
        assert [one for page in pages for one in page] == every
        assert [len(page) for page in pages] == [3, 3, 1]
        for page in reversed(pages[:-1]):
            answer = await desk.get(f"/{link(answer, 'prev')}")
            assert listed(answer) == page
        assert not link(answer, "prev")
    late = ordered("late")
    await Bench(pool).take_in(late)
    again = await desk.get(answer.url)
    assert listed(again) == pages[0]
    newer = await desk.get(f"/{link(again, 'prev')}")
    assert listed(newer) == [late.order_id]
    assert listed(await desk.get(f"/{link(newer, 'next')}")) == pages[0], (
        "none twice, none left out"
    )


def link(answer: httpx.Response, rel: str) -> str:
    found = re.search(rf'href="(?:\.\./|\./)*([^"]*)" rel="{rel}"', answer.text)
    return found[1].replace("&amp;", "&") if found else ""


async def test_a_list_looks_at_so_many_orders_and_says_where_it_stopped(
    desk: Desk, orders: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    page = desk.here.orders.listed

    async def short(*asked: Any, **more: Any) -> Any:
        return await page(*asked, **{**more, "looks_at": 2})

    monkeypatch.setattr(desk.here.orders, "listed", short)
    seen: list[str] = []
    at, looks = "app/orders?goods=partly_fulfilled", 0
    while at:
        answer = await desk.get(f"/{at}")
        seen += listed(answer)
        further = re.search(r'href="(?:\.\./|\./)*([^"]*)">Look further', answer.text)
        assert bool(further) == ("It was looked back until" in text_of(answer))
        at, looks = further[1].replace("&amp;", "&") if further else "", looks + 1
    assert seen == [orders["gone"]]
    assert looks == 4
    whole = await rows_of(desk, "goods=partly_fulfilled")
    assert [row["order"] for row in whole] == [orders["gone"]]


async def test_columns_are_chosen_and_a_file_has_the_same(
    pool: Pool, desk: Desk, orders: dict[str, str]
) -> None:
    await held(pool, orders["pot"], '=HYPERLINK("http://evil.example")')
    query = "sku=POT&columns=customer&columns=skus&columns=total&columns=held&columns=odd"
    answer = await desk.get(f"/app/orders?{query}")
    main = answer.text.partition("</main>")[0]
    heads = re.findall(r'<th scope="col"[^>]*>([^<]*)', main)
    assert heads == ["Select", "Order", "Customer", "Total, as ordered", "Held because", "SKUs"]
    assert "Kim Minji" in text_of(answer)
    assert "$65.00" in text_of(answer)
    (row,) = await rows_of(desk, query)
    assert row == {
        "order": orders["pot"],
        "customer": "Kim Minji",
        "skus": "POT",
        "held": 'other: =HYPERLINK("http://evil.example")',
        "total": "65.00",
    }
    lines = (await desk.get(f"/app/orders/export.jsonl?{query}")).text.splitlines()
    assert [json.loads(line) for line in lines] == [row]


async def test_who_ordered_is_told_to_those_who_may_read_it(
    pool: Pool, desk: Desk, orders: dict[str, str]
) -> None:
    page = await desk.get("/app/orders?sku=POT")
    heads = re.findall(r'<th scope="col"[^>]*>([^<]*)', page.text)
    assert heads[:4] == ["Select", "Order", "Customer", "Total, as ordered"]
    assert "Kim Minji" in text_of(page)
    assert "columns=" not in re.findall(r'href="([^"]*export.csv[^"]*)"', page.text)[0]
    (row,) = await rows_of(desk, "sku=POT")
    assert row["customer"] == "Kim Minji"
    picker = await Desk(pool, desk.app).signed_in("cy", "warehouse")
    theirs = await picker.get("/app/orders?sku=POT")
    assert orders["pot"] in theirs.text
    assert "Kim Minji" not in theirs.text
    assert "columns=" not in re.findall(r'href="([^"]*export.csv[^"]*)"', theirs.text)[0]


async def test_no_cell_of_a_file_is_a_formula(pool: Pool, desk: Desk) -> None:
    evil = "=cmd|'/C calc'!A0"
    for number, name in enumerate((evil, "+1", "-1", "@x", "\t=1", "\uff1d1", INJECTED)):
        customer = {"id": f"C-{number}", "name": name}
        await Bench(pool).take_in(ordered(f"evil-{number}", customer=customer))
    names = [row["customer"] for row in await rows_of(desk, "columns=customer&sort=oldest")]
    assert names == [f"'{evil}", "'+1", "'-1", "'@x", "'=1", "'\uff1d1", INJECTED]
    page = (await desk.get("/app/orders?columns=customer")).text
    assert "<img src=x" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;{{7*7}}" in page


async def test_a_file_ends_somewhere_and_says_so(
    desk: Desk, orders: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(order_files, "ROWS_MAX", 4)
    monkeypatch.setattr(order_files, "_TOGETHER", 3)
    rows = [row["order"] for row in await rows_of(desk, "")]
    assert rows == [*list(reversed(orders.values()))[:4], "... 4"]
    last = (await desk.get("/app/orders/export.jsonl")).text.splitlines()[-1]
    assert json.loads(last) == {"cut_after": 4}
    for rows_max in (len(orders), len(orders) + 1):
        monkeypatch.setattr(order_files, "ROWS_MAX", rows_max)
        rows = [row["order"] for row in await rows_of(desk, "")]
        assert rows == list(reversed(orders.values())), "it is whole, and says nothing"


async def test_somebody_sees_their_channels_alone(
    pool: Pool, desk: Desk, orders: dict[str, str]
) -> None:
    pos = await Desk(pool, desk.app).signed_in("ben", "agent", channels=["pos"])
    assert listed(await pos.get("/app/orders")) == [orders["till"]]
    assert listed(await pos.get("/app/orders?sku=TEA&country=KR")) == [orders["till"]]
    every, own = [(await who.get("/app/orders")).text for who in (desk, pos)]
    assert re.findall(r'<option value="(DE|KR|FR)"', every) == ["DE", "KR"]
    assert len(re.findall(r'<option value="(DE|KR|FR)"', own)) == 3, "not where others' orders go"
    assert [row["order"] for row in await rows_of(pos, "sort=oldest")] == [orders["till"]]
    picker = await Desk(pool, desk.app).signed_in("cy", "warehouse")
    page = await picker.get("/app/orders?columns=customer")
    assert "Kim Minji" not in page.text
    assert "Kim Minji" not in (await picker.get("/app/orders/export.csv?columns=customer")).text
    buyer = await Desk(pool, desk.app).signed_in("dee", "buyer")
    assert (await buyer.get("/app/orders/export.csv")).status_code == 200
    out = Desk(pool, desk.app)
    assert (await out.get("/app/orders/export.csv")).url.path == "/app/sign-in"
