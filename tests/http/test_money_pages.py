"""The money's pages: documents, the books, taxes, differences, disputes, vouchers and claims."""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from domain.accounting.accounts import Account
from domain.money import Money
from domain.orders.order import Order
from domain.payments.disputes import DisputeState
from domain.payments.reconciliation import Comparison, Difference, DifferenceClass, Remedy, Theirs
from starter.web.money import disputes
from store.accounting import account_reads
from store.database import Pool
from store.payments import reconciliation
from store.views import audit
from tests.http.test_desk import hidden
from tests.support.bench import Bench
from tests.support.builders import an_order
from tests.support.desk import Desk, text_of
from tests.support.provider_desk import Telling

INJECTED = '"><img src=x onerror=alert(1)>{{7*7}}'
PAGES = (
    *("app/money", "app/money/documents", "app/money/ledger", "app/money/balance"),
    *("app/money/closing", "app/money/taxes", "app/money/differences", "app/money/disputes"),
    *("app/money/open", "app/money/open/refunds", "app/money/open/events", "app/money/vouchers"),
    *("app/money/vouchers/new", "app/money/credit?customer=C-1", "app/money/claims"),
)
FORMS = (
    *("app/money/closing", "app/money/differences/compare", "app/money/differences/1/resolve"),
    *("app/money/vouchers/new", "app/money/vouchers/V1/block", "app/money/vouchers/V1/extend"),
    *("app/money/vouchers/V1/code", "app/money/credit", "app/money/claims/web-1:1/file"),
    "app/money/claims/web-1:1/answer",
)


@pytest.fixture
async def bench(pool: Pool) -> Bench:
    bench = Bench(pool)
    await bench.stocked("TEA", 100)
    return bench


@pytest.fixture
async def desk(bench: Bench) -> Desk:
    return await Desk(bench.pool).signed_in("anna")


async def sold(bench: Bench, number: str, **fields: Any) -> Order:
    """An order that was sent and charged, with its invoice."""
    named = {"customer": {"id": "C-1", "name": INJECTED}, "channel_order_id": number}
    order = an_order(("TEA", 2, "10.00"), **{**named, **fields})
    await bench.charged(await bench.at(order, "shipped"))
    return order


async def differing(bench: Bench, order: Order) -> int:
    """A refund at the company that nobody here knows of; answers the number of the difference."""
    at = datetime.now(UTC)
    references = "select reference from payment where kind = 'authorize' and order_id = $1"
    async with bench.pool.acquire() as conn, conn.transaction():
        theirs = Theirs(
            key="",
            kind="refund",
            reference="ref_1",
            authorization=await conn.fetchval(references, order.order_id),
            order_id=order.order_id,
            amount_minor=5_00,
            currency="USD",
            at=at,
        )
        told = Difference(
            subject="ref_1",
            what=DifferenceClass.MISSING_HERE,
            why="it was paid back there",
            remedy=Remedy.OPERATOR,
            theirs=theirs,
        )
        day = Comparison(day=at.date(), listed=1, differences=(told,))
        await reconciliation.record(conn, "sandbox", day)
        (found,) = await reconciliation.differences(conn)
    return found.difference_id


async def sent(desk: Desk, page: str, path: str, **fields: str) -> httpx.Response:
    """Open a page, fill a form of it in, and send it."""
    form = hidden((await desk.get(f"/{page}")).text, path)
    return await desk.send_form(f"{page}/{path}" if path != "new" else page, **form, **fields)


@pytest.mark.parametrize("path", PAGES)
async def test_pages_are_for_those_who_may(desk: Desk, path: str) -> None:
    assert (await desk.get(f"/{path}")).status_code == 200
    ben = Desk(desk.pool, desk.app)
    assert (await ben.get(f"/{path}")).url.path == "/app/sign-in"
    await ben.signed_in("ben", "warehouse")
    if path == "app/money/claims":  # Of carriers, the warehouse may read.
        return
    assert (await ben.get(f"/{path}")).status_code == 403


@pytest.mark.parametrize("path", FORMS)
async def test_forms_are_for_those_who_may_and_come_from_here(desk: Desk, path: str) -> None:
    foreign = await desk.post(f"/{path}", headers={"Sec-Fetch-Site": "cross-site"}, data={})
    assert (foreign.status_code, "sent by another site" in text_of(foreign)) == (403, True)
    ben = await Desk(desk.pool, desk.app).signed_in("ben", "agent")
    if "vouchers" in path or path == "app/money/credit":  # An agent may give goodwill.
        ben = await Desk(desk.pool, desk.app).signed_in("cy", "warehouse")
    assert (await ben.send_form(path)).status_code == 403


