"""Tasks on a screen: whose they are, put off until a day, and where each is done."""

from __future__ import annotations

import asyncio
import html
import re
from datetime import UTC, datetime, timedelta
from typing import get_args

import httpx
import pytest

from domain.errors import InvalidInput, NotFound
from domain.purchasing.purchase_orders import SupplierItem
from domain.staff.roles import MAY, ROLES
from starter.service.attention import TaskKey, whose_of
from starter.web.screens.to_do import TO_DO
from store.database import Pool
from store.views.attention import Kind
from tests.support.api import Api
from tests.support.bench import Bench
from tests.support.builders import an_order
from tests.support.desk import Desk, text_of

INJECTED = '"><img src=x onerror=alert(1)>{{7*7}}'
STEP = TaskKey("order", "web-stuck", "label web-stuck:1")


@pytest.fixture
async def desk(pool: Pool) -> Desk:
    await Bench(pool).take_in(an_order(("TEA", 1), channel_order_id="stuck"))
    await raised(pool, "the carrier does not answer")
    return await Desk(pool).signed_in("anna", "agent")


async def raised(pool: Pool, reason: str) -> None:
    await pool.execute(
        "insert into attention (order_no, step, reason, allowed) "
        "values (order_no_of('web-stuck'), 'label web-stuck:1', $1, '{retry,cancel}') "
        "on conflict (order_no, step) where resolved_at is null "
        "do update set reason = excluded.reason",
        reason,
    )


def tomorrow() -> str:
    return (datetime.now(UTC) + timedelta(days=2)).date().isoformat()


async def done(desk: Desk, path: str, **fields: str) -> httpx.Response:
    return await desk.send_form(f"app/tasks/{path}", **STEP._asdict(), **fields)


async def listed(desk: Desk, query: str = "") -> bool:
    answer = await desk.get(f"/app/tasks?{query}")
    assert answer.status_code == 200, answer.text
    return "web-stuck" in text_of(answer)


async def test_a_task_is_taken_given_and_given_back(pool: Pool, desk: Desk) -> None:
    assert await listed(desk, "whose=nobody")
    assert not await listed(desk, "whose=me")
    page = (await desk.get("/app/tasks")).text
    at = re.search(r'href="(?:\.\./)*(app/tasks/one\?[^"]*)"', page)
    assert at
    one = await desk.get(f"/{html.unescape(at[1])}")
    assert "the carrier does not answer" in text_of(one)
    assert 'href="../../app/orders/web-stuck"' in one.text
    taken = await done(desk, "assign", to="me", back="list")
    assert taken.url.path == "/app/tasks"
    assert "It is noted who sees to it" in text_of(taken)
    assert await listed(desk, "whose=me")
    assert not await listed(desk, "whose=nobody")
    assert not await listed(desk, "whose=others")
    ben = await Desk(pool, desk.app).signed_in("ben", "agent")
    cy = await Desk(pool, desk.app).signed_in("cy", "agent")
    assert await listed(ben, "whose=others")
    late = await done(ben, "assign", to="me", back="list")
    assert (late.status_code, "somebody else sees to it" in text_of(late)) == (409, True)
    assert await listed(desk, "whose=me")
    given = await done(desk, "assign", to="ben", had="anna")
    assert given.url.path == "/app/tasks/one"
    assert await listed(ben, "whose=me")
    (task,) = await desk.here.needs_attention.tasks(whose=whose_of("ben"))
    assert task.assigned_to == "ben"
    assert (await done(desk, "assign", to="nobody-here")).status_code == 409
    await desk.here.staff.disable("ben", who="test")
    await done(desk, "assign", to="", had="ben")
    refused = await done(desk, "assign", to="ben")
    assert (refused.status_code, "cannot sign in" in text_of(refused)) == (409, True)
    assert await listed(desk, "whose=nobody")
    both = await asyncio.gather(*(done(one, "assign", to="me") for one in (desk, cy)))
    assert sorted(one.status_code for one in both) == [200, 409]


