"""The audit names whatever does not agree about customers, each by who it is about."""

from __future__ import annotations

from typing import Final

from domain.customers.care import ConsentWord, NewNote
from starter.service.customer_care import CustomerCare
from starter.service.customers import Customers
from store.database import Pool
from store.views.audit_checks import faults
from tests.support.bench import Bench
from tests.support.builders import an_order

# {a}, {b} and {c} are customers of no order; {b} is erased where it says so.
MERGED: Final = """
    insert into customer_merge (customer_no, into_no, who, why) values ({a}, {b}, 'x', 'x');"""
INTO: Final = "update customer set into_no = {b} where customer_no = {a};"
ERASED: Final = """
    update customer set erased_at = now(), key = 'erased:{b}' where customer_no = {b};"""

PLANTS: Final = (
    ("delete from customer where key = 'id:x'", "web-1", "no customer has the key of its person"),
    ("delete from order_person where order_no = 2", "web-2", "its person is nowhere"),
    ("", "C{a}", "is known, and has no order"),
    (INTO, "C{a}", "is merged into C{b}, but its merges say none"),
    (MERGED, "C{a}", "is merged into none, but its merges say C{b}"),
    (
        f"{MERGED} update customer set into_no = {{c}} where customer_no = {{a}};",
        "C{a}",
        "is merged into C{c}, but its merges say C{b}",
    ),
    (
        f"{INTO} update customer set into_no = {{c}} where customer_no = {{b}}",
        "C{a}",
        "is merged into C{b}, who is merged into C{c}",
    ),
    (f"{INTO} {ERASED}", "C{a}", "is merged into C{b}, who is erased"),
    (
        f"""{ERASED} insert into customer_note (customer_no, contact, note, who)
        values ({{b}}, 'call', 'x', 'x')""",
        "C{b}",
        "is erased, but has 1 notes",
    ),
    (
        f"""{ERASED} insert into customer_consent (customer_no, kind, given, how, who)
        values ({{b}}, 'reviews', true, 'x', 'x')""",
        "C{b}",
        "is erased, but has 1 wishes",
    ),
    (
        f"""{ERASED} insert into customer_segment_member (customer_no, segment)
        values ({{b}}, 'all')""",
        "C{b}",
        "is erased, but has 1 segments",
    ),
    (f"{MERGED} {ERASED}", "C{b}", "is erased, but has 1 reasons of merges"),
    (
        """update order_person set erased_at = now() where order_no = 3;
        insert into message (order_no, event_id, kind, state, answer)
        select order_no, event_id, 'shipped', 'refused', 'x' from order_event where order_no = 3""",
        "web-3",
        "its person is erased, but 1 answers of mail servers are kept",
    ),
)


async def found(pool: Pool, *statements: str) -> set[tuple[str, str]]:
    """What the audit says of customers after these, which are undone: about whom, and what."""
    async with pool.acquire() as conn:
        undone = conn.transaction()
        await undone.start()
        # Triggers and foreign keys sleep: what is planted is what must not be.
        await conn.execute("set local session_replication_role = replica")
        for one in statements:
            await conn.execute(one)
        violations, _ = await faults(conn)
        await undone.rollback()
    return {(one.subject, one.message) for one in violations if one.rule == "customers"}


async def test_it_names_each_fault_and_nothing_else(pool: Pool) -> None:
    bench, cares = Bench(pool), CustomerCare(pool)
    for number, name in enumerate("xyzuv", start=1):
        customer = {"id": name, "name": name}
        await bench.take_in(an_order(("TEA", 1), customer=customer, channel_order_id=str(number)))
    why = {"who": "ann", "why": "one person"}
    await cares.merge("C5", "C4", **why)
    await cares.note("C5", NewNote(note="called"), who="ann")
    await cares.say("C4", ConsentWord(kind="marketing", given=True, how="by phone"), who="ann")
    assert await found(pool) == set()
    await pool.execute("update customer_order set decision = 'closed' where order_no = 5")
    await Customers(pool, documents_years=-1).erase("C4", who="dpo", why="asked for by letter")
    assert await found(pool) == set()

    planted, expected = [], set()
    for number, (sql, subject, message) in enumerate(PLANTS):
        ids = {name: 1000 + 10 * number + place for place, name in enumerate("abc")}
        planted.append(
            "insert into customer (customer_no, key) overriding system value values "
            + ", ".join(f"({one}, 'id:planted-{one}')" for one in ids.values())
        )
        planted.append(sql.format(**ids) or "select")
        expected.add((subject.format(**ids), message.format(**ids)))
    named = await found(pool, *planted)
    assert expected - named == set()
    # Of the others, those alone whose orders were spoilt.
    others = {subject for subject, _ in named if subject.startswith("C") and len(subject) < 5}
    assert others == {"C2", "C3"}