async def test_documents_are_found_by_number_kind_and_day(bench: Bench, desk: Desk) -> None:
    order = await sold(bench, "doc-1")
    await sold(bench, "doc-2")
    await bench.refunded(order, shipping=True)
    (note, *invoices) = await desk.here.accounting.documents(at_most=9)
    page = await desk.get("/app/money/documents")
    assert all(one.number in page.text for one in (note, *invoices))
    of_kind = text_of(await desk.get("/app/money/documents?kind=credit_note"))
    assert (note.number in of_kind, invoices[0].number in of_kind) == (True, False)
    tomorrow = (note.issued_on + timedelta(days=1)).isoformat()
    assert "No document matches" in text_of(
        await desk.get(f"/app/money/documents?first={tomorrow}")
    )
    on_day = await desk.get(f"/app/money/documents?first={note.issued_on}&last={note.issued_on}")
    assert note.number in on_day.text
    one = await desk.get("/app/money/documents", params={"number": note.number})
    assert one.url.path == "/app/money/documents/one"
    assert f'href="../../../app/orders/{order.order_id}"' in one.text
    assert INJECTED not in one.text
    assert "onerror=alert(1)&gt;{{7*7}}" in one.text
    none = await desk.get("/app/money/documents?number=INV-0")
    assert "There is no document INV-0" in text_of(none)
    printed = await desk.get("/app/money/documents/pdf", params={"number": note.number})
    assert (printed.headers["content-type"], printed.content[:5]) == ("application/pdf", b"%PDF-")
    wire = (await desk.get("/app/money/documents/json", params={"number": note.number})).json()
    assert (wire["number"], wire["total"]) == (note.number, "5.00")


async def test_a_list_goes_on_behind_its_last_row(bench: Bench, desk: Desk) -> None:
    for number in range(3):
        await sold(bench, f"page-{number}")
    first = await desk.here.accounting.documents(at_most=1)
    path = "/app/money/documents?after="
    place = f'["{first[0].issued_at.isoformat()}","{first[0].number}","{first[0].seller}"]'
    behind = text_of(await desk.get("/app/money/documents", params={"after": place}))
    assert first[0].number not in behind
    assert behind.count("INV-") == 2
    for odd in ("[1,2,3]", "x", '["2026-11-30T00:00:00+00:00","\\u0000","main"]', "[[[[[["):
        assert (await desk.get(f"{path}{odd}")).status_code == 200


async def test_the_books_balance_by_account_and_by_day(bench: Bench, desk: Desk) -> None:
    order = await sold(bench, "book-1")
    balance = await desk.get("/app/money/balance")
    told = text_of(balance)
    assert "Debits and credits are the same" in told
    assert "Money at payment companies" in told
    moved = text_of(await desk.get("/app/money/balance?first=2026-01-01"))
    assert re.search(r"Revenue \$0.00 \$20.00 -\$20.00", moved), moved
    revenue = await desk.get("/app/money/ledger?account=revenue")
    assert order.order_id in revenue.text
    none = text_of(await desk.get("/app/money/ledger?account=breakage"))
    assert "There is no entry" in none
    of_order = text_of(await desk.get("/app/money/ledger", params={"order": order.order_id}))
    assert order.order_id in of_order


async def test_entries_on_a_rare_account_are_looked_for_in_parts(bench: Bench) -> None:
    await sold(bench, "rare-1")
    async with bench.pool.acquire() as conn:
        found = await account_reads.entries_of_account(
            conn, "main", Account.BREAKAGE, at_most=5, looked_at_most=1
        )
        assert (found.entries, found.looked_to is None) == ((), False)
        rest = await account_reads.entries_of_account(
            conn, "main", Account.REVENUE, before=found.looked_to, at_most=5
        )
        assert rest.looked_to is None


async def test_days_are_closed_after_a_look(bench: Bench, desk: Desk) -> None:
    await sold(bench, "close-1")
    page = text_of(await desk.get("/app/money/closing"))
    assert "This closes all days after the beginning" in page
    today = await desk.here.accounting.today("main")
    told = text_of(await desk.get(f"/app/money/closing?through={today}"))
    assert "is not over" in told
    through = (today - timedelta(days=3)).isoformat()
    not_seen = await desk.send_form("app/money/closing", seller="main", through=through)
    assert (not_seen.status_code, "cannot be undone" in text_of(not_seen)) == (422, True)
    assert await desk.here.accounting.closed_through("main") is None
    closed = await desk.send_form("app/money/closing", seller="main", through=through, for_ever="1")
    assert "The days are closed" in text_of(closed)
    assert str(await desk.here.accounting.closed_through("main")) == through
    too_far = {"seller": "main", "through": today.isoformat(), "for_ever": "1"}
    assert (await desk.send_form("app/money/closing", **too_far)).status_code == 409