async def test_a_task_is_put_off_and_comes_back_with_a_new_reason(pool: Pool, desk: Desk) -> None:
    for odd in ({"until": "", "note": "x"}, {"until": tomorrow(), "note": ""}):
        answer = await done(desk, "snooze", **odd)
        assert answer.status_code == 422
    today = datetime.now(UTC).date().isoformat()
    for day, why in (
        *(("0001-01-01", "Choose a day."), ("9999-12-31", "Choose a day.")),
        (today, "Choose a day from tomorrow on"),
    ):
        odd_day = await done(desk, "snooze", until=day, note="x")
        assert (odd_day.status_code, why in text_of(odd_day)) == (422, True), day
    past = await done(desk, "snooze", until="2020-01-01", note=INJECTED)
    assert past.status_code == 422
    assert "&lt;img src=x onerror=alert(1)&gt;{{7*7}}" in past.text
    off = await done(desk, "snooze", until=tomorrow(), note=INJECTED)
    assert "It is put off" in text_of(off)
    assert not await listed(desk)
    later = await desk.get("/app/tasks?snoozed=1")
    assert "&lt;img src=x onerror=alert(1)&gt;{{7*7}}" in later.text
    assert "<img src=x" not in later.text
    back = await done(desk, "snooze", now="1")
    assert "It is in the list again" in text_of(back)
    assert await listed(desk)
    await done(desk, "snooze", until=tomorrow(), note="they are on strike")
    await raised(pool, "the carrier refuses the address")
    assert await listed(desk), "it says something else"
    await raised(pool, "the carrier does not answer")
    assert not await listed(desk)
    await pool.execute("update attention set since = now() + interval '1 second'")
    assert await listed(desk), "it has come up anew"


async def test_programs_and_commands_hear_of_it(pool: Pool, desk: Desk) -> None:
    tasks = desk.here.needs_attention
    await tasks.assign(STEP, "anna", had=None, who="test")
    caller = await Api(desk.here).caller("operations:read")  # type: ignore[arg-type]  # it asks no workflow
    for query, found in (
        ({"assigned_to": "anna"}, 1),
        ({"assigned_to": "nobody"}, 0),
        ({"snoozed": "true"}, 0),
        ({}, 1),
    ):
        items = (await caller.get("/v1/attention", params=query)).json()["items"]
        assert [one["assigned_to"] for one in items] == found * ["anna"], query
    await tasks.snooze(STEP, datetime.now(UTC) + timedelta(days=1), note="later", who="test")
    (off,) = (await caller.get("/v1/attention?snoozed=true")).json()["items"]
    assert off["snoozed_note"] == "later"
    assert await tasks.counts() == {}
    with pytest.raises(NotFound):
        await tasks.assign(STEP._replace(name="other"), "anna", had=None, who="test")
    with pytest.raises(InvalidInput):
        await tasks.snooze(STEP, datetime(2020, 1, 1, tzinfo=UTC), note="x", who="test")


async def test_what_was_written_about_a_task_goes_with_its_customer(pool: Pool, desk: Desk) -> None:
    await done(desk, "snooze", until=tomorrow(), note="Kim Minji called")
    await pool.execute("update order_person set erased_at = now()")
    assert await pool.fetchval("select count(*) from task_care") == 0


async def test_the_navigation_counts_what_is_mine_or_nobodys(pool: Pool, desk: Desk) -> None:
    await done(desk, "assign", to="")
    count = re.compile(r'Tasks <span class="count">(\d+)</span>')
    assert count.findall((await desk.get("/app/orders")).text) == ["1"]
    await done(desk, "assign", to="anna")
    assert count.findall((await desk.get("/app/orders")).text) == ["1"]
    ben = await Desk(pool, desk.app).signed_in("ben", "agent")
    assert count.findall((await ben.get("/app/orders")).text) == []
    await pool.execute("update attention set resolved_at = now()")
    await done(desk, "snooze", until="", note="")
    assert count.findall((await desk.get("/app/orders")).text) == [], "after any form"


async def test_purchases_in_the_navigation_say_how_much_of_buying_waits(pool: Pool) -> None:
    bench = Bench(pool)
    await bench.stocked("TEA", 1)
    terms = {"supplier": "assam", "sku": "TEA", "lead_time_days": 7, "currency": "EUR"}
    await bench.purchasing.set_terms([SupplierItem.model_validate({**terms, "unit_price": "9.00"})])
    await bench.purchasing.propose("assam", "main", {"TEA": 900}, who="x", why="y")
    count = re.compile(r'Purchases <span class="count">(\d+)</span>')
    desk = await Desk(pool).signed_in("bea", "buyer")
    page = (await desk.get("/app/purchases")).text
    assert count.findall(page) == ["1"]
    assert 'app/tasks">Waits for somebody <span class="note">1</span>' in page
    ann = await Desk(pool).signed_in("ann", "accountant")  # reads purchases, and buys nothing
    page = (await ann.get("/app/purchases")).text
    assert (count.findall(page), "Waits for somebody" in page) == ([], False)


