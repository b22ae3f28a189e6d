"""A day of the sandbox payment company against ours, with differences seeded on either side."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast

import pytest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from activities.payments.reconciliation import ProviderDay, Reconcile, Reconciliation
from activities.provider_errors import OutcomeUnknown
from activities.providers.sandbox.payment import fee_of
from domain.errors import InvalidInput, NotFound, Refused, Unreachable
from domain.money import Money
from domain.payments.reconciliation import Remedy
from store.database import open_pool
from store.orders import events
from store.payments import reconciliation, resolving
from store.payments.reconciliation import KeptDifference
from store.sandbox import companies
from store.sandbox.companies import FaultKind
from store.views import audit
from tests.support.bench import Bench
from tests.support.builders import an_order
from tests.support.servers import Databases

DAY = date(2026, 11, 24)
TODAY = ProviderDay(provider="sandbox", day=DAY)
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)

SHIFT = """
    update payment_operation
    set requested_at = $1::timestamptz,
        settled_at = case when settled_at is not null then $1::timestamptz end;
"""


class Temporal:
    """Takes signals to orders' workflows, or says that there are none."""

    def __init__(self) -> None:
        self.signals: list[tuple[str, str, Any]] = []
        self.answers = RPCStatusCode.OK

    def get_workflow_handle(self, workflow_id: str) -> Handle:
        return Handle(self, workflow_id)


class Handle:
    def __init__(self, temporal: Temporal, workflow_id: str) -> None:
        self._temporal = temporal
        self._id = workflow_id

    async def signal(self, name: str, argument: Any) -> None:
        if self._temporal.answers is not RPCStatusCode.OK:
            raise RPCError("no", self._temporal.answers, b"")
        self._temporal.signals.append((self._id, name, argument))


class Books:
    """Three orders, two of them charged, and a comparison of the day on which all of it was."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.pool = bench.pool
        self.temporal = Temporal()
        self.reconciling = Reconciliation(
            bench.pool, {"sandbox": bench.payment}, cast("Client", self.temporal)
        )

    async def compare(self) -> list[tuple[str, str, str, str]]:
        """Compare the day and mend. What is open, or was: class, subject, remedy, resolution."""
        compared = await self.reconciling.reconcile_day(TODAY)
        if compared.differences:
            await self.reconciling.mend_day(TODAY)
        return [(one.what, one.subject, one.remedy, one.resolution) for one in await self.kept()]

    async def kept(self) -> list[KeptDifference]:
        async with self.pool.acquire() as conn:
            return await reconciliation.differences(conn, only_open=False)

    async def execute(self, *statements: str) -> None:
        async with self.pool.acquire() as conn:
            for statement in statements:
                await conn.execute(statement)

    async def fees(self) -> int:
        """What is booked as fees, in cents."""
        async with self.pool.acquire() as conn:
            booked: int = await conn.fetchval(
                "select sum(amount_minor)::bigint from posting where account = 'provider_fees'"
            )
            return booked

    async def state(self) -> tuple[str, int, int, int]:
        """The day's state, how many effects are there, agree, and are under way."""
        async with self.pool.acquire() as conn:
            (day,) = await reconciliation.days(conn, DAY)
        return day.state, day.listed, day.matched, day.under_way

    async def at(self, moment: datetime) -> None:
        """All that has happened did so then, on both sides."""
        async with self.pool.acquire() as conn:
            await conn.execute(SHIFT, moment)
            await conn.execute("update sandbox.payment_call set called_at = $1", moment)

    async def keep(self, *tables: str) -> None:
        """Remember what these tables hold."""
        for table in tables:
            kept = f"kept.{table.replace('.', '_')}"
            await self.execute(
                "create schema if not exists kept",
                f"drop table if exists {kept}",
                f"create table {kept} as table {table}",
            )

    async def restore(self, *tables: str) -> None:
        """Have these tables hold again what was kept of them, and nothing else."""
        async with self.pool.acquire() as conn, conn.transaction():
            for table in reversed(tables):
                await conn.execute(f"delete from {table}")
            for table in tables:
                await conn.execute(
                    f"insert into {table} overriding system value "
                    f"table kept.{table.replace('.', '_')}"
                )


