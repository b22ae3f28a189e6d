"""The day over HTTP: the figures of rows that are made here, whose they are, and servers away."""

from __future__ import annotations

import html
import json
import re
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from domain.money import Price
from domain.orders.order import Order
from starter.service.days import Days
from store.database import Pool
from tests.support.bench import Bench
from tests.support.builders import an_order, shipping
from tests.support.desk import Desk, text_of

INJECTED = '"><img src=x onerror=alert(1)>{{7*7}}'
PATHS = (
    *("app/day", "app/day/report", "app/day/losses"),
    *("app/day/parcels?what=leave_late", "app/day/payments?what=charged"),
)


@pytest.fixture
async def bench(pool: Pool) -> Bench:
    bench = Bench(pool)
    each = Price(each=Decimal("14.00"), currency="USD")
    await bench.stocked("CUP", 9)
    await bench.stock.receive("first", "TEA", "main", 90, unit_cost=each, who="test", why="test")
    return bench


@pytest.fixture
async def desk(bench: Bench) -> Desk:
    return await Desk(bench.pool).signed_in("anna")


async def counted(bench: Bench) -> None:
    days = Days(bench.pool)
    (today,) = {one.today for one in await days.todays()}
    await days.count(today - timedelta(days=7), today)


async def sold(bench: Bench, channel: str = "web", **fields: Any) -> Order:
    """An order that has left and is charged: 15.00 for what has cost 14.00."""
    order = an_order(("TEA", 1, "10.00"), channel=channel, **fields)
    await bench.charged(await bench.at(order, "shipped"))
    return order