async def test_taxes_stand_by_country_beside_the_books(bench: Bench, desk: Desk) -> None:
    await sold(bench, "tax-1")
    page = text_of(await desk.get("/app/money/taxes"))
    assert "South Korea" in page
    assert "✓ the same" in page
    rows = (await desk.get("/app/money/taxes/csv")).text.splitlines()
    assert rows[0].startswith("seller,from,to,country,rate")
    assert ",KR,,,USD,25.00,0.00,25.00" in rows[1]


async def test_a_difference_shows_both_sides_and_is_resolved_once(bench: Bench, desk: Desk) -> None:
    order = await sold(bench, "differ-1")
    number = await differing(bench, order)
    path = f"app/money/differences/{number}"
    assert "1 waits" in text_of(await desk.get("/app/money"))
    assert f"Difference {number}" in text_of(await desk.get("/app/money/differences"))
    page = text_of(await desk.get(f"/{path}"))
    assert "they have it, we do not" in page
    assert "$5.00" in page
    empty = await desk.send_form(f"{path}/resolve", note="")
    assert (empty.status_code, 'aria-invalid="true"' in empty.text) == (422, True)
    done = await desk.send_form(f"{path}/resolve", note=INJECTED)
    assert "The refund is recorded for its order" in text_of(done)
    assert INJECTED not in done.text
    again = await desk.send_form(f"{path}/resolve", note="once more")
    assert again.status_code == 409
    refunds = (await desk.here.orders.get(order.order_id)).refunds
    assert [(one.kind, one.who) for one in refunds] == [("elsewhere", "Anna (anna)")]
    assert "No difference is open" in text_of(await desk.get("/app/money/differences"))
    await desk.here.sellers.save(
        [
            (await desk.here.sellers.get("main")).model_copy(
                update={"seller": "de", "name": "Tee GmbH"}
            )
        ]
    )
    of_de = await Desk(bench.pool, desk.app).signed_in("dora", "accountant", sellers=["de"])
    assert (await of_de.get(f"/{path}")).status_code == 404
    assert (await of_de.send_form(f"{path}/resolve", note="x")).status_code == 404
    assert str(number) not in text_of(await of_de.get("/app/money/differences?all=1"))
    refused = await of_de.send_form("app/money/differences/compare", day="2026-11-01")
    assert (refused.status_code, "of all sellers together" in text_of(refused)) == (409, True)


async def test_disputes_say_how_long_there_is_to_answer(bench: Bench, desk: Desk) -> None:
    order = await sold(bench, "dispute-1")
    company = Telling(bench.pool)
    (authorization, *_) = await bench.payment.operations(order.order_id)
    for named, state, days in (
        ("dp_1", DisputeState.NEEDS_RESPONSE, 3),
        ("dp_2", DisputeState.UNDER_REVIEW, -9),  # It was answered: the bank decides.
        ("dp_3", DisputeState.NEEDS_RESPONSE, 9),
        ("dp_4", DisputeState.WON, -2),
    ):
        by = int((datetime.now(UTC) + timedelta(days=days)).timestamp())
        await company.tell(company.dispute(authorization.reference, state, id=named, respond_by=by))
    await company.worked_through()
    page = text_of(await desk.get("/app/money/disputes"))
    assert re.findall(r"dp_\d", page) == ["dp_1", "dp_3", "dp_2"]
    assert "time is over" not in page
    (first, _, last) = await desk.here.payments.due_disputes(at_most=9)
    for one, behind in ((first, ["dp_3", "dp_2"]), (last, [])):
        due = disputes.due_of(one)
        place = json.dumps([due.isoformat() if due else "", one.provider, one.dispute_id])
        after = text_of(await desk.get("/app/money/disputes", params={"after": place}))
        assert re.findall(r"dp_\d", after) == behind
    assert "dp_4" in text_of(await desk.get("/app/money/disputes?all=1"))
    assert "in 3 days" in page
    assert "to be answered" in page
    assert "The next answer: in 3 days" in text_of(await desk.get("/app/money"))
    ben = await Desk(bench.pool, desk.app).signed_in("ben", "agent", channels=["b2b"])
    assert order.order_id not in text_of(await ben.get("/app/money/disputes"))


