"""Days of the books that are added up, on the real database: late entries, races, time zones."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest

from domain.sellers import Seller
from store.accounting import account_reads, book_days, ledger, sellers
from store.database import Connection, Pool
from store.views import audit
from tests.database.accounting.test_store_ledger import waits_for_a_lock

TODAY = datetime.now(UTC).date()
YESTERDAY = TODAY - timedelta(days=1)
ADDED = "select entries from book_day where seller = $1 and day = $2"
BOOKED_ON = "select booked_on from journal_entry where effect = $1"


async def entry(
    conn: Connection,
    seller: str,
    effect: str,
    day: date | None = None,
    amount: int = 5,
    currency: str = "EUR",
) -> None:
    await conn.execute(
        """
        with entry as (
            insert into journal_entry (effect, seller, memo, booked_on) values ($1, $2, 'x', $3)
            returning entry_id)
        insert into posting
        select entry_id, account, amount, $5 from entry,
            (values ('disputes', $4::bigint), ('write_offs', -$4::bigint)) as p (account, amount)
        """,
        effect,
        seller,
        day,
        amount,
        currency,
    )


@pytest.fixture
async def two(pool: Pool) -> None:
    """Two sellers, whose books are added up through yesterday."""
    async with pool.acquire() as conn:
        await sellers.save(conn, [Seller(seller=code, name=code) for code in ("one", "two")])
        for code in ("one", "two"):
            await entry(conn, code, f"first-{code}", YESTERDAY)
        await book_days.add_up(conn, 9)


@pytest.mark.usefixtures("two")
async def test_late_entries_of_two_sellers_do_not_wait_for_each_other_in_a_circle(
    pool: Pool,
) -> None:
    both = asyncio.Barrier(2)

    async def write(first: str, second: str) -> None:
        async with pool.acquire() as conn, conn.transaction():
            await entry(conn, first, f"{first}-{second}-1", YESTERDAY)
            await conn.execute("set constraints all immediate")  # as a commit does, one by one
            await both.wait()
            await entry(conn, second, f"{first}-{second}-2", YESTERDAY)

    async with asyncio.timeout(20):
        await asyncio.gather(write("one", "two"), write("two", "one"))
    async with pool.acquire() as conn:
        days = await conn.fetch("select seller, sum(entries) from book_day group by 1 order by 1")
        assert [tuple(row) for row in days] == [("one", 3), ("two", 3)]
        assert (await audit.look(conn)).violations == ()


@pytest.mark.usefixtures("two")
async def test_a_day_is_not_added_up_while_somebody_keeps_an_entry_uncommitted(pool: Pool) -> None:
    """As a rehearsal does. Who commits another entry meanwhile does not wait for its end."""
    async with pool.acquire() as conn, pool.acquire() as other, pool.acquire() as third:
        await third.execute("select set_config('orderloom.now', (now() + '1 day')::text, false)")
        await entry(other, "two", "of-another", TODAY)
        await entry(other, "one", "today", TODAY)
        async with asyncio.timeout(10):
            async with conn.transaction():
                await entry(conn, "one", "kept", TODAY)
                await conn.execute("set constraints all immediate")
                adding = asyncio.create_task(book_days.add_up(third, 9))
                await waits_for_a_lock(pool)
                await entry(other, "one", "another", TODAY)
                assert await adding == 1  # the other seller's
                assert not await other.fetchval(ADDED, "one", TODAY)
            assert await book_days.add_up(third, 9) == 1
        assert await other.fetchval(ADDED, "one", TODAY) == 3


@pytest.mark.usefixtures("two")
@pytest.mark.parametrize(
    "change",
    [
        "update book_day set entries = entries + 1 where late_entry = 0 and seller = 'one'",
        "update book_day_account set debit_minor = debit_minor + 1 where account = 'disputes'",
        "update book_day_account set (debit_minor, credit_minor) = (credit_minor, debit_minor)",
        "delete from book_day_account where account = 'disputes' and seller = 'one'",
        *(
            f"delete from book_day_account where {lost}; delete from book_day where {lost}"
            for lost in ("late_entry > 0", "day < current_date - 2")
        ),
    ],
)
async def test_the_audit_finds_what_is_wrong_in_a_day(pool: Pool, change: str) -> None:
    async with pool.acquire() as conn:
        await entry(conn, "one", "late", YESTERDAY, currency="USD")
        await entry(conn, "one", "long-ago", YESTERDAY - timedelta(days=9))
        assert (await audit.look(conn)).violations == ()
        await conn.execute(change)
        found = (await audit.look(conn)).violations
        assert found
        assert all("is added up to" in str(one) for one in found)


class Plain:
    """The same books as a list, added up entry by entry."""

    def __init__(self) -> None:
        self.entries: list[tuple[str, date, str, int]] = []

    def balance(self, seller: str | None, until: date | None) -> Counter[tuple[str, str]]:
        found: Counter[tuple[str, str]] = Counter()
        for whose, day, currency, amount in self.entries:
            if seller in (None, whose) and (until is None or day <= until):
                found["disputes", currency] += amount
                found["write_offs", currency] -= amount
        return Counter({key: amount for key, amount in found.items() if amount})

    def moved(
        self, seller: str, after: date | None, through: date
    ) -> dict[tuple[str, str], tuple[int, int]]:
        found: dict[tuple[str, str], tuple[int, int]] = {}
        for whose, day, currency, amount in self.entries:
            if whose == seller and (after is None or day > after) and day <= through:
                for account, part in (("disputes", amount), ("write_offs", -amount)):
                    debit, credit = found.get((account, currency), (0, 0))
                    found[account, currency] = (debit + max(part, 0), credit + max(-part, 0))
        return found


@pytest.mark.parametrize("seed", range(6))
async def test_any_sequence_of_entries_days_and_closings_comes_to_what_was_booked(
    pool: Pool, seed: int
) -> None:
    random, plain = Random(seed), Plain()
    zones = ("Pacific/Kiritimati", "Pacific/Honolulu", "Asia/Seoul", "UTC")
    zone = dict.fromkeys(("one", "two", "three"), "UTC")
    now = datetime(2027, 3, 1, 12, tzinfo=UTC)
    closed: dict[str, date] = {}

    async def compare(conn: Connection) -> None:
        first, last = sorted(now.date() + timedelta(days=random.randint(-12, 2)) for _ in range(2))
        seller = random.choice([*zone, "none", None])
        for until in (first, last, None):
            found = await ledger.trial_balance(conn, until, seller=seller)
            balances = {(one.account.value, one.currency): one.amount_minor for one in found}
            assert balances == plain.balance(seller, until), (seller, until)
        if seller is not None:
            for after in (None, first):
                rows = await account_reads.moved(conn, seller, after, last)
                both = {
                    (r.account.value, r.currency): (r.debit_minor, r.credit_minor) for r in rows
                }
                assert both == plain.moved(seller, after, last), (seller, after, last)
            preview = await account_reads.to_close(conn, seller, last)
            begin = closed.get(seller, date.min)
            days = [day for whose, day, *_ in plain.entries if whose == seller]
            assert preview.entries == sum(begin < day <= last for day in days)

    async with pool.acquire() as conn:
        for number in range(120):
            await conn.execute("select set_config('orderloom.now', $1, false)", now.isoformat())
            seller = random.choice(list(zone))
            match random.randint(0, 9):
                case 0 if number:
                    zone[seller] = random.choice(zones)
                case 1:
                    now += timedelta(hours=random.randint(0, 30))
                case 2 | 3 if number:
                    await book_days.add_up(conn, random.randint(1, 3))
                case 4 if random.random() < 0.3 and number:
                    through = await ledger.today(conn, seller) - timedelta(
                        days=random.randint(1, 5)
                    )
                    if through > closed.get(seller, date.min):
                        await ledger.close(conn, seller, through, who="anna")
                        closed[seller] = through
                case _ if number:
                    open_from = closed.get(seller, date.min) + timedelta(days=1)
                    day = await ledger.today(conn, seller) - timedelta(days=random.randint(0, 9))
                    amount, currency = random.choice((-7, 5, 5, 11)), random.choice(("EUR", "USD"))
                    async with conn.transaction():
                        for part in range(random.randint(1, 2)):
                            its_day = max(day, open_from) if random.random() < 0.5 else None
                            effect = f"{number}-{part}"
                            await entry(conn, seller, effect, its_day, amount, currency)
                            its_day = await conn.fetchval(BOOKED_ON, effect)
                            plain.entries.append((seller, its_day, currency, amount))
            await sellers.save(
                conn, [Seller(seller=code, name=code, time_zone=zone[code]) for code in zone]
            )
            await compare(conn)
        assert (await audit.look(conn)).violations == ()