def tile(page: httpx.Response, title: str) -> str:
    """What a number says, with what it was before."""
    (found,) = re.findall(rf"<h3>{re.escape(title)}.*?</li>", page.text, re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", found).split())


async def test_the_number_of_tasks_is_that_of_the_list_it_leads_to(bench: Bench) -> None:
    """Also for a buyer, who may deal with none of these, and has none in the navigation."""
    for number in range(2):
        order = an_order(("TEA", 1, "10.00"), channel_order_id=f"stuck-{number}")
        await bench.take_in(order)
        await bench.pool.execute(
            "insert into attention (order_no, step, reason, allowed) "
            "values (order_no_of($1), 'charge', 'no answer', '{retry}')",
            order.order_id,
        )
    await counted(bench)
    buyer = await Desk(bench.pool).signed_in("ben", "buyer")
    page = await buyer.get("/app/day")
    title = "Tasks of everybody that wait for a person"
    assert tile(page, title).startswith(f"{title} 2 ")
    (link,) = re.findall(r'<h3>Tasks of everybody.*?href="([^"]*app/tasks[^"]*)"', page.text, re.S)
    listed = await buyer.get(html.unescape(link).replace("../", "/", 1))
    assert [f"web-stuck-{n}" in listed.text for n in range(2)] == [True, True]


async def test_the_worth_of_a_day_is_told_in_each_currency(bench: Bench, desk: Desk) -> None:
    for channel, currency in (("web", "USD"), ("web", "USD"), ("pos", "EUR"), ("pos", "KRW")):
        price = "13000" if currency == "KRW" else "10.00"
        order = an_order(
            ("TEA", 1, price), channel=channel, currency=currency, shipping=shipping("0")
        )
        await bench.take_in(order)
    await counted(bench)
    page = await desk.get("/app/day?currency=EUR")
    titles = re.findall(r"<h3>(Worth of these orders[^<]*)</h3>", page.text)
    assert titles[0] == "Worth of these orders in EUR", "the one that was chosen stands first"
    assert sorted(titles) == [f"Worth of these orders in {x}" for x in ("EUR", "KRW", "USD")]
    each = {"EUR": ("€10.00", 1), "KRW": ("₩13,000", 1), "USD": ("$20.00", 2)}
    for currency, (worth, orders) in each.items():
        shown = tile(page, f"Worth of these orders in {currency}")
        assert shown.startswith(f"Worth of these orders in {currency} {worth} "), shown
        (link,) = re.findall(rf'"([^"]*app/orders[^"]*currency={currency})"', page.text)
        listed = await desk.get(html.unescape(link))
        assert listed.text.count('name="order" value="') == orders
    other = await desk.get("/app/day?channel=web")
    assert re.findall(r"<h3>(Worth of these orders[^<]*)</h3>", other.text) == [
        "Worth of these orders"
    ]


async def test_the_day_shows_what_was_made_here(bench: Bench, desk: Desk) -> None:
    bad = await sold(bench)
    await sold(bench, "pos")
    await bench.refunded(bad, amount=Decimal("3.00"))
    old = an_order(("TEA", 1, "10.00"))
    await bench.take_in(old)
    await bench.pool.execute(
        "update customer_order set received_at = now() - interval '7 days' where order_id = $1",
        old.order_id,
    )
    await counted(bench)
    page = await desk.get("/app/day")
    assert page.status_code == 200, page.text
    assert tile(page, "Worth of these orders").startswith(
        "Worth of these orders $30.00 Day before, in all: $0.00; week before: $15.00"
    )
    assert "Orders taken 2" in tile(page, "Orders taken")
    assert "Parcels that left 2" in tile(page, "Parcels that left")
    assert tile(page, "Charged").startswith("Charged $30.00")
    assert tile(page, "Refunded").startswith("Refunded $3.00")
    assert "Look $2.00" in tile(page, "Lost with orders")
    assert "-$1.00" in tile(page, "Result by the books")
    text = text_of(page)
    assert f"{bad.order_id} web -$2.00 Goodwill. “scratched”" in text
    assert "Orders that lost money: 1" in text
    assert "Look" not in tile(page, "Parcels that left")
    assert "Counted" in text


async def test_the_sums_are_of_those_who_are_counted_and_name_the_others(
    bench: Bench, desk: Desk
) -> None:
    bad = await sold(bench)
    await bench.refunded(bad, amount=Decimal("3.00"))
    await counted(bench)
    await bench.pool.execute("insert into seller (seller, name) values ('uk', 'UK')")
    await bench.pool.execute(
        "insert into day_count (seller, day) select 'uk', day from day_count where seller = 'main'"
    )
    for path in ("app/day", "app/day/report"):
        text = text_of(await desk.get(f"/{path}"))
        assert "Not counted yet, and not in these sums: uk." in text
        assert "$15.00" in text
    assert "Orders that lost money: 1" in text_of(await desk.get("/app/day"))
    of_uk = text_of(await desk.get("/app/day?seller=uk"))
    assert "Orders that lost money: 0" not in of_uk


async def test_a_day_to_come_is_no_other_day(desk: Desk) -> None:
    for path in ("app/day", "app/day/report"):
        told = text_of(await desk.get(f"/{path}?day=2999-01-01"))
        assert "Jan 1, 2999 has not begun yet" in told
        assert "has not begun yet" not in text_of(await desk.get(f"/{path}"))


async def test_each_number_leads_to_what_it_counts(bench: Bench, desk: Desk) -> None:
    order = await sold(bench)
    late = an_order(("TEA", 1, "10.00"))
    part = await bench.at(late, "packed")
    await bench.pool.execute(
        "update fulfilment set promised_leave = current_date - 2, promised_on = current_date - 1 "
        "where fulfilment_id = $1",
        part,
    )
    await bench.refunded(order, amount=Decimal("2.00"))
    await counted(bench)
    page = await desk.get("/app/day")
    links = set(re.findall(r'<p class="big"><a href="\.\./([^"]+)"', page.text))
    assert len(links) == 18
    for link in links:
        listed = await desk.get(f"/{html.unescape(link)}")
        assert listed.status_code == 200, link
    shown = {
        "what=leave_late": part,
        "what=shipped": f"{order.order_id}:1",
        "what=charged&amp;currency=USD": "$15.00",
        "what=refunded&amp;currency=USD": "$2.00",
        "losses?currency=USD": order.order_id,
    }
    for name, expected in shown.items():
        (link,) = [one for one in links if one.endswith(name)]
        assert expected in (await desk.get(f"/{html.unescape(link)}")).text, name
    assert late.order_id not in (await desk.get("/app/day/parcels?what=shipped")).text


async def test_a_list_goes_on_behind_its_last_row(bench: Bench, desk: Desk) -> None:
    for _ in range(2):
        await sold(bench)
    whole = await bench.pool.fetch("select handed_over_at, fulfilment_id from shipment order by 1")
    paid = await bench.pool.fetch(
        "select settled_at, payment_key from payment_operation where kind = 'capture' order by 1"
    )
    for path, rows in (("parcels?what=shipped", whole), ("payments?what=charged", paid)):
        (at, first), (_, second) = rows
        behind = quote(json.dumps([at.isoformat(), first]))
        page = (await desk.get(f"/app/day/{path}&after={behind}")).text
        assert (first in page, second in page) == (False, True), path
    late = await bench.at(an_order(("TEA", 1, "10.00")), "packed")
    await bench.pool.execute(
        "update fulfilment set promised_leave = current_date - 1, promised_on = current_date "
        "where fulfilment_id = $1",
        late,
    )
    yesterday = await bench.pool.fetchval("select (current_date - 1)::text")
    for place, is_there in ((["2026-01-01", ""], True), ([yesterday, late], False)):
        page = (await desk.get(f"/app/day/parcels?after={quote(json.dumps(place))}")).text
        assert (late in page) == is_there


async def test_what_is_no_list_is_a_page_that_says_so(desk: Desk) -> None:
    for path in ("parcels?what=x", "payments?what=x"):
        answer = await desk.get(f"/app/day/{path}")
        assert (answer.status_code, "There is no such list." in answer.text) == (404, True)


@pytest.mark.parametrize(
    "odd",
    [
        *("currency=EURO", "currency=%F0", "day=0001-01-01", "day=9999-12-31"),
        *('after=["2026-11-30T00:00:00","x"]', 'after=["0001-01-01T00:00:00-14:00","x"]'),
        *('after=["9999-12-31","\\u0000"]', "after=[[[[["),
    ],
)
async def test_an_odd_address_shows_a_page(desk: Desk, odd: str) -> None:
    for path in PATHS:
        answer = await desk.get(f"/{path}{'&' if '?' in path else '?'}{odd}")
        assert answer.status_code == 200, path


async def test_losses_are_told_in_the_currency_that_is_asked_for(bench: Bench, desk: Desk) -> None:
    """No amount of one currency stands before or beside those of another as if it were more."""
    each = Price(each=Decimal("900"), currency="JPY")
    await bench.stock.receive("jp", "FAN", "main", 9, unit_cost=each, who="test", why="test")
    yen = an_order(("FAN", 1, "500"), currency="JPY", shipping=shipping("0"))
    await bench.charged(await bench.at(yen, "shipped"))
    bad = await sold(bench)
    await bench.refunded(bad, amount=Decimal("3.00"))
    await counted(bench)
    for currency, theirs, other in (("USD", bad, yen), ("JPY", yen, bad)):
        page = await desk.get(f"/app/day?currency={currency}")
        listed = await desk.get(f"/app/day/losses?currency={currency}")
        for one in (page, listed):
            assert (theirs.order_id in one.text, other.order_id in one.text) == (True, False)
        assert "Orders that lost money: 1" in text_of(page)
        assert f"In {'USD' if currency == 'JPY' else 'JPY'}: 1" in text_of(page)
        assert "1 × FAN: -¥900" in text_of(listed) or currency == "USD"
    both = text_of(await desk.get("/app/day/losses"))
    assert both.index(yen.order_id) < both.index(bad.order_id)
    assert "Refunds: -$3.00 scratched" in both


async def test_a_result_leads_to_the_entries_of_its_seller_and_currency(
    bench: Bench, desk: Desk
) -> None:
    await bench.pool.execute("insert into seller (seller, name) values ('aa', 'First')")
    order = await sold(bench)
    await counted(bench)
    assert "What is booked in another currency" not in text_of(await desk.get("/app/day"))
    each = Price(each=Decimal("900"), currency="JPY")
    await bench.stock.receive("jp", "FAN", "main", 9, unit_cost=each, who="test", why="test")
    foreign = an_order(("FAN", 1, "10.00"))
    await bench.charged(await bench.at(foreign, "shipped"))
    await counted(bench)
    page = await desk.get("/app/day?currency=USD")
    assert "What is booked in another currency" in text_of(page)
    (link,) = re.findall(r'href="\.\./([^"]+)" aria-label="Result by the books', page.text)
    assert "seller=main" in link
    entries = await desk.get(f"/{html.unescape(link)}")
    assert order.order_id in entries.text
    yen = await desk.get(f"/{html.unescape(link).replace('currency=USD', 'currency=JPY')}")
    assert (order.order_id in yen.text, foreign.order_id in yen.text) == (False, True)
    other = await desk.get("/app/money/ledger?seller=main&currency=CHF")
    assert order.order_id not in other.text
    both = {"order": foreign.order_id, "currency": "CHF"}
    assert "There is no entry" in text_of(await desk.get("/app/money/ledger", params=both))


async def test_somebody_for_one_channel_sees_its_figures_alone(bench: Bench) -> None:
    await sold(bench)
    theirs = await sold(bench, "pos")
    await bench.refunded(theirs, amount=Decimal("3.00"))
    await counted(bench)
    limited = await Desk(bench.pool).signed_in("ben", "lead", channels=("pos",))
    page = await limited.get("/app/day")
    assert "Orders taken 1" in tile(page, "Orders taken")
    assert tile(page, "Charged").startswith("Charged $15.00")
    assert "Queues and servers" not in page.text
    assert (await limited.get("/app/day?channel=web")).status_code == 404
    assert (await limited.get("/app/day?seller=other")).status_code == 404
    other = await Desk(bench.pool).signed_in("cleo", "lead", channels=("web",))
    for path in ("parcels?what=shipped", "payments?what=charged"):
        answer = await other.get(f"/app/day/{path}")
        assert (answer.status_code, theirs.order_id in answer.text) == (200, False), path
        assert theirs.order_id in (await limited.get(f"/app/day/{path}")).text, path


async def test_somebody_for_one_seller_sees_its_figures_alone(bench: Bench) -> None:
    bad = await sold(bench)
    await bench.refunded(bad, amount=Decimal("3.00"))
    await bench.pool.execute("insert into seller (seller, name) values ('uk', 'UK')")
    await counted(bench)
    limited = await Desk(bench.pool).signed_in("ben", "lead", sellers=("uk",))
    page = await limited.get("/app/day")
    assert page.status_code == 200
    assert "Orders taken 0" in tile(page, "Orders taken")
    assert (await limited.get("/app/day?seller=main")).status_code == 404
    books = await Desk(bench.pool).signed_in("cleo", "accountant", sellers=("uk",))
    answer = await books.get("/app/day/losses")
    assert (answer.status_code, bad.order_id in answer.text) == (200, False)


@pytest.mark.parametrize("path", PATHS)
async def test_nobody_sees_it_without_a_session(bench: Bench, path: str) -> None:
    assert (await Desk(bench.pool).get(f"/{path}")).url.path == "/app/sign-in"


async def test_who_may_not_see_money_sees_none(bench: Bench) -> None:
    bad = await sold(bench)
    await bench.refunded(bad, amount=Decimal("3.00"))
    await counted(bench)
    picker = await Desk(bench.pool).signed_in("paul", "warehouse")
    for path in ("app/day", "app/day/report"):
        page = await picker.get(f"/{path}")
        assert page.status_code == 200
        assert "$" not in text_of(page)
    assert "Queues and servers" not in (await picker.get("/app/day")).text
    for path in ("app/day/losses", "app/day/payments?what=charged"):
        assert (await picker.get(f"/{path}")).status_code == 403
    agent = await Desk(bench.pool).signed_in("ann", "agent")
    page = await agent.get("/app/day")
    assert tile(page, "Charged").startswith("Charged $15.00")
    assert "Result by the books" not in page.text
    assert (await agent.get("/app/day/losses")).status_code == 403


async def test_somebody_for_one_location_sees_no_stock_of_others(bench: Bench) -> None:
    await counted(bench)
    picker = await Desk(bench.pool).signed_in("paul", "warehouse", locations=("main",))
    other = await Desk(bench.pool).signed_in("pia", "warehouse")
    for path in ("app/day", "app/day/report"):
        assert "Sold out today" not in (await picker.get(f"/{path}")).text, path
        assert "Sold out today" in (await other.get(f"/{path}")).text, path


async def test_a_day_without_any_count_says_so(desk: Desk) -> None:
    page = await desk.get("/app/day")
    assert "No worker has counted" in text_of(page)
    assert "No figures yet." in text_of(page)
    assert "Temporal Look does not answer" in text_of(page)


async def test_figures_that_are_old_say_so(bench: Bench, desk: Desk) -> None:
    await counted(bench)
    await bench.pool.execute("update day_count set counted_at = counted_at - interval '9 minutes'")
    assert "These figures are old" in text_of(await desk.get("/app/day"))


async def test_a_day_of_the_past_shows_what_it_was(bench: Bench, desk: Desk) -> None:
    order = await sold(bench)
    await bench.pool.execute(
        "update customer_order set received_at = now() - interval '3 days' where order_id = $1",
        order.order_id,
    )
    await counted(bench)
    day = await bench.pool.fetchval("select (current_date - 3)::text")
    page = await desk.get(f"/app/day?day={day}")
    assert "Orders taken 1 Day before: 0" in tile(page, "Orders taken")
    assert "Queues and servers" not in page.text
    for odd in ("2026-13-01", "0001-01-01", "9999-12-31", "x"):
        assert (await desk.get(f"/app/day?day={odd}")).status_code == 200, odd


async def test_what_customers_wrote_is_shown_as_text(bench: Bench, desk: Desk) -> None:
    bad = await sold(bench)
    await bench.refunded(bad, amount=Decimal("3.00"))
    await bench.pool.execute("update refund set reason = $1", INJECTED)
    await counted(bench)
    for path in ("app/day", "app/day/losses", "app/day/report"):
        page = await desk.get(f"/{path}")
        assert "<img" not in page.text, path
        assert "{{7*7}}" in page.text, path


async def test_the_report_has_every_figure_beside_those_before(bench: Bench, desk: Desk) -> None:
    bad = await sold(bench)
    await bench.refunded(bad, amount=Decimal("3.00"))
    await counted(bench)
    text = text_of(await desk.get("/app/day/report"))
    assert "Parcels that left 1 0 0" in text
    assert "Charged, USD $15.00 $0.00 $0.00" in text
    assert bad.order_id in text


@pytest.mark.parametrize("language", ["ko", "de"])
async def test_it_is_read_in_other_languages(bench: Bench, language: str) -> None:
    bad = await sold(bench)
    await bench.refunded(bad, amount=Decimal("3.00"))
    await counted(bench)
    desk = await Desk(bench.pool).signed_in("anna", language=language)
    for path in PATHS:
        page = await desk.get(f"/{path}")
        assert page.status_code == 200, path
        assert "Counted" not in page.text