async def test_money_under_way_is_listed(bench: Bench, desk: Desk) -> None:
    order = await sold(bench, "open-1")
    await bench.pool.execute("update payment_operation set state = 'unknown', settled_at = null")
    await bench.grant(order, amount="1.00")
    assert order.order_id in text_of(await desk.get("/app/money/open"))
    assert "$1.00" in text_of(await desk.get("/app/money/open/refunds"))
    assert "There is no such message" in text_of(await desk.get("/app/money/open/events"))
    ben = await Desk(bench.pool, desk.app).signed_in("ben", "agent", channels=["b2b"])
    for path in ("app/money/open", "app/money/open/refunds"):
        assert order.order_id not in text_of(await ben.get(f"/{path}"))
    assert "of all sellers together" in text_of(await ben.get("/app/money/open/events"))


async def test_a_code_is_shown_once(desk: Desk) -> None:
    page = "app/money/vouchers/new"
    wrong = await sent(
        *(desk, page, "new"), kind="voucher", amount="25.001", currency="EUR", reason=INJECTED
    )
    assert (wrong.status_code, 'id="amount-fault"' in wrong.text) == (422, True)
    assert "onerror=alert(1)&gt;" in wrong.text  # What was typed stays, as text.
    form = hidden(wrong.text, "new")
    said = {"kind": "voucher", "amount": "25.00", "currency": "EUR", "reason": INJECTED}
    made = await desk.send_form(page, **form, **said)
    code = made.text.partition('class="secret">')[2].partition("<")[0]
    assert re.fullmatch(r"[A-Z0-9]{4}(-[A-Z0-9]{4})+", code), text_of(made)
    (kept,) = await desk.here.vouchers.list()
    again = await desk.send_form(page, **form, **said)
    assert code not in again.text
    assert "its code was shown then" in text_of(again)
    assert len(await desk.here.vouchers.list()) == 1
    path = f"app/money/vouchers/{kept.voucher_id}"
    for where in (path, "app/money/vouchers"):
        told = await desk.get(f"/{where}")
        assert (code in told.text, INJECTED in told.text) == (False, False)
    blocked = await sent(desk, path, "block", reason="lost")
    assert "No further order can spend it" in text_of(blocked)
    longer = await sent(desk, path, "extend", reason="asked for", valid_through="2031-01-01")
    assert "It is valid longer now" in text_of(longer)
    other = await sent(desk, path, "code", reason="lost")
    assert other.text.partition('class="secret">')[2].partition("<")[0] not in ("", code)


async def test_credit_is_given_once_and_tells_its_story(bench: Bench, desk: Desk) -> None:
    await bench.take_in(an_order(("TEA", 1, "10.00"), customer={"id": "C-7", "name": "Kim"}))
    page = await desk.get("/app/money/credit?customer=C-7")
    main = page.text.partition("<dialog")[0]
    fields = hidden("<form" + main.rpartition("<form")[2], "credit")
    said = {"amount": "5.00", "currency": "EUR", "reason": "late"}
    for _ in range(2):
        given = await desk.send_form("app/money/credit", **fields, **said)
        assert "€5.00" in text_of(given)
    (account,) = await desk.here.credit.accounts("C-7")
    assert account.balance_minor == 5_00
    ben = await Desk(desk.pool, desk.app).signed_in("ben", "agent", channels=["web"])
    assert "€5.00" not in text_of(await ben.get("/app/money/credit?customer=C-7"))


async def test_credit_and_vouchers_are_for_a_customer_who_is_known(
    bench: Bench, desk: Desk
) -> None:
    kim = {"id": "WARTH", "name": INJECTED, "email": "kim@example.com"}
    await bench.take_in(an_order(("TEA", 1, "10.00"), customer=kim))
    page = await desk.get("/app/customers/C1")
    assert 'href="../../app/money/credit?customer=C1"' in page.text
    for named in ("C1", "WARTH", "Kim@example.com"):
        shown = await desk.get("/app/money/credit", params={"customer": named})
        assert 'href="../../app/customers/C1"' in shown.text, named
        assert re.search(r'name="currency"[^>]* value="USD"', shown.text), named
        await sent_credit(desk, named, amount="5.00", currency="USD")
    (account,) = await desk.here.credit.accounts("WARTH")
    assert account.balance_minor == 15_00
    assert "$15.00" in text_of(await desk.get("/app/customers/C1"))
    for nobody in ("nobody-at-all", "C2"):
        shown = await desk.get("/app/money/credit", params={"customer": nobody})
        assert 'id="customer-fault"' in shown.text
        refused = await sent_credit(desk, nobody, amount="5.00", currency="USD")
        assert (refused.status_code, 'id="customer-fault"' in refused.text) == (422, True)
        assert await desk.here.credit.accounts(nobody) == []
    said = {"kind": "voucher", "amount": "5.00", "currency": "USD", "reason": "late"}
    refused = await sent(desk, "app/money/vouchers/new", "new", customer="nobody", **said)
    assert (refused.status_code, 'id="customer-fault"' in refused.text) == (422, True)
    await sent(desk, "app/money/vouchers/new", "new", customer="C1", **said)
    (voucher,) = await desk.here.vouchers.list()
    assert voucher.customer_id == "WARTH"


