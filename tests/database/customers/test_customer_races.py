"""Customers come, are merged, erased and handed out at once; nobody is lost or mixed up."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from domain.customers.care import NewNote
from domain.errors import NotFound, Refused
from domain.jobs.jobs import Maker
from domain.jobs.options import CustomersExport
from domain.money import Money
from domain.orders.order import Order
from starter.jobs.exports import export_of
from starter.service.credit import Credit
from starter.service.customer_care import CustomerCare
from starter.service.customer_pages import CustomerPages
from starter.service.customers import Customers
from starter.service.job_work import JobWork
from starter.service.jobs import Jobs
from starter.service.service import Records
from store.customers import people
from store.database import Connection, Pool
from tests.support.bench import Bench, at_once, until_one_waits
from tests.support.builders import an_order
from tests.support.planted import CUSTOMER, WORDS, found_in, planted

WHY: Any = {"who": "ann", "why": "one person"}
ASKED: Any = {"documents_years": -1, "who": "dpo", "why": "asked for by letter"}
CLOSED = "update customer_order set decision = 'closed'"

MORE = """
    insert into customer_order (order_id, channel, seller, channel_order_id, digest, document,
                                currency, total_minor, placed_at, policy)
    select 'web-more-' || n, channel, seller, 'more-' || n, digest, document, currency, total_minor,
           placed_at, policy
    from customer_order, unnest($1::text[]) with ordinality as more (customer, n)
    where order_no = 1
"""
THEIRS = """
    insert into order_person (order_no, customer_id, person)
    select order_no_of('web-more-' || n), customer,
           (select person from order_person p where p.customer_id = customer order by 1 limit 1)
    from unnest($1::text[]) with ordinality as more (customer, n)
