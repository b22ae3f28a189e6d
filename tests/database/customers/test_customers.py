"""Customers come with their orders, are found by what somebody has in hand, and go when erased."""

from __future__ import annotations

import asyncio
import unicodedata
from typing import Any

import pytest

from domain.errors import NotFound, Refused
from domain.orders.order import Order
from starter.service.customer_pages import CustomerPages
from starter.service.customers import Customers, Part
from store.customers import people
from store.database import Pool
from tests.support.bench import Bench, at_once, until_one_waits
from tests.support.builders import an_order
from tests.support.planted import ADDRESS, BILLING, CUSTOMER, left_of_it, planted

ANOTHER = """
    insert into customer_order (order_id, channel, seller, channel_order_id, digest, document,
                                currency, total_minor, placed_at, policy)
    select 'web-2', channel, seller, '2', digest, document, currency, total_minor, placed_at, policy
    from customer_order
"""
OF_THE_SAME = """
    insert into order_person (order_no, customer_id, person)
    select 2, customer_id, person from order_person
"""
ASKED: Any = {"documents_years": -1, "who": "dpo", "why": "asked for by letter"}


def of(customer: dict[str, Any], **fields: Any) -> Order:
    return an_order(("TEA", 1, "10.00"), customer=customer, **fields)


def guest(email: str | None = None, name: str = "Mina Yoon") -> Order:
    return of({"name": name} | ({} if email is None else {"email": email}))


async def keys(pool: Pool) -> list[str]:
    return [row["key"] for row in await pool.fetch("select key from customer order by key")]


async def found(pool: Pool, text: str, **part: Any) -> list[str]:
    """The names of whom a text finds."""
    rows = await CustomerPages(pool).found(text, part=Part(**part))
    return sorted(row.name or "" for row in rows)


async def erased(pool: Pool, customer: str) -> None:
    await pool.execute("update customer_order set decision = 'closed'")
    await Customers(pool).erase(customer, **ASKED)


async def test_a_channels_id_is_one_customer_and_a_mail_address_is_one_guest(pool: Pool) -> None:
    bench = Bench(pool)
    nobody = guest()
    await bench.on_record(
        *(of({"id": "A", "name": "Kim"}), of({"id": "B", "name": "Kim"})),
        *(of({"id": "A", "name": "Kim", "email": "kim@x.example"}), nobody),
        *(guest("Kim@X.example"), guest("kim@x.example")),
    )
    await bench.take_in(guest("KIM@x.example"))
    assert await keys(pool) == [
        *("id:A", "id:B", f"id:guest-{nobody.order_id}", "mail:kim@x.example"),
    ]
    pages = CustomerPages(pool)
    orders = [sum(x.orders for x in (await pages.page(f"C{n}")).sums) for n in (1, 2)]
    assert orders == [2, 1]
    with pytest.raises(Refused, match="names several customers: C1, C4") as refused:
        await pages.id_of("kim@X.example")
    assert refused.value.reason == "several_customers"


async def test_many_new_customers_at_once_are_each_made_once(pool: Pool) -> None:
    bench = Bench(pool)
    names = [f"N{number:02}" for number in range(40)]
    batches = [names, names[::-1], names[20:] + names[:20]]
    _, failed = await at_once(
        bench.on_record(*(of({"id": name, "name": name}) for name in batch)) for batch in batches
    )
    assert failed == []
    assert await keys(pool) == [f"id:{name}" for name in names]


async def changed_mail(pool: Pool, order: Order, email: str) -> None:
    await pool.execute(
        "update order_person set person = jsonb_set(person, '{customer,email}', to_jsonb($2::text))"
        " where order_no = order_no_of($1)",
        *(order.order_id, email),
    )


async def test_a_guest_whose_mail_address_is_put_right_is_the_same_customer(pool: Pool) -> None:
    bench = Bench(pool)
    first, second = guest("mina@x.exampel"), guest("yoon@x.example")
    await bench.on_record(first, second)
    await changed_mail(pool, first, "mina@x.example")
    assert await keys(pool) == ["mail:mina@x.example", "mail:yoon@x.example"]
    assert await CustomerPages(pool).id_of("mina@x.example") == "C1"
    await changed_mail(pool, first, "yoon@x.example")
    assert await keys(pool) == ["erased:1", "mail:yoon@x.example"]
    assert sum(x.orders for x in (await CustomerPages(pool).page("C2")).sums) == 2