async def test_tasks_are_in_the_readers_language_and_for_those_who_may(
    pool: Pool, desk: Desk
) -> None:
    kim = await Desk(pool, desk.app).signed_in("kim", "agent", language="ko")
    page = text_of(await kim.get("/app/tasks"))
    assert "결정하기" in page
    picker = await Desk(pool, desk.app).signed_in("cy", "warehouse")
    for path in ("", "/one?kind=order&subject=web-stuck&name=x"):
        assert (await picker.get(f"/app/tasks{path}")).status_code == 403
    for path in ("assign", "snooze"):
        assert (await done(picker, path, to="me")).status_code == 403
        assert (await Desk(pool, desk.app).get("/app/tasks")).url.path == "/app/sign-in"
    none = await desk.get("/app/tasks/one?kind=order&subject=web-stuck&name=other")
    assert (none.status_code, "waits for nobody" in text_of(none)) == (404, True)
    for odd in ("/app/tasks?whose=odd&snoozed=x", "/app/tasks?after=%5B%5D"):
        assert (await desk.get(odd)).status_code == 200


def test_each_kind_of_task_says_what_it_takes_and_somebody_may_do_it() -> None:
    assert set(TO_DO) == set(get_args(Kind))
    for kind, scopes in TO_DO.items():
        assert any(MAY[role].issuperset(scopes) for role in ROLES), kind


async def test_who_may_not_do_it_gives_it_to_somebody_who_may(pool: Pool, desk: Desk) -> None:
    cy = await Desk(pool, desk.app).signed_in("cy", "accountant")
    assert await listed(desk)
    assert "app/tasks?" not in (await desk.get("/app/tasks")).text
    nothing = await cy.get("/app/tasks")
    assert "Nothing waits for you" in text_of(nothing)
    assert "web-stuck" not in text_of(nothing)
    assert await listed(cy, "all=1")
    page = await cy.get("/app/tasks?all=1")
    assert "Your roles do not allow this. Who may: Lead, Agent" in text_of(page)
    assert 'name="to" value="me"' not in page.text
    at = re.search(r'href="(?:\.\./)*(app/tasks/one\?[^"]*)#who"', page.text)
    assert at
    one = await cy.get(f"/{html.unescape(at[1])}")
    assert re.findall(r'<option value="(\w*)"', one.text) == ["", "anna"]
    await done(cy, "assign", to="anna")
    assert await listed(desk, "whose=me")
    # What somebody has given them is in their list, whatever they may.
    await done(desk, "assign", to="cy", had="anna")
    assert await listed(cy)


async def test_somebody_for_some_locations_sees_no_task_of_another_one(
    pool: Pool, desk: Desk
) -> None:
    await pool.execute("insert into location (location) values ('main'), ('shop')")
    await pool.execute("insert into supplier (supplier_id, name) values ('forge', 'Forge')")
    await pool.execute(
        """
        insert into purchase_order
            (po_id, supplier_id, location, currency, state, needs_approval, policy)
        values ('PO-MAIN', 'forge', 'main', 'EUR', 'proposed', true, '{}'),
               ('PO-SHOP', 'forge', 'shop', 'EUR', 'proposed', true, '{}')
        """
    )
    await pool.execute(
        "insert into unannounced_parcel (key, location, why, who) "
        "values ('a', 'main', 'whose is it?', 'x'), ('b', 'shop', 'whose is it?', 'x')"
    )
    lena = await Desk(pool, desk.app).signed_in("lena", "lead")
    ben = await Desk(pool, desk.app).signed_in("ben", "lead", locations=["shop"])
    for query in ("", "all=1"):
        told = text_of(await ben.get(f"/app/tasks?{query}"))
        assert ("PO-SHOP" in told, "PO-MAIN" in told) == (True, False), query
        assert "PO-MAIN" in text_of(await lena.get(f"/app/tasks?{query}"))
    count = re.compile(r'Tasks <span class="count">(\d+)</span>')
    assert count.findall((await ben.get("/app/orders")).text) == ["3"]
    assert count.findall((await lena.get("/app/orders")).text) == ["5"]
    there = TaskKey("approval", "PO-MAIN", "PO-MAIN")
    # Nor what somebody has given to them by mistake.
    await desk.here.needs_attention.assign(there, "ben", had=None, who="test")
    assert "PO-MAIN" not in text_of(await ben.get("/app/tasks?whose=me"))
    of_it = there._asdict()
    assert (await ben.get("/app/tasks/one", params=of_it)).status_code == 404
    sent = {"until": tomorrow(), "note": "x"}
    for path, more in (
        ("assign", {"to": "", "had": "ben"}),
        ("snooze", sent),
        ("snooze", {"now": "1"}),
    ):
        for back in ("", "list"):
            refused = await ben.send_form(f"app/tasks/{path}", **of_it, **more, back=back)
            assert refused.status_code == 404, (path, more)
    task = await desk.here.needs_attention.task(there)
    assert (task.assigned_to, task.snoozed_until, task.location) == ("ben", None, "main")
    # It is given to somebody who works there.
    await desk.here.needs_attention.assign(there, None, had="ben", who="test")
    page = await lena.get("/app/tasks/one", params=of_it)
    assert re.findall(r'<option value="(\w*)"', page.text) == ["", "lena"]