"""


def of(name: str) -> Order:
    return an_order(("TEA", 1), customer={"id": name, "name": name})


async def some(pool: Pool, *names: str) -> None:
    """An order of each of these: of C1, C2 and so on."""
    await Bench(pool).on_record(*(of(name) for name in names))


async def orders_come(conn: Connection, *customers: str) -> None:
    """In one statement, an order of each of them, all of whom have ordered before."""
    await conn.execute(MORE, list(customers))
    await conn.execute(THEIRS, list(customers))


async def names_on(pool: Pool, customer: str) -> list[str]:
    """The channel's ids of the orders on a customer's page."""
    page = await CustomerPages(pool).page(customer)
    return sorted(str(one.value) for one in page.known_as if one.kind == "customer_id")


async def test_of_two_merges_in_opposite_directions_one_is_refused(pool: Pool) -> None:
    await some(pool, "a", "b", "c")
    cares = CustomerCare(pool)
    async with pool.acquire() as conn:
        async with conn.transaction():
            await conn.execute("select customers_merged(1, 2, 'ann', 'one')")
            rivals = [
                asyncio.create_task(cares.merge(*pair, **WHY))
                for pair in (("C2", "C1"), ("C2", "C3"), ("C3", "C1"))
            ]
            await until_one_waits(pool)
        _, refused = await at_once(rivals)
    assert sorted(one.reason for one in refused) == [
        *("has_merged", "merged_elsewhere", "merged_elsewhere")
    ]
    assert await names_on(pool, "C1") == await names_on(pool, "C2") == ["a", "b"]


async def test_an_order_that_comes_during_a_merge_is_on_the_one_page(pool: Pool) -> None:
    await some(pool, "a", "b")
    cares = CustomerCare(pool)
    async with pool.acquire() as conn:
        async with conn.transaction():
            await orders_come(conn, "b")
            await cares.merge("C2", "C1", **WHY)
        assert len(await Customers(pool).orders_of("C1")) == 3
        await cares.unmerge("C2", **WHY)
        async with conn.transaction():
            await conn.execute("select customers_merged(2, 1, 'ann', 'one')")
            await Bench(pool).take_in(of("b"))
    assert len(await Customers(pool).orders_of("C2")) == 4


async def test_orders_that_came_meanwhile_stay_with_whose_they_are_when_a_merge_is_undone(
    pool: Pool,
) -> None:
    await some(pool, "a", "b")
    cares, pages = CustomerCare(pool), CustomerPages(pool)
    await cares.merge("C2", "C1", **WHY)
    await some(pool, "a", "b", "b")
    assert len((await pages.page("C1")).orders) == 5
    await cares.unmerge("C2", **WHY)
    assert [len((await pages.page(one)).orders) for one in ("C1", "C2")] == [2, 3]
    assert (await names_on(pool, "C1"), await names_on(pool, "C2")) == (["a"], ["b"])


async def test_who_is_erased_while_being_merged_is_erased_with_the_other_one(pool: Pool) -> None:
    await some(pool, "a", "b")
    await pool.execute(CLOSED)
    async with pool.acquire() as conn:
        async with conn.transaction():
            await conn.execute("select customers_merged(2, 1, 'ann', 'one')")
            erasing = asyncio.create_task(Customers(pool).erase("a", **ASKED))
            await until_one_waits(pool)
        done = await erasing
    assert [one.outcome for one in done.orders] == ["erased", "erased"]
    assert await pool.fetchval("select count(*) from customer where erased_at is null") == 0


async def test_who_is_asked_to_be_erased_is_merged_with_nobody(pool: Pool) -> None:
    await some(pool, "a", "b")
    async with pool.acquire() as conn:
        async with conn.transaction():
            assert await people.hold(conn, "a") == [1]
            await people.ask(conn, [1])
            merging = asyncio.create_task(CustomerCare(pool).merge("C1", "C2", **WHY))
            await until_one_waits(pool)
        with pytest.raises(Refused) as refused:
            await merging
    assert refused.value.reason == "being_erased"


async def test_a_merge_of_one_who_is_just_erased_is_not_undone_a_second_time(pool: Pool) -> None:
    await some(pool, "a", "b")
    cares = CustomerCare(pool)
    await cares.merge("C2", "C1", **WHY)
    await pool.execute(CLOSED)
    async with pool.acquire() as conn:
        async with conn.transaction():
            assert await people.erase(conn, 2, years=-1, who="dpo", why="")
            undoing = asyncio.create_task(cares.unmerge("C2", **WHY))
            await until_one_waits(pool)
        with pytest.raises(NotFound):
            await undoing
    (merge,) = await cares.merges("C1")
    assert (merge.undone_by, merge.undone_why) == ("orderloom", "erased")


async def test_who_was_merged_into_one_who_is_erased_is_told_to_stand_alone(pool: Pool) -> None:
    await some(pool, "a", "b")
    await CustomerCare(pool).merge("C2", "C1", **WHY)
    await pool.execute(CLOSED)
    async with pool.acquire() as conn, conn.transaction():
        assert await people.erase(conn, 1, years=-1, who="dpo", why="")
    rows = await pool.fetch("select * from customer_change where change_no > 3 order by change_no")
    assert [(row["customer_no"], row["what"], row["into_no"]) for row in rows] == [
        *((2, "unmerged", 1), (1, "erased", None)),
    ]


async def test_several_orders_at_once_and_an_erasure_lock_customers_in_one_sequence(
    pool: Pool,
) -> None:
    await some(pool, "b", "a")
    async with pool.acquire() as erasing, pool.acquire() as coming:
        async with erasing.transaction():
            await erasing.execute("select from customer where customer_no = 1 for update")
            orders = asyncio.create_task(orders_come(coming, "a", "b"))
            await until_one_waits(pool)
            await erasing.execute("select from customer where customer_no = 2 for update")
        await orders
    assert await pool.fetchval("select count(*) from customer") == 2


async def test_a_mail_address_is_put_right_while_its_owner_orders_for_the_first_time(
    pool: Pool,
) -> None:
    bench = Bench(pool)
    right = {"name": "Mina", "email": "mina@x.example"}
    await bench.take_in(an_order(("TEA", 1), customer={**right, "email": "mina@x.exampel"}))
    await CustomerCare(pool).note("C1", NewNote(note="moves house"), who="ann")
    async with pool.acquire() as conn:
        async with conn.transaction():
            await conn.execute(MORE, ["x"])
            await conn.execute(
                "insert into order_person (order_no, customer_id, person) "
                "select order_no_of('web-more-1'), 'guest-web-more-1', $1",
                {"customer": right},
            )
            editing = asyncio.create_task(
                pool.execute(
                    "update order_person set person = jsonb_set(person, '{customer,email}', "
                    "'\"mina@x.example\"') where order_no = 1"
                )
            )
            await until_one_waits(pool)
        await editing
    (found,) = await CustomerPages(pool).found("mina@x.example")
    assert found.orders == 2
    assert [x.note for x in await CustomerCare(pool).notes(f"C{found.customer_no}", at_most=9)] == [
        "moves house"
    ]
    kinds = await pool.fetch(
        "select what from customer_change where customer_no = $1 order by 1", found.customer_no
    )
    assert [row["what"] for row in kinds] == ["created", "ordered"]


async def test_what_is_ours_and_what_is_a_channels_id_is_not_taken_for_the_same(
    pool: Pool,
) -> None:
    """Else somebody would be handed out, or erased, with somebody else."""
    await Credit(pool).grant("G1", "C1", Money(minor=500, currency="USD"), **WHY)
    await some(pool, "Ada", "C1", "C7")
    here = Customers(pool)
    for call in (here.export("C1"), here.orders_of("C1"), here.erase("C1", **ASKED)):
        with pytest.raises(Refused, match="C1 is our id of one customer") as refused:
            await call
        assert refused.value.reason == "several_customers"
    assert await pool.fetchval("select count(*) from order_person where asked_at is not null") == 0
    assert [x.customer_id for x in await here.orders_of("C2")] == ["C1"]
    assert [x.customer_id for x in await here.orders_of("C7")] == ["C7"], "C7 is nobody's of ours"
    assert len((await here.export("C2"))["credit"]) == 1
    await CustomerCare(pool).merge("C2", "C1", **WHY)
    assert len(await here.orders_of("C1")) == 2, "both are one person"


async def test_credit_of_a_channels_customer_is_not_of_ours_of_the_same_name(pool: Pool) -> None:
    await Credit(pool).grant("G1", "C1", Money(minor=500, currency="USD"), **WHY)
    await some(pool, "Ada")
    assert (await Customers(pool).export("C1"))["credit"] == []


async def test_an_export_that_has_read_somebody_who_is_erased_meanwhile_reads_anew(
    pool: Pool,
) -> None:
    await Bench(pool).take_in(an_order(("TEA", 1), **planted()))
    await some(pool, "Other")
    await pool.execute(CLOSED)
    jobs, work = Jobs(pool), JobWork(pool)
    job = await jobs.make(jobs.new_id(), "export_customers", CustomersExport(), Maker("anna"))
    await work.begin(job.job_id)
    standing = await work.begin(job.job_id)
    export = export_of(standing)
    read = await export.part(Records(pool), standing)
    assert found_in(read.content, WORDS)
    await Customers(pool).erase(CUSTOMER["id"], **ASKED)
    assert await work.write(standing, read, export.result(standing)), "it is left out"
    standing = await work.begin(job.job_id)
    assert not await work.write(
        standing, await export.part(Records(pool), standing), export.result(standing)
    )
    content = bytes(await pool.fetchval("select content from job_part"))
    assert found_in(content, WORDS) == []
    assert [json.loads(line)["customer_id"] for line in content.splitlines()] == ["C2"]