async def test_who_is_erased_is_neither_found_nor_shown_and_comes_back_as_another(
    pool: Pool,
) -> None:
    bench = Bench(pool)
    await bench.on_record(an_order(("TEA", 1), **planted()), an_order(("TEA", 1), **planted()))
    assert len(await found(pool, CUSTOMER["name"])) == 1
    await erased(pool, CUSTOMER["id"])
    assert await left_of_it(pool) == {}
    for text in ("C1", *CUSTOMER.values(), ADDRESS["name"], "erased", "erased-1"):
        assert await found(pool, text) == [], text
    with pytest.raises(NotFound):
        await CustomerPages(pool).page("C1")
    await bench.take_in(an_order(("TEA", 1), **planted()))
    assert await CustomerPages(pool).id_of(CUSTOMER["id"]) == "C2"


async def test_who_orders_while_being_erased_is_another_customer(pool: Pool) -> None:
    bench = Bench(pool)
    await bench.take_in(an_order(("TEA", 1), **planted()))
    await pool.execute("update customer_order set decision = 'closed'")
    async with pool.acquire() as conn:
        async with conn.transaction():
            assert await people.erase(conn, 1, years=-1, who="dpo", why="")
            coming = asyncio.create_task(bench.take_in(an_order(("TEA", 1), **planted())))
            await until_one_waits(pool)
        await coming
    assert await keys(pool) == ["erased:1", f"id:{CUSTOMER['id']}"]


async def test_who_is_erased_while_an_order_comes_stays_for_that_order(pool: Pool) -> None:
    bench = Bench(pool)
    await bench.take_in(an_order(("TEA", 1), **planted()))
    await pool.execute("update customer_order set decision = 'closed'")
    async with pool.acquire() as conn:
        async with conn.transaction():
            await conn.execute(ANOTHER)
            await conn.execute(OF_THE_SAME)
            erasing = asyncio.create_task(Customers(pool).erase(CUSTOMER["id"], **ASKED))
            await until_one_waits(pool)
        await erasing
    assert await keys(pool) == [f"id:{CUSTOMER['id']}"]


DECOMPOSED = unicodedata.normalize("NFD", "Renée Fontaine")


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("KD-7", "Xaverine Müller-Lüdenscheidt"),
        ("xaverine@mail.example", "Xaverine Müller-Lüdenscheidt"),
        ("XAVERINE@mail.example", "Xaverine Müller-Lüdenscheidt"),
        ("6554", "Xaverine Müller-Lüdenscheidt"),
        ("089 / 776 6554", "Xaverine Müller-Lüdenscheidt"),
        ("web-1001", "Xaverine Müller-Lüdenscheidt"),
        ("1001", "Xaverine Müller-Lüdenscheidt"),
        ("#1002", "김민수"),
        ("lüden xav", "Xaverine Müller-Lüdenscheidt"),
        ("Federki", "Xaverine Müller-Lüdenscheidt"),
        ("Seifensied", "Xaverine Müller-Lüdenscheidt"),
        ("김민", "김민수"),
        ("민수", "김민수"),
        ("수", None),
        ("प्रिया", "प्रिया शर्मा"),
        ("शर्मा प्रि", "प्रिया शर्मा"),
        ("rené", DECOMPOSED),
        (DECOMPOSED, DECOMPOSED),
        ("+82 10 1234 5678", "김민수"),
        ("0082-10-1234-5678", "김민수"),
        ("010 1234 5678", "김민수"),
        ("+49 (0)89 7766554", "Xaverine Müller-Lüdenscheidt"),
        ("+1 202 010 1234 5678", None),
        ("C2", "김민수"),
        ("xaverine@mail", None),
        ("554", None),
        ("00000000", None),
        ("udensch", None),
        ("x", None),
        ("'; drop table customer; --", None),
        ("%", None),
        ("C0", None),
        ("C99999999999999999999", None),
    ],
)
async def test_customers_are_found(pool: Pool, text: str, who: str | None) -> None:
    bench = Bench(pool)
    one = {
        "id": "KD-7",
        "name": "Xaverine Müller-Lüdenscheidt",
        "email": "Xaverine@mail.example",
        "phone": "+49 89 7766554",
        "company": "Seifensiederei",
    }
    await bench.take_in(of(one, channel_order_id="1001", billing=BILLING))
    await bench.take_in(
        of({"id": "2", "name": "김민수", "phone": "010-1234-5678"}, channel_order_id="#1002")
    )
    for number, name in (("3", "प्रिया शर्मा"), ("4", DECOMPOSED)):
        await bench.take_in(of({"id": number, "name": name}))
    assert await found(pool, text) == ([] if who is None else [who])