MONEY = ("payment_authorization", "payment_operation", "sandbox.payment", "sandbox.payment_call")
CHANGED = (*MONEY, "attention", "order_money", "reconciliation", "reconciliation_difference")


@pytest.fixture(scope="module")
async def shared(databases: Databases) -> AsyncIterator[Bench]:
    """One database for all of these tests, each of which finds it as it was to begin with."""
    async with databases.fresh() as url:
        pool = await open_pool(url)
        bench = Bench(pool)
        await bench.stocked("TEA", 9)
        for number in "13":
            order = an_order(("TEA", 2), channel_order_id=number)
            await bench.charged(await bench.at(order, "shipped"))
        await bench.at(an_order(("TEA", 1), channel_order_id="2"), "confirmed")
        books = Books(bench)
        await books.at(NOON)
        await books.keep(*CHANGED)
        yield bench
        pool.terminate()


@pytest.fixture
async def books(shared: Bench) -> AsyncIterator[Books]:
    books = Books(shared)
    yield books
    async with books.pool.acquire() as conn:
        await companies.clear_faults(conn)
    await books.restore(*CHANGED)


# Seeds --------------------------------------------------------------------------------------------

CHARGE = "web-1:1:capture"
OPERATOR = (Remedy.OPERATOR, "open")

FORGET = "delete from payment_operation where payment_key = '{}'"
UNSETTLE = """update payment_operation
    set state = '{}', settled_at = null, reference = null, code = null
    where payment_key = '{}'"""
FAIL = """update payment_operation set state = 'failed', code = '{}', reference = null
    where payment_key = '{}'"""
FORGET_THERE = "delete from sandbox.payment_call where key = '{}'"
CHANGE_THERE = "update sandbox.payment_call set {} where key = '{}'"
FOREIGN = """insert into sandbox.payment_call
    (key, kind, request, payment_reference, order_id, token, reference, amount_minor, currency,
     called_at)
    select {}, 'refund', '', reference, '{}', token, 'ref_x', 5, currency,
           '2026-11-24 10:00Z' from sandbox.payment where order_id = 'web-1'"""

SEEDS = {
    "charged there, unknown here": (
        (FORGET.format(CHARGE),),
        ("missing_here", CHARGE, *OPERATOR),
    ),
    "moved there by hand": (
        (FOREIGN.format("null", "web-1"),),
        ("missing_here", "ref_x", *OPERATOR),
    ),
    "moved there for nobody's order": (
        (FOREIGN.format("'shop-7:refund'", "shop-7"),),
        ("missing_here", "shop-7:refund", *OPERATOR),
    ),
    "charged here, unknown there": (
        (FORGET_THERE.format(CHARGE),),
        ("missing_there", CHARGE, *OPERATOR),
    ),
    "another amount": (
        (CHANGE_THERE.format("amount_minor = 24_99", CHARGE),),
        ("amount", CHARGE, *OPERATOR),
    ),
    "another currency": (
        (CHANGE_THERE.format("currency = 'EUR'", CHARGE),),
        ("amount", CHARGE, *OPERATOR),
    ),
    "refused here, done there": (
        (FAIL.format("capture_refused", CHARGE),),
        ("state", CHARGE, *OPERATOR),
    ),
    "asked for here, done there": (
        (UNSETTLE.format("unknown", CHARGE),),
        ("state", CHARGE, "retry", "open"),
    ),
    "asked for here, not there": (
        (UNSETTLE.format("requested", CHARGE), FORGET_THERE.format(CHARGE)),
        ("state", CHARGE, "retry", "open"),
    ),
    "given up here, held there": (
        (FAIL.format("not_found", "web-2:authorize"),),
        ("state", "web-2:authorize", "void", "mended"),
    ),
}


