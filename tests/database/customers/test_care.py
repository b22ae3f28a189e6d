"""Notes, consent and merges: seen together, undone exactly, and gone with the person."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import pytest

from activities.customers.retention import Persons
from domain.customers.care import CONSENT_KINDS, ConsentWord, NewNote
from domain.errors import NotFound, OrderloomError, Refused
from domain.orders.order import Order
from starter.service.customer_care import CustomerCare
from starter.service.customer_pages import CustomerPages
from starter.service.customers import Customers
from store.customers import care
from store.database import Pool
from tests.support.bench import Bench, at_once
from tests.support.builders import an_order
from tests.support.planted import CUSTOMER, SAID, left_of_it, planted

WHY: Any = {"who": "ann", "why": SAID[0]}
ASKED: Any = {"documents_years": -1, "who": "dpo", "why": "asked for by letter"}


def note(text: str) -> NewNote:
    return NewNote(note=text, contact="call")


def word(kind: str, *, given: bool) -> ConsentWord:
    return ConsentWord.model_validate({"kind": kind, "given": given, "how": "by phone"})


async def some(pool: Pool, *names: str) -> list[Order]:
    """An order of each of these: of C1, C2 and so on."""
    orders = [an_order(("TEA", 1), customer={"id": x, "name": x}) for x in names]
    await Bench(pool).on_record(*orders)
    return orders


async def everything(pool: Pool) -> str:
    """All that is known of customers, but for changes and merges that are undone."""
    tables = ("customer", "customer_note", "customer_consent", "order_person")
    rows = [await pool.fetch(f"select t::text from {table} t order by 1") for table in tables]
    return "\n".join(row[0] for row in itertools.chain(*rows))


async def test_a_merge_shows_two_as_one_and_its_undoing_leaves_all_as_it_was(pool: Pool) -> None:
    orders = await some(pool, "Ada", "Ada Lovelace", "Bo")
    pages, cares = CustomerPages(pool), CustomerCare(pool)
    await cares.note("C2", note("called"), who="ann")
    await cares.say("C2", word("marketing", given=True), who="ann")
    before = await everything(pool)
    await cares.merge("C2", "C1", **WHY)
    await cares.merge("C2", "C1", **WHY)
    for named in ("C1", "C2", "Ada Lovelace"):
        page = await pages.page(await pages.id_of(named))
        assert (page.customer_id, page.merged) == ("C1", ["C2"])
        assert {one.order_id for one in page.orders} == {x.order_id for x in orders[:2]}
        assert [one.note for one in page.notes] == ["called"]
        assert page.consent[0].given
    for text in ("Lovelace", "C2", orders[1].order_id):
        assert [x.customer_no for x in await pages.found(text)] == [1], text
    assert await cares.unmerge("C2", **WHY) == "C1"
    assert await everything(pool) == before
    (merge,) = await cares.merges("C1")
    assert (merge.customer_no, merge.into_no, merge.undone_by) == (2, 1, "ann")
    with pytest.raises(Refused, match="C2 is merged into no other") as refused:
        await cares.unmerge("C2", **WHY)
    assert refused.value.reason == "not_merged"
    told = await pool.fetch("select what from customer_change where customer_no = 2 order by 1")
    assert [row["what"] for row in told] == ["consent_changed", "created", "merged", "unmerged"]


async def test_chains_circles_and_what_is_not_there_are_refused(pool: Pool) -> None:
    orders = await some(pool, "a", "b", "c", "d", "e")
    cares = CustomerCare(pool)
    await cares.merge("C2", "C1", **WHY)
    await Customers(pool).erase("e", **ASKED)
    for one, other, reason in (
        ("C1", "C1", "same_customer"),
        ("C2", "C3", "already_merged"),
        ("C3", "C2", "merged_elsewhere"),
        ("C1", "C3", "has_merged"),
        ("C1", "C2", "merged_elsewhere"),
        ("C3", "C5", "being_erased"),
    ):
        with pytest.raises(Refused) as refused:
            await cares.merge(one, other, **WHY)
        assert refused.value.reason == reason, (one, other)
    await pool.execute("update customer_order set decision = 'closed'")
    await Customers(pool).erase("d", **ASKED)
    for one, other in (("C4", "C3"), ("C3", "C4"), ("C3", "C9"), ("x", "C3")):
        with pytest.raises(NotFound):
            await cares.merge(one, other, **WHY)
    assert len(orders) == 5


async def test_merges_at_once_make_neither_chains_nor_circles(pool: Pool) -> None:
    await some(pool, *"abcdef")
    ids = [f"C{n}" for n in range(1, 7)]
    cares = CustomerCare(pool)
    for _ in range(3):
        _, failed = await at_once(
            cares.merge(one, other, **WHY) for one, other in itertools.permutations(ids, 2)
        )
        assert {type(one) for one in failed} <= {Refused}
        chains = await pool.fetchval(
            "select count(*) from customer c join customer o on o.customer_no = c.into_no "
            "where o.into_no is not null"
        )
        merged = await pool.fetch("select 'C' || customer_no as id from customer where into_no > 0")
        open_ones = "select count(*) from customer_merge where undone_at is null"
        assert (chains, await pool.fetchval(open_ones)) == (0, len(merged))
        assert merged
        _, failed = await at_once(cares.unmerge(row["id"], **WHY) for row in merged)
        assert failed == []


async def test_erasing_one_of_those_who_are_one_erases_all(pool: Pool) -> None:
    bench = Bench(pool)
    guest = {key: value for key, value in CUSTOMER.items() if key != "id"}
    for customer in (CUSTOMER, guest, {**CUSTOMER, "id": "kd-zwirbelhuber-2"}):
        await bench.take_in(an_order(("TEA", 1), **{**planted(), "customer": customer}))
    cares = CustomerCare(pool)
    for one in ("C2", "C3"):
        await cares.note(one, note(f"{CUSTOMER['name']} called"), who="ann")
        await cares.say(one, ConsentWord(kind="reviews", given=True, how=SAID[1]), who="ann")
        await cares.merge(one, "C1", **WHY)
    await cares.unmerge("C2", who="ann", why=SAID[2])
    await cares.merge("C2", "C1", **WHY)
    handed = await Customers(pool).export("C3")
    assert [len(handed[part]) for part in ("orders", "notes", "consent", "merges")] == [3, 2, 2, 3]
    await pool.execute("update customer_order set decision = 'closed'")
    done = await Customers(pool).erase("C3", **ASKED)
    assert [one.outcome for one in done.orders] == ["erased"] * 3
    assert await left_of_it(pool) == {}
    for one in ("C1", "C2", "C3"):
        with pytest.raises(NotFound):
            await cares.note(one, note("late"), who="ann")
    gone = await pool.fetch("select customer_no from customer_change where what = 'erased'")
    assert sorted(row["customer_no"] for row in gone) == [1, 2, 3]


async def test_who_remains_is_erased_first_and_the_other_stands_alone(pool: Pool) -> None:
    first, _ = await some(pool, "a", "b")
    cares = CustomerCare(pool)
    await cares.merge("C2", "C1", **WHY)
    await pool.execute(
        "update customer_order set decision = 'closed' where order_id = $1", first.order_id
    )
    await Customers(pool).erase("C1", **ASKED)
    assert (await CustomerPages(pool).page("C2")).customer_id == "C2"
    (merge,) = await cares.merges("C2")
    assert (merge.why, merge.undone_why) == ("[erased]", "erased")


async def test_what_a_customer_wishes_is_asked_by_the_order(pool: Pool) -> None:
    first, second = await some(pool, "a", "b")
    cares = CustomerCare(pool)

    async def told(order: Order) -> list[bool]:
        async with pool.acquire() as conn:
            kinds = (*CONSENT_KINDS, "shipped")
            return [await care.may_be_told(conn, order.order_id, kind) for kind in kinds]

    assert await told(first) == [False, False, True, False, True]
    await cares.say("C1", word("marketing", given=True), who="ann")
    await cares.say("C2", word("delivery_updates", given=False), who="ann")
    assert await told(first) == [True, False, True, False, True]
    assert await told(second) == [False, False, False, False, True]
    await cares.merge("C2", "C1", **WHY)
    assert await told(first) == await told(second) == [True, False, False, False, True]
    consent = await cares.say("C2", word("marketing", given=False), who="ann")
    assert [(one.kind, one.given, len(one.said)) for one in consent] == [
        *(("marketing", False, 2), ("reviews", False, 0), ("delivery_updates", False, 1)),
        ("texts", False, 0),
    ]
    await cares.unmerge("C2", **WHY)
    assert await told(first) == [False, False, True, False, True], "a refusal outlives the merge"
    assert await told(second) == [False, False, False, False, True]
    async with pool.acquire() as conn:
        assert not await care.may_be_told(conn, "web-none", "marketing")


async def test_notes_go_with_a_guest_whose_mail_address_is_put_right(pool: Pool) -> None:
    bench = Bench(pool)
    for email in ("mina@x.exampel", "mina@x.example"):
        await bench.take_in(an_order(("TEA", 1), customer={"name": "Mina", "email": email}))
    cares = CustomerCare(pool)
    await cares.note("C1", note("moves house"), who="ann")
    await cares.say("C1", word("marketing", given=True), who="ann")
    await pool.execute(
        "update order_person set person = jsonb_set(person, '{customer,email}', "
        "'\"mina@x.example\"') where order_no = 1"
    )
    assert [one.note for one in await cares.notes("C2", at_most=9)] == ["moves house"]
    assert (await cares.consent("C2"))[0].given
    with pytest.raises(NotFound):
        await cares.notes("C1", at_most=9)


async def test_a_note_is_about_an_order_of_this_customer(pool: Pool) -> None:
    first, other, third = await some(pool, "a", "b", "c")
    cares = CustomerCare(pool)
    await cares.merge("C2", "C1", **WHY)
    for theirs in (first, other):
        about = NewNote(note="late", order_id=theirs.order_id)
        assert (await cares.note("C1", about, who="ann")).order_id == theirs.order_id
    for wrong in (third.order_id, "web-none"):
        with pytest.raises(NotFound, match="C1 has no order"):
            await cares.note("C1", NewNote(note="late", order_id=wrong), who="ann")


async def test_what_other_systems_were_told_goes_after_some_time(pool: Pool) -> None:
    await some(pool, "a", "b")
    await pool.execute("update customer_change set at = at - interval '8 days' where change_no = 1")
    await Persons(pool, changes_kept=timedelta(days=7)).forget()
    assert await pool.fetchval("select array_agg(customer_no) from customer_change") == [2]


async def test_nothing_of_a_refusal_is_an_unknown_fault(pool: Pool) -> None:
    await some(pool, "a")
    for wrong in ("C7", "", "C-1"):
        with pytest.raises(OrderloomError):
            await CustomerCare(pool).consent(wrong)
