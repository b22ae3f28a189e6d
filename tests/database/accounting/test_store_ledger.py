"""The journal on the real database: entries once each, balances by day, days that are closed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta

import asyncpg
import pytest

from activities.days.counting import DayCounting
from domain.accounting.accounts import Account
from domain.errors import IllegalTransition, InvalidInput
from store.accounting import account_reads, book_days, ledger, tax_report
from store.database import Connection, Pool
from store.views import audit
from tests.support.own_database import database_url, pool

__all__ = ["database_url", "pool"]

TODAY = datetime.now(UTC).date()
YESTERDAY = TODAY - timedelta(days=1)
SALE = {Account.CASH_IN_TRANSIT: 1200, Account.REVENUE: -1000, Account.TAX_PAYABLE: -200}


async def sold(conn: Connection, effect: str, currency: str = "USD") -> None:
    await ledger.post(conn, effect=effect, memo="sale", currency=currency, postings=SALE)


async def on_day(conn: Connection, effect: str, day: date) -> None:
    """An entry of another day than that on which it is written."""
    await conn.execute(
        """
        with entry as (
            insert into journal_entry (effect, memo, booked_on) values ($1, 'old', $2)
            returning entry_id)
        insert into posting
        select entry_id, account, amount, 'EUR' from entry,
            (values ('disputes', 5), ('write_offs', -5)) as p (account, amount)
        """,
        effect,
        day,
    )


async def written(pool: Pool, effect: str) -> bool:
    found: int = await pool.fetchval("select count(*) from journal_entry where effect = $1", effect)
    return found == 1


@asynccontextmanager
async def an_entry_of_yesterday(pool: Pool, effect: str) -> AsyncIterator[Connection]:
    """A transaction that has written one, and is not committed before the block ends."""
    async with pool.acquire() as conn, conn.transaction():
        await on_day(conn, effect, YESTERDAY)
        yield conn


async def closing(pool: Pool, through: date = YESTERDAY) -> ledger.Closing:
    async with pool.acquire() as conn:
        return await ledger.close(conn, "main", through, who="anna")


async def waits_for_a_lock(pool: Pool) -> None:
    while not await pool.fetchval(
        "select count(*) from pg_stat_activity where wait_event_type = 'Lock' "
        "and wait_event = 'advisory' and datname = current_database()"
    ):
        await asyncio.sleep(0.01)


async def test_an_effect_is_booked_once_and_nothing_is_not_booked(pool: Pool) -> None:
    async with pool.acquire() as conn:
        await sold(conn, "a")
        await sold(conn, "a")
        await ledger.post(conn, effect="none", memo="", currency="USD", postings={"revenue": 0})
        (entry,) = await ledger.entries(conn)
    assert (entry.effect, entry.order_id, entry.booked_on) == ("a", None, TODAY)
    assert [(x.account, x.amount_minor) for x in entry.postings] == [
        ("cash_in_transit", 1200),
        ("revenue", -1000),
        ("tax_payable", -200),
    ]


async def test_an_entry_that_does_not_balance_is_not_written(pool: Pool) -> None:
    async with pool.acquire() as conn:
        with pytest.raises(asyncpg.CheckViolationError, match="does not balance"):
            await ledger.post(
                conn, effect="forged", memo="", currency="USD", postings={"revenue": -1}
            )
        assert await ledger.entries(conn) == []


async def test_the_trial_balance_is_of_all_days_through_one_and_adds_up_to_zero(
    pool: Pool,
) -> None:
    async with pool.acquire() as conn:
        await on_day(conn, "old", YESTERDAY)
        for number, currency in enumerate(("USD", "JPY", "USD")):
            await sold(conn, str(number), currency)
        old = await ledger.trial_balance(conn, YESTERDAY)
        everything = await ledger.trial_balance(conn)
        # Closed days are carried forward, and come to the same.
        await on_day(conn, "older", YESTERDAY - timedelta(days=1))
        open_ = [await ledger.trial_balance(conn, day) for day in (YESTERDAY, None)]
        for back in (3, 1, 2):
            await ledger.close(conn, "main", TODAY - timedelta(days=back), who="anna")
            closed = [await ledger.trial_balance(conn, day) for day in (YESTERDAY, None)]
            assert closed == open_
        assert await conn.fetchval("select count(distinct through) from closed_balance") == 1
        assert (await audit.look(conn)).violations == ()
    assert [(x.account, x.currency, x.amount_minor) for x in old] == [
        ("disputes", "EUR", 5),
        ("write_offs", "EUR", -5),
    ]
    assert [(x.account, x.amount_minor) for x in everything if x.currency == "USD"] == [
        ("cash_in_transit", 2400),
        ("revenue", -2000),
        ("tax_payable", -400),
    ]
    for currency in ("EUR", "JPY", "USD"):
        assert sum(x.amount_minor for x in everything if x.currency == currency) == 0


async def test_a_period_is_what_was_before_what_happened_and_what_is_after(pool: Pool) -> None:
    async with pool.acquire() as conn:
        await on_day(conn, "old", YESTERDAY)
        await sold(conn, "new")
        today = await ledger.period(conn, "main", TODAY, TODAY)
        whole = await ledger.period(conn, "main", None, TODAY)
        with pytest.raises(InvalidInput, match="before it begins"):
            await ledger.period(conn, "main", TODAY, YESTERDAY)
    assert [x.currency for x in today.before] == ["EUR", "EUR"]
    assert [x.effect for x in today.entries] == ["new"]
    assert (whole.first, whole.before, whole.closed) == (YESTERDAY, (), False)
    assert [x.effect for x in whole.entries] == ["old", "new"]
    assert whole.after == today.after


async def test_books_without_an_entry_are_a_period_too(pool: Pool) -> None:
    async with pool.acquire() as conn:
        empty = await ledger.period(conn, "main", None, TODAY)
    assert (empty.first, empty.entries, empty.after) == (TODAY, (), ())


async def test_a_closed_day_takes_no_entries_and_a_later_one_does(pool: Pool) -> None:
    assert (await closing(pool)).through == YESTERDAY
    async with pool.acquire() as conn:
        await sold(conn, "today")
        with pytest.raises(asyncpg.RestrictViolationError, match="closed through"):
            await on_day(conn, "late", YESTERDAY)
        assert (await ledger.period(conn, "main", None, YESTERDAY)).closed
        assert not (await ledger.period(conn, "main", None, TODAY)).closed
    assert not await written(pool, "late")


async def test_only_days_that_are_over_are_closed(pool: Pool) -> None:
    with pytest.raises(IllegalTransition, match=f"can be closed is {YESTERDAY}"):
        await closing(pool, TODAY)
    async with pool.acquire() as conn:
        assert await ledger.closings(conn, "main") == []


async def test_what_is_closed_stays_closed(pool: Pool) -> None:
    first = await closing(pool)
    assert await closing(pool, YESTERDAY - timedelta(days=9)) == first
    assert await closing(pool) == first
    async with pool.acquire() as conn:
        assert await ledger.closings(conn, "main") == [first]


async def test_when_a_period_was_closed_is_not_for_the_caller_to_say(pool: Pool) -> None:
    with pytest.raises(asyncpg.CheckViolationError):
        await pool.execute(
            "insert into closing (seller, through, closed_at, who) values ('main', $1, $2, 'x')",
            TODAY,
            datetime.now(UTC) + timedelta(days=2),
        )


async def test_an_entry_that_is_under_way_when_its_day_is_closed_is_refused(pool: Pool) -> None:
    with pytest.raises(asyncpg.RestrictViolationError, match="closed through"):
        async with an_entry_of_yesterday(pool, "late"):
            await closing(pool)
    assert not await written(pool, "late")


async def test_a_closing_waits_for_an_entry_that_is_being_committed(pool: Pool) -> None:
    async with an_entry_of_yesterday(pool, "in time") as conn:
        await conn.execute("set constraints all immediate")
        closed = asyncio.create_task(closing(pool))
        await waits_for_a_lock(pool)
    await closed
    assert await written(pool, "in time")


@pytest.mark.parametrize("is_closed", [True, False])
async def test_an_entry_waits_for_a_closing_that_is_being_committed(
    pool: Pool, is_closed: bool
) -> None:
    async def write() -> None:
        async with an_entry_of_yesterday(pool, "late"):
            pass

    async with pool.acquire() as conn:
        transaction = conn.transaction()
        await transaction.start()
        await ledger.close(conn, "main", YESTERDAY, who="anna")
        writing = asyncio.create_task(write())
        await waits_for_a_lock(pool)
        if is_closed:
            await transaction.commit()
            with pytest.raises(asyncpg.RestrictViolationError, match="closed through"):
                await writing
        else:
            await transaction.rollback()
            await writing
    assert await written(pool, "late") is not is_closed


async def test_nothing_slips_into_a_period_while_it_is_closed(pool: Pool) -> None:
    counted = "select count(*) from journal_entry where booked_on <= $1"

    async def write(number: int) -> bool:
        try:
            async with an_entry_of_yesterday(pool, str(number)):
                await asyncio.sleep(number % 5 * 0.002)
        except asyncpg.RestrictViolationError:
            return False
        return True

    async def close() -> int:
        await asyncio.gather(*(closing(pool) for _ in range(2)))
        found: int = await pool.fetchval(counted, YESTERDAY)
        return found

    before = await asyncio.gather(*(write(number) for number in range(10)))
    meanwhile, at_closing = await asyncio.gather(
        asyncio.gather(*(write(number) for number in range(10, 50))), close()
    )
    after = await asyncio.gather(*(write(number) for number in range(50, 55)))
    assert (all(before), any(after)) == (True, False)
    assert at_closing == [*before, *meanwhile].count(True)
    assert at_closing == await pool.fetchval(counted, YESTERDAY)
    carried = await pool.fetch("select account, amount_minor from closed_balance order by 1")
    assert {abs(row["amount_minor"]) for row in carried} == {5 * at_closing}


async def test_a_transaction_that_would_not_see_a_closing_writes_no_entry(pool: Pool) -> None:
    async with pool.acquire() as conn:
        with pytest.raises(asyncpg.RestrictViolationError, match="read committed"):
            async with conn.transaction(isolation="repeatable_read"):
                await sold(conn, "blind")


_LOOKED_AT = """
select sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::bigint from pg_stat_xact_user_tables
where relname in ('journal_entry', 'posting')
"""
"""Rows of the journal that this transaction has looked at."""

BEFORE = TODAY - timedelta(days=9)
LONG_AGO = TODAY - timedelta(days=20)


async def balances(conn: Connection) -> list[object]:
    """All that is read of whole days."""
    days = [(None, YESTERDAY), (BEFORE, YESTERDAY), (LONG_AGO, BEFORE), (None, TODAY)]
    return [
        *[await ledger.trial_balance(conn, day) for day in (LONG_AGO, BEFORE, YESTERDAY, None)],
        *[await account_reads.moved(conn, "main", *some) for some in days],
        await account_reads.to_close(conn, "main", YESTERDAY),
        await account_reads.to_close(conn, "main", BEFORE),
        await tax_report.of_days(conn, "main", BEFORE, TODAY),
    ]


async def of_tax(conn: Connection, effect: str, day: date) -> None:
    await conn.execute(
        """
        with entry as (
            insert into journal_entry (effect, memo, booked_on) values ($1, 'old', $2)
            returning entry_id)
        insert into posting
        select entry_id, account, amount, 'EUR' from entry, (values
            ('cash_in_transit', 6), ('revenue', -5), ('tax_payable', -1)) as p (account, amount)
        """,
        effect,
        day,
    )


async def test_days_that_are_added_up_come_to_the_same_and_their_entries_are_not_read(
    pool: Pool,
) -> None:
    async with pool.acquire() as conn:
        for number in range(60):
            await of_tax(conn, f"old-{number}", (LONG_AGO, BEFORE, YESTERDAY)[number % 3])
            await on_day(conn, f"older-{number}", BEFORE)
        await sold(conn, "now")
        before = await balances(conn)
        assert await book_days.add_up(conn, 2) == 2
        assert await balances(conn) == before  # a day is left
        assert (await book_days.add_up(conn, 9), await book_days.add_up(conn, 9)) == (1, 0)
        assert await conn.fetchval("select max(day) from book_day") == YESTERDAY
        async with conn.transaction():
            looked_before = await conn.fetchval(_LOOKED_AT)
            await ledger.trial_balance(conn)
            await account_reads.moved(conn, "main", None, TODAY)
            await conn.fetch("select 1")
            looked_at = await conn.fetchval(_LOOKED_AT) - looked_before
        assert looked_at < 20, looked_at
        assert await balances(conn) == before
        await ledger.close(conn, "main", BEFORE, who="anna")
        assert (await ledger.trial_balance(conn)) == before[3]
        assert (await audit.look(conn)).violations == ()


async def test_an_entry_that_comes_after_its_day_was_added_up_is_added(pool: Pool) -> None:
    async with pool.acquire() as conn:
        await on_day(conn, "first", BEFORE)
        await on_day(conn, "second", YESTERDAY)
        await book_days.add_up(conn, 9)
        for number in range(3):
            for day in (LONG_AGO, BEFORE, YESTERDAY):  # one of them had no entries
                await of_tax(conn, f"late-{number}-{day}", day)
        added = await balances(conn)
        assert (await audit.look(conn)).violations == ()
        await conn.execute("truncate book_day, book_day_account")
        assert await balances(conn) == added


async def test_an_entry_that_is_written_while_its_day_is_added_up_is_in_the_sum(pool: Pool) -> None:
    async def write(number: int) -> None:
        async with an_entry_of_yesterday(pool, str(number)):
            await asyncio.sleep(number % 5 * 0.002)

    duty = DayCounting(pool).add_up_books
    await write(0)
    await asyncio.gather(*(write(number) for number in range(1, 40)), duty(), duty())
    async with pool.acquire() as conn:
        kept = await conn.fetch("select day, sum(entries) from book_day group by day")
        assert [tuple(row) for row in kept] == [(YESTERDAY, 40)]
        (moved, _) = await account_reads.moved(conn, "main", None, YESTERDAY)
        assert moved.debit_minor == 200
        assert (await audit.look(conn)).violations == ()


async def test_the_day_that_is_not_over_is_not_added_up(pool: Pool) -> None:
    async with pool.acquire() as conn:
        await sold(conn, "now")
        assert await book_days.add_up(conn, 9) == 0