async def test_a_clean_day_is_clean_and_its_fees_are_booked_once(books: Books) -> None:
    for _ in range(2):
        assert await books.compare() == []
        assert await books.state() == ("clean", 5, 5, 0)
    fee = fee_of(Money(minor=25_00, currency="USD")).minor
    async with books.pool.acquire() as conn:
        rows = await conn.fetch(
            """select account, amount_minor, posting.currency, order_id
            from journal_entry join posting using (entry_id)
            left join customer_order using (order_no)
            where effect like 'fee:sandbox:cap\\_%' order by 1, 4"""
        )
        day = (await reconciliation.days(conn, DAY))[0]
    assert [tuple(row) for row in rows] == [
        *[("cash_in_transit", -fee, "USD", order_id) for order_id in ("web-1", "web-3")],
        *[("provider_fees", fee, "USD", order_id) for order_id in ("web-1", "web-3")],
    ]
    assert day.runs == 2
    async with books.pool.acquire() as conn:
        assert not (await audit.look(conn)).violations


async def test_a_fee_that_was_booked_without_its_order_is_not_booked_again(books: Books) -> None:
    await books.compare()
    kept = await books.fees()
    await books.execute(
        "alter table journal_entry disable trigger user",
        "update journal_entry set order_no = null, seller = 'main' where effect like 'fee:%'",
        "alter table journal_entry enable trigger user",
    )
    await books.compare()
    assert await books.fees() == kept


@pytest.mark.parametrize(("seed", "named"), SEEDS.values(), ids=[*SEEDS])
async def test_a_seeded_difference_is_named_once_and_closed_when_it_is_gone(
    books: Books, seed: tuple[str, ...], named: tuple[str, str, str, str]
) -> None:
    await books.execute(*seed)
    for _ in range(2):
        assert await books.compare() == [named]
    is_open = named[3] == "open"
    assert (await books.state())[0] == ("open" if is_open else "clean")
    if not is_open:
        return
    await books.restore(*MONEY)
    assert await books.compare() == [(*named[:3], "mended")]
    assert (await books.state())[0] == "clean"
    (one,) = await books.kept()
    assert (one.note, one.who) == ("both sides say the same now", "reconciliation")


async def test_all_differences_of_a_day_are_named_each_by_its_class(books: Books) -> None:
    await books.execute(
        FOREIGN.format("null", "web-1"),
        FORGET_THERE.format("web-3:authorize"),
        CHANGE_THERE.format("amount_minor = 1, fee_minor = 0", "web-3:1:capture"),
        UNSETTLE.format("unknown", CHARGE),
        FAIL.format("not_found", "web-2:authorize"),
    )
    found = await books.compare()
    assert Counter(what for what, *_ in found) == {
        "missing_here": 1,
        "missing_there": 1,
        "amount": 1,
        "state": 2,
    }
    assert await books.state() == ("open", 5, 1, 0)