async def test_who_sees_a_channel_finds_and_sees_its_orders_alone(pool: Pool) -> None:
    bench = Bench(pool)
    kim = {"id": "A", "name": "Kim", "email": "kim@x.example"}
    await bench.on_record(
        *(of(kim, channel="web"), of({**kim, "name": "Zoe"}, channel="b2b")),
        of({"id": "B", "name": "Bo"}, channel="b2b"),
    )
    assert await found(pool, "kim@x.example", channels=["web"]) == ["Kim"]
    assert await found(pool, "kim@x.example") == ["Zoe"]
    for text in ("B", "Bo", "C2", "Zoe"):
        assert await found(pool, text, channels=["web"]) == [], text
    pages = CustomerPages(pool)
    page = await pages.page("C1", part=Part(channels=["web"]))
    assert [x.value for x in page.known_as if x.kind == "name"] == ["Kim"]
    assert [order.channel for order in page.orders] == ["web"]
    for part in (Part(channels=["web"]), Part(sellers=["none"])):
        with pytest.raises(NotFound):
            await pages.page("C2", part=part)
        with pytest.raises(NotFound):
            await pages.orders("C2", part=part, at_most=2)


async def test_a_page_adds_up_what_was_ordered_paid_and_paid_back(pool: Pool) -> None:
    bench = Bench(pool)
    await bench.stocked("TEA", 9)
    kim = {"id": "A", "name": "Kim"}
    delivered = of(kim, currency="EUR")
    await bench.charged(await bench.at(delivered, "delivered"))
    await bench.grant(delivered, amount="1.00")
    rejected = an_order(("NONE", 1, "99.00"), customer=kim, currency="EUR")
    await bench.reserve(rejected)
    await bench.take_in(an_order(("TEA", 3, "10"), customer=kim, currency="JPY"))
    page = await CustomerPages(pool).page("C1", rows=2)
    euros, yen = page.sums
    assert (euros.orders, euros.orders_not_kept) == (2, 1)
    assert (euros.ordered_minor, euros.paid_minor) == (1500, 1500)
    assert (euros.paid_back_minor, euros.owed_back_minor) == (0, 100)
    assert (euros.units_delivered, str(euros.returned_percent)) == (1, "0.0")
    assert (yen.currency, yen.orders, yen.ordered_minor) == ("JPY", 1, 35)
    assert [order.order_id for order in page.orders][1] == rejected.order_id
    assert [(one.kind, one.state, one.amount_minor) for one in page.happened] == [
        ("refund", "owed", 100)
    ]
    assert [task.kind for task in page.tasks] == ["refund"]
    rest = await CustomerPages(pool).orders("C1", after=page.orders[-1].order_no, at_most=9)
    assert [order.order_id for order in rest] == [delivered.order_id]


async def test_a_page_shows_what_the_customer_was_told(pool: Pool) -> None:
    bench = Bench(pool)
    await bench.take_in(of({"id": "A", "name": "Kim", "email": "kim@x.example"}))
    await pool.execute(
        "insert into message (order_no, event_id, kind, state) "
        "select order_no, event_id, 'received', 'planned' from order_event"
    )
    (told,) = (await CustomerPages(pool).page("C1")).messages
    assert (told.order_id.partition("-")[0], told.kind) == ("web", "received")
    assert (await CustomerPages(pool).page("C1", part=Part(channels=["web"]))).messages == []
