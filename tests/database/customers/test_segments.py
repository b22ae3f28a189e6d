"""Segments look at orders in one question for many customers; CRMs get files of them."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from activities.customers.retention import Persons
from domain.customers.care import ConsentWord
from domain.customers.segments import SEGMENTS_MAX, Segment
from domain.errors import InvalidInput, NotFound, Refused
from domain.jobs.jobs import Maker
from domain.jobs.options import CustomersExport
from starter.demo.crm import cared_for
from starter.jobs.contacts import written
from starter.jobs.exports import export_of
from starter.service.customer_care import CustomerCare
from starter.service.customer_changes import CustomerChanges
from starter.service.customer_pages import CustomerPages
from starter.service.customers import Customers
from starter.service.job_work import JobWork
from starter.service.jobs import Jobs
from starter.service.segments import Segments
from starter.service.service import Records
from store.customers import segments as rows
from store.database import Pool
from tests.support.bench import Bench
from tests.support.builders import an_order
from tests.support.planted import CUSTOMER, WORDS, found_in, left_of_it, planted
from tests.support.round_trips import counting_pool

ASKED: Any = {"documents_years": -1, "who": "dpo", "why": "asked for by letter"}
WHY: Any = {"who": "ann", "why": "one person"}


def a_segment(name: str, **rules: Any) -> Segment:
    return Segment.model_validate({"segment": name, **rules})


async def bought(pool: Pool, name: str, *quantities: int, **fields: Any) -> None:
    orders = [
        an_order(("TEA", x, "10.00"), customer={"id": name, "name": name}, **fields)
        for x in quantities
    ]
    await Bench(pool).on_record(*orders)


async def ids(pool: Pool, segment: str) -> list[str]:
    found = await Segments(pool).members(segment, at_most=100)
    return [f"C{one.contact.customer_no}" for one in found]


async def test_members_follow_from_the_orders_and_from_merges(pool: Pool) -> None:
    await bought(pool, "Ada", 1, 2)
    await bought(pool, "Bo", 1)
    await bought(pool, "Cy", 1, currency="EUR")
    await bought(pool, "Di", 9, channel="b2b")
    await pool.execute("update customer_order set decision = 'rejected' where order_no = 5")
    here = Segments(pool)
    await here.save(
        [
            a_segment("twice", orders={"at_least": 2}),
            a_segment("usd", worth=[{"currency": "USD", "of": "ordered", "at_least": "35.00"}]),
            a_segment("b2b", channels=["b2b"]),
            a_segment("asked", consent="marketing"),
        ],
        who="ann",
    )
    assert await ids(pool, "twice") == ["C1"]
    assert await ids(pool, "usd") == ["C1"], "what was rejected does not count"
    assert await ids(pool, "b2b") == ["C4"]
    assert await ids(pool, "asked") == []
    cares = CustomerCare(pool)
    await cares.merge("C3", "C2", **WHY)
    await cares.say("C3", ConsentWord(kind="marketing", given=True, how="by phone"), who="ann")
    assert await ids(pool, "twice") == ["C1", "C2"]
    assert (await CustomerPages(pool).page("C3")).segments == ("asked", "twice")
    await cares.unmerge("C3", **WHY)
    assert await ids(pool, "twice") == ["C1"]
    assert await ids(pool, "asked") == ["C2", "C3"]


async def test_what_is_paid_and_sent_back_counts(pool: Pool) -> None:
    bench = Bench(pool)
    await bench.stocked("TEA", 9)
    order = an_order(("TEA", 2, "10.00"), customer={"id": "A", "name": "Ada"})
    await bench.charged(await bench.at(order, "delivered"))
    async with pool.acquire() as conn:
        (one,), more = await rows.contacts(conn, at_most=5)
    assert more is None
    assert one.facts.worth["USD"] == {"ordered": 2500, "paid": 2500, "kept": 2500}
    assert (one.facts.units_delivered, one.facts.units_returned) == (2, 0)
    assert one.facts.countries == ["KR"]


async def test_segments_are_kept_whole_read_and_forgotten(pool: Pool) -> None:
    here = Segments(pool)
    await here.save([a_segment("a", channels=["web"]), a_segment("b", channels=["web"])], who="ann")
    await here.save([a_segment("b", orders={"at_least": 2})], who="bo")
    assert [(one.segment, one.changed_by) for one in await here.list()] == [
        ("a", "ann"),
        ("b", "bo"),
    ]
    assert (await here.list())[1].set_as == a_segment("b", orders={"at_least": 2})
    await here.remove("a")
    for lost in (here.remove("a"), here.members("a", at_most=1), here.check_known("a")):
        with pytest.raises(NotFound, match="there is no segment a"):
            await lost
    await pool.execute("update customer_segment set document = '{\"mood\": 1}'")
    with pytest.raises(InvalidInput, match="cannot read segment b"):
        await here.members("b", at_most=1)
    many = [a_segment(f"s{n}", channels=["web"]) for n in range(SEGMENTS_MAX)]
    with pytest.raises(Refused) as refused:
        await here.save(many, who="ann")
    assert refused.value.reason == "too_many_segments"
    assert len(await here.list()) == 1


async def test_many_customers_take_one_question(pool: Pool, database_url: str) -> None:
    await Bench(pool).on_record(
        *(an_order(("TEA", 1), customer={"id": f"N{n}", "name": f"N{n}"}) for n in range(50))
    )
    await Segments(pool).save([a_segment("all", orders={"at_least": 1})], who="ann")
    sent = []
    async with counting_pool(database_url) as trips:
        for at_most in (2, 60):
            with trips.counted() as asked:
                found = await Segments(trips.pool).block(segment="all", at_most=at_most)
            sent.append((len(found.members), len(asked)))
    assert sent == [(2, 2), (50, 2)]


CSV_INJECTED = {"id": "X", "name": "=HYPERLINK(1) @SUM", "company": "-1+1", "phone": "+82 2 555"}


@pytest.mark.parametrize("format_", ["hubspot", "salesforce"])
async def test_a_table_for_a_crm_holds_no_formula(pool: Pool, format_: Any) -> None:
    await Bench(pool).take_in(an_order(("TEA", 1), customer=CSV_INJECTED))
    found = await Segments(pool).block()
    header, row = csv.reader(io.StringIO(written(found.members, format_, is_first=True)))
    told = dict(zip(header, row, strict=True))
    names = ("First name", "Last name", "Phone number")
    if format_ == "salesforce":
        names = ("FirstName", "LastName", "Phone")
        assert told["HasOptedOutOfEmail"] == "true"
    assert [told[name] for name in names] == ["'=HYPERLINK(1)", "'@SUM", "+82 2 555"]
    assert not [cell for cell in row if cell.startswith(("=", "-", "@"))]
    assert {"C1", "1", "KR", "1 Sejong-daero"} <= set(row)


async def test_a_job_writes_those_who_wish_it_part_by_part(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("starter.jobs.exports.CUSTOMERS_A_PART", 2)
    for name in "abcde":
        await bought(pool, name, 1)
    for one in ("C1", "C4", "C5"):
        word = ConsentWord(kind="marketing", given=True, how="by phone")
        await CustomerCare(pool).say(one, word, who="ann")
    jobs, work = Jobs(pool), JobWork(pool)
    job = await jobs.make(
        jobs.new_id(), "export_customers", CustomersExport(consent="marketing"), Maker("anna")
    )
    await work.begin(job.job_id)
    goes_on = True
    while goes_on:
        standing = await work.begin(job.job_id)
        export = export_of(standing)
        part = await export.part(Records(pool), standing)
        goes_on = await work.write(standing, part, export.result(standing))
    parts = await pool.fetch("select content from job_part order by number")
    lines = b"".join(bytes(row["content"]) for row in parts)
    told = [json.loads(line) for line in lines.decode().splitlines()]
    assert [one["customer_id"] for one in told] == ["C1", "C4", "C5"]
    assert told[0]["worth"] == {"USD": {"ordered": "15.00", "paid": "0.00", "kept": "0.00"}}
    assert told[0]["consent"] == {
        "marketing": True,
        "reviews": False,
        "delivery_updates": True,
        "texts": False,
    }


async def test_who_is_erased_is_in_no_file_and_no_segment(pool: Pool) -> None:
    await Bench(pool).take_in(an_order(("TEA", 1), **planted()))
    await bought(pool, "Other", 1)
    here = Segments(pool)
    await here.save([a_segment("all", orders={"at_least": 1})], who="ann")
    before = written((await here.block()).members, "jsonl", is_first=True)
    assert len(found_in(before)) > 8
    jobs, work = Jobs(pool), JobWork(pool)
    job = await jobs.make(jobs.new_id(), "export_customers", CustomersExport(), Maker("anna"))
    await work.begin(job.job_id)
    standing = await work.begin(job.job_id)
    export = export_of(standing)
    part = await export.part(Records(pool), standing)
    await work.write(standing, part, export.result(standing))
    await pool.execute("update customer_order set decision = 'closed'")
    await Customers(pool).erase(CUSTOMER["id"], **ASKED)
    assert await left_of_it(pool) == {}
    assert await ids(pool, "all") == ["C2"]
    for format_ in ("jsonl", "hubspot", "salesforce"):
        text = written((await here.block()).members, format_, is_first=True)
        assert found_in(text, WORDS) == []
        assert "Other" in text


async def test_changes_are_told_once_in_a_sequence_that_stays(pool: Pool) -> None:
    here, cares = CustomerChanges(pool), CustomerCare(pool)
    begin = (await here.since("now", at_most=5)).cursor
    await bought(pool, "a", 1)
    await bought(pool, "b", 1)
    first = await here.since(begin, at_most=1)
    assert [(x.customer_no, x.what) for x in first.changes] == [(1, "created")]
    assert first.more
    async with pool.acquire() as conn, conn.transaction():
        await conn.execute("insert into customer_change (customer_no, what) values (9, 'changed')")
        await cares.merge("C2", "C1", **WHY)
        held = await here.since(first.cursor, at_most=9)
        assert [x.customer_no for x in held.changes] == [2], (
            "an open transaction holds back later ones"
        )
    rest = await here.since(held.cursor, at_most=9)
    assert [(x.customer_no, x.what, x.into_no) for x in rest.changes] == [
        *((9, "changed", None), (2, "merged", 1)),
    ]
    nothing = await here.since(rest.cursor, at_most=9)
    assert (nothing.changes, nothing.cursor, nothing.more) == ([], rest.cursor, False)
    whole = await here.since(None, at_most=99)
    assert len(whole.changes) == 4
    for wrong in ("x", "1", "-1-1", "1-1-1", "9" * 19 + "-1"):
        with pytest.raises(InvalidInput, match="is no cursor"):
            await here.since(wrong, at_most=1)
    with pytest.raises(InvalidInput) as refused:
        await here.since("99999999999-1", at_most=1)
    assert refused.value.reason == "cursor_of_another_database"


async def test_a_cursor_behind_which_changes_are_gone_is_told(pool: Pool) -> None:
    here = CustomerChanges(pool)
    begin = (await here.since("now", at_most=5)).cursor
    for name in "abc":
        await bought(pool, name, 1)
    first = await here.since(begin, at_most=1)
    second = await here.since(first.cursor, at_most=1)
    old = "update customer_change set at = at - interval '31 days' where customer_no < 3"
    await pool.execute(old)
    assert [x.customer_no for x in (await here.since(begin, at_most=5)).changes] == [1, 2, 3]
    await Persons(pool).forget()
    for late in (begin, first.cursor):
        with pytest.raises(InvalidInput, match="export all customers") as refused:
            await here.since(late, at_most=5)
        assert refused.value.reason == "cursor_too_old"
    for whole in (second.cursor, None):
        assert [x.customer_no for x in (await here.since(whole, at_most=5)).changes] == [3]
    # A backup of a server that had many more transactions says nothing about what was missed here.
    await pool.execute("update customer_change_forgotten set xact = '99999999999'")
    assert (await here.since(begin, at_most=5)).changes


async def test_a_customer_is_told_why_they_are_in_a_segment(pool: Pool) -> None:
    await bought(pool, "Ada", 1, 2)
    here = Segments(pool)
    await here.save(
        [
            a_segment("often", orders={"at_least": 3}, channels=["web"]),
            a_segment("usd", worth=[{"currency": "USD", "of": "ordered", "at_least": "40.00"}]),
        ],
        who="ann",
    )
    often, usd = await here.why("C1")
    assert (often.segment, often.belongs, usd.belongs) == ("often", False, True)
    assert [(x.rule, x.wanted, x.found, x.holds) for x in (*often.checks, *usd.checks)] == [
        ("orders", "3 or more", "2", False),
        ("channels", "web", "web", True),
        ("worth", "ordered 40.00 or more USD", "ordered 40.00 USD", True),
    ]
    assert (await here.get("usd")).changed_by == "ann"
    for lost in (here.why("C7"), here.get("none")):
        with pytest.raises(NotFound):
            await lost


async def test_the_demos_customers_are_cared_for_and_written_for_a_crm(
    pool: Pool, tmp_path: Path
) -> None:
    for name in "abb":
        await bought(pool, name, 2)
    told = await cared_for(Records(pool), tmp_path)
    assert (told.customers, told.wrong) == (2, [])
    assert dict(told.segments) == {"regulars": 2, "gone-quiet": 0, "sends-much-back": 0}
    files = {
        file.name: file.read_text(encoding="utf-8").splitlines()
        for file in (tmp_path / "contacts").iterdir()
    }
    assert {name: len(lines) for name, lines in files.items()} == {
        "customers.jsonl": 2,
        "hubspot.csv": 2,
        "salesforce.csv": 2,
    }
    assert files["hubspot.csv"][1].startswith(",b,")
    await pool.execute("delete from customer_change where customer_no = 1")
    assert (await cared_for(Records(pool), tmp_path)).wrong == [
        "the feed of changes does not tell each customer once"
    ]