async def sent_credit(desk: Desk, customer: str, **said: str) -> httpx.Response:
    """The form, as a page that shows this customer would send it."""
    fields = {"customer": customer, "request_id": uuid.uuid4().hex, "reason": "late"}
    return await desk.send_form("app/money/credit", **fields, **said)


async def test_a_lost_parcel_is_claimed_and_paid_for(bench: Bench, desk: Desk) -> None:
    order = await sold(bench, "claim-1")
    part = f"{order.order_id}:1"
    await bench.scan(part, "delivered")
    await desk.here.carrier_claims.file(
        part, Money(minor=10_00, currency="USD"), reference="CL-1", who="test"
    )
    other = await sold(bench, "claim-2")
    await bench.scan(f"{other.order_id}:1", "failure")
    page = await desk.get("/app/money/claims")
    assert "CL-1" in text_of(page)
    tasks = await desk.get("/app/tasks")
    assert f'app/money/claims?order={other.order_id}"' in tasks.text
    one = text_of(await desk.get(f"/app/money/claims?order={other.order_id}"))
    assert (f"{other.order_id}:1" in one, "CL-1" in one) == (True, False)
    cy = await Desk(bench.pool, desk.app).signed_in("cy", "agent")
    assert "Who may: Lead" in text_of(await cy.get("/app/tasks?all=1"))
    too_much = await desk.send_form(
        f"app/money/claims/{part}/answer", outcome="paid", amount="999.00", note="kept"
    )
    assert (too_much.status_code, 'value="kept"' in too_much.text) == (409, True)
    paid = await desk.send_form(f"app/money/claims/{part}/answer", outcome="paid", note="fine")
    assert "The outcome is on record" in text_of(paid)
    (claim,) = await desk.here.carrier_claims.list(order_id=order.order_id)
    assert (claim.state, claim.decided_by) == ("paid", "Anna (anna)")
    ben = await Desk(bench.pool, desk.app).signed_in("ben", "lead", channels=["b2b"])
    assert order.order_id not in text_of(await ben.get("/app/money/claims"))
    theirs = await ben.send_form(f"app/money/claims/{part}/answer", outcome="dropped", note="x")
    assert theirs.status_code == 404


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "2026-02-31", "x"])
async def test_an_odd_day_in_an_address_shows_a_page(desk: Desk, day: str) -> None:
    names = "&".join(f"{name}={day}" for name in ("first", "last", "day", "through"))
    paths = (*PAGES, "app/money/taxes/csv", "app/money/ledger?account=revenue")
    for path in paths:
        answer = await desk.get(f"/{path}{'&' if '?' in path else '?'}{names}")
        assert answer.status_code == 200, path


async def test_the_same_difference_is_resolved_by_one_of_two(bench: Bench, desk: Desk) -> None:
    number = await differing(bench, await sold(bench, "two-1"))
    ben = await Desk(bench.pool, desk.app).signed_in("ben", "accountant")
    path = f"app/money/differences/{number}/resolve"
    answers = await asyncio.gather(*(one.send_form(path, note="seen") for one in (desk, ben) * 2))
    assert sorted(one.status_code for one in answers) == [200, 409, 409, 409]


async def test_days_that_two_close_are_closed_once(bench: Bench, desk: Desk) -> None:
    await sold(bench, "two-2")
    ben = await Desk(bench.pool, desk.app).signed_in("ben", "accountant")
    today = await desk.here.accounting.today("main")
    days = [(today - timedelta(days=back)).isoformat() for back in (1, 2, 1)]
    answers = await asyncio.gather(
        *(
            one.send_form("app/money/closing", seller="main", through=day, for_ever="1")
            for one, day in zip((desk, ben, ben), days, strict=True)
        )
    )
    assert [one.status_code for one in answers] == [200] * 3
    assert str(await desk.here.accounting.closed_through("main")) == days[0]
    async with bench.pool.acquire() as conn:
        assert (await audit.look(conn)).violations == ()