@pytest.mark.parametrize("step", ["reconciliation.fees_to_book", "reconciliation.record"])
async def test_a_comparison_that_dies_half_way_is_made_again(
    books: Books, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    await books.execute(FORGET_THERE.format(CHARGE))

    async def die(*_: Any, **__: Any) -> None:
        raise ConnectionResetError("the database went away")

    with monkeypatch.context() as dying:
        dying.setattr(f"store.payments.{step}", die)
        with pytest.raises(ConnectionResetError):
            await books.compare()
    assert await books.kept() == []
    async with books.pool.acquire() as conn:
        assert await reconciliation.days(conn, DAY) == []
    assert await books.compare() == [("missing_there", CHARGE, *OPERATOR)]


async def test_two_comparisons_at_once_keep_a_difference_once(books: Books) -> None:
    await books.execute(FORGET_THERE.format(CHARGE))
    await asyncio.gather(*(books.reconciling.reconcile_day(TODAY) for _ in range(4)))
    assert await books.compare() == [("missing_there", CHARGE, *OPERATOR)]


# Borders of days ----------------------------------------------------------------------------------


@pytest.mark.parametrize("there", [timedelta(hours=-13), timedelta(hours=13)])
async def test_what_either_side_dates_to_another_day_agrees(books: Books, there: timedelta) -> None:
    async with books.pool.acquire() as conn:
        await conn.execute("update sandbox.payment_call set called_at = called_at + $1", there)
    assert await books.compare() == []
    assert (await books.state())[:2] == ("clean", 0)
    other = ProviderDay(provider="sandbox", day=(NOON + there).date())
    compared = await books.reconciling.reconcile_day(other)
    assert (compared.listed, compared.differences) == (5, 0)


async def test_what_the_company_dates_days_away_agrees(books: Books) -> None:
    """However far: it is asked for by its order."""
    await books.execute("update sandbox.payment_call set called_at = called_at - interval '4 days'")
    assert await books.compare() == []


async def test_what_was_found_out_days_later_agrees(books: Books) -> None:
    await books.execute(
        "update sandbox.payment_call set called_at = called_at - interval '5 days'",
        "update payment_operation set requested_at = requested_at - interval '5 days'",
    )
    assert await books.compare() == []


async def test_what_was_asked_for_a_moment_ago_is_no_difference(books: Books) -> None:
    now = datetime.now(UTC)
    await books.at(now)
    await books.execute(UNSETTLE.format("requested", CHARGE))
    compared = await books.reconciling.reconcile_day(
        ProviderDay(provider="sandbox", day=now.date())
    )
    assert compared.differences == 0


# Rules --------------------------------------------------------------------------------------------


async def test_a_parked_step_is_tried_again_and_no_other(books: Books) -> None:
    await books.execute(UNSETTLE.format("unknown", CHARGE))
    await books.compare()
    assert books.temporal.signals == []  # it is being tried by itself
    async with books.pool.acquire() as conn:
        for step in ("charge_payment web-1:1", "refund_payment web-1:R1", "pick web-1:1"):
            await events.raise_attention(conn, "web-1", step, "it kept failing", ["retry"])
    await books.compare()
    ((workflow, name, answer),) = books.temporal.signals
    assert (workflow, name, answer.step) == (
        "order:web-1",
        "resolve_attention",
        "charge_payment web-1:1",
    )
    assert (answer.action, answer.by) == ("retry", "reconciliation")
    assert [one[3] for one in await books.compare()] == ["open"]


async def test_a_step_that_serves_several_operations_is_told_once(books: Books) -> None:
    await books.execute(
        UNSETTLE.format("unknown", "web-2:authorize"),
        """insert into payment_authorization
            (authorization_key, order_no, amount_minor, currency, provider, tender)
        values ('web-2:authorize:2', order_no_of('web-2'), 100, 'USD', 'sandbox', 1);
        insert into payment_operation
            (payment_key, authorization_key, order_no, kind, amount_minor, currency, state,
             provider, requested_at)
        values ('web-2:authorize:2', 'web-2:authorize:2', order_no_of('web-2'), 'authorize', 100,
                'USD', 'requested', 'sandbox', '2026-11-24 12:00Z')""",
    )
    async with books.pool.acquire() as conn:
        await events.raise_attention(
            conn, "web-2", "authorize_payment web-2:1", "it kept failing", ["retry"]
        )
    assert [found[1] for found in await books.compare()] == ["web-2:authorize", "web-2:authorize:2"]
    assert [answer.step for _, _, answer in books.temporal.signals] == ["authorize_payment web-2:1"]
    books.temporal.answers = RPCStatusCode.NOT_FOUND
    await books.compare()
    assert {one.remedy for one in await books.kept()} == {Remedy.OPERATOR}


async def test_a_step_of_an_order_that_runs_no_more_is_put_before_a_person(books: Books) -> None:
    await books.execute(UNSETTLE.format("unknown", CHARGE))
    async with books.pool.acquire() as conn:
        step = "charge_payment web-1:1"
        await events.raise_attention(conn, "web-1", step, "it kept failing", ["retry"])
    books.temporal.answers = RPCStatusCode.UNAVAILABLE
    with pytest.raises(Unreachable):
        await books.compare()
    books.temporal.answers = RPCStatusCode.NOT_FOUND
    assert await books.compare() == [("state", CHARGE, *OPERATOR)]
    assert "no running workflow" in (await books.kept())[0].note


@pytest.mark.parametrize("kind", FaultKind)
async def test_a_release_whose_answer_is_lost_is_one_release(books: Books, kind: FaultKind) -> None:
    await books.execute(FAIL.format("not_found", "web-2:authorize"))
    async with books.pool.acquire() as conn:
        await companies.set_fault(conn, "payment", "void", kind, 1.0, remaining=1)
    with pytest.raises(OutcomeUnknown):
        await books.compare()
    assert [one[3] for one in await books.compare()] == ["mended"]
    receipts = await books.bench.payment.operations("web-2")
    assert [(done.kind, done.key) for done in receipts] == [
        ("authorize", "web-2:authorize"),
        ("void", "web-2:void"),
    ]
    # On the day of the release nothing is missing here either.
    today = ProviderDay(provider="sandbox", day=receipts[1].at.date())
    compared = await books.reconciling.reconcile_day(today)
    assert (compared.listed, compared.differences) == (1, 0)


async def test_what_is_not_held_any_more_needs_no_release(books: Books) -> None:
    await books.execute(
        FAIL.format("not_found", "web-2:authorize"),
        "update sandbox.payment set expires_at = now() where order_id = 'web-2'",
    )
    assert [one[3] for one in await books.compare()] == ["mended"]
    assert "has expired" in (await books.kept())[0].note


async def test_a_release_that_is_refused_is_put_before_a_person(books: Books) -> None:
    await books.execute(
        """insert into sandbox.payment_call (key, kind, request, code)
        values ('web-2:void', 'void', 'of something else', 'not_found')""",
        FAIL.format("not_found", "web-2:authorize"),
    )
    assert await books.compare() == [("state", "web-2:authorize", *OPERATOR)]
    assert "cannot be released" in (await books.kept())[0].note


# What a person says -------------------------------------------------------------------------------


async def test_what_a_person_resolved_stays_so_until_it_is_something_else(books: Books) -> None:
    await books.execute(CHANGE_THERE.format("amount_minor = 24_00", CHARGE))
    await books.compare()
    (one,) = await books.kept()
    async with books.pool.acquire() as conn:
        done = await resolving.resolve(conn, one.difference_id, note="agreed", who="ann")
        assert (done.resolution, done.note, done.who) == ("resolved", "agreed", "ann")
        with pytest.raises(Refused, match="resolved already: agreed"):
            await resolving.resolve(conn, one.difference_id, note="again", who="ann")
        with pytest.raises(NotFound, match="no difference 99"):
            await resolving.resolve(conn, 99, note="agreed", who="ann")
    assert (await books.state())[0] == "clean"
    assert [kept[3] for kept in await books.compare()] == ["resolved"]
    assert (await books.state())[0] == "clean"
    await books.execute(CHANGE_THERE.format("amount_minor = 23_00", CHARGE))
    assert [kept[3] for kept in await books.compare()] == ["open"]


# Which days ---------------------------------------------------------------------------------------


async def test_days_are_due_until_they_were_compared_after_their_end_and_are_clean(
    books: Books,
) -> None:
    async def due(today: date) -> list[date]:
        async with books.pool.acquire() as conn:
            return await reconciliation.days_due(conn, "sandbox", today)

    last = [DAY + timedelta(days=n) for n in range(3)]
    assert await due(DAY) == []
    assert await due(last[2]) == last[:2]
    assert await due(DAY + timedelta(days=90)) == [
        DAY + timedelta(days=90 - n) for n in range(31, 0, -1)
    ]
    await books.compare()
    assert await due(last[2]) == last[1:2]
    await books.execute("update reconciliation set under_way = 1")
    assert await due(last[2]) == last[:2]  # what it came to is not known yet
    await books.execute("update reconciliation set under_way = 0")
    await books.execute("update reconciliation set ran_at = '2026-11-24 23:59:59Z'")
    assert await due(last[2]) == last[:2]  # the day was not over
    await books.execute("update reconciliation set ran_at = '2026-11-25 00:00:01Z', state = 'open'")
    assert await due(last[2]) == last[:2]
    async with books.pool.acquire() as conn:
        assert await reconciliation.days_due(conn, "stripe", last[2]) == []


async def test_a_future_day_and_an_unknown_company_are_refused(books: Books) -> None:
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    with pytest.raises(InvalidInput, match="has not begun"):
        await books.reconciling.days_due(Reconcile(day=tomorrow))
    with pytest.raises(InvalidInput, match="there is no 'bank'; there is sandbox"):
        await books.reconciling.days_due(Reconcile(provider="bank"))
    due = await books.reconciling.days_due(Reconcile(day=DAY))
    assert due.days == (TODAY,)
    assert (await books.reconciling.days_due(Reconcile())).days[:1] == (TODAY,)
