"""Events get positions: none is lost, none comes twice, none overtakes another of its order."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import asyncpg
import pytest

from activities.notifications.sequencing import UNREAD
from domain.notifications.event_types import CHANGES_TOLD, TOLD
from store.database import Connection, Pool
from store.locks import lock_order
from store.notifications import sequence
from store.orders import events
from tests.support.bench import Bench
from tests.support.builders import an_order


class Told:
    """Orders that tell things, and a sequencer that is called by hand."""

    def __init__(self, pool: Pool, url: str) -> None:
        self.pool = pool
        self.url = url
        self.orders: list[str] = []
        self._told = 0

    async def some_orders(self, count: int) -> None:
        bench = Bench(self.pool)
        for _ in range(count):
            order = an_order(("TEA", 1))
            await bench.take_in(order)
            self.orders.append(order.order_id)
        async with self.pool.acquire() as conn:
            await sequence.wanted(conn)

    async def tell(self, conn: Connection, order_id: str, what: str = "packed") -> None:
        self._told += 1
        await events.tell(conn, order_id, f"test:{self._told}", what, who="test")

    async def advance(self, at_most: int = 1000) -> int:
        """All that can be given a position now."""
        given, more = 0, True
        while more:
            async with self.pool.acquire() as conn:
                new, more = await sequence.advance(
                    conn, TOLD, CHANGES_TOLD, at_most=at_most, unread=UNREAD
                )
            given += new
        return given

    async def out(self) -> list[tuple[int, int]]:
        """(order_no, event_id), in the sequence of positions, of which none is missing."""
        rows = await self.pool.fetch("select * from event_out order by position")
        assert [row["position"] for row in rows] == list(range(1, len(rows) + 1))
        return [(row["order_no"], row["event_id"]) for row in rows]

    @asynccontextmanager
    async def another(self) -> AsyncIterator[Connection]:
        """A connection of its own, which is dropped at the end, whatever is open on it."""
        conn = await asyncpg.connect(self.url)
        await conn.set_type_codec(
            "jsonb", encoder=lambda value: "{}" if value is not None else None,
            decoder=str, schema="pg_catalog",
        )  # fmt: skip
        try:
            yield conn
        finally:
            conn.terminate()


@pytest.fixture
async def told(pool: Pool, database_url: str) -> Told:
    told = Told(pool, database_url)
    await told.some_orders(4)
    return told


async def is_as_in_the_stories(told: Told) -> None:
    """Each event that was committed is there once, in the sequence of its order's story."""
    committed = await told.pool.fetch(
        "select order_no, event_id from order_event where what = 'packed' order by event_id"
    )
    out = await told.out()
    assert sorted(out) == sorted((row["order_no"], row["event_id"]) for row in committed)
    by_order: dict[int, list[int]] = defaultdict(list)
    for order_no, event_id in out:
        by_order[order_no].append(event_id)
    assert all(ids == sorted(ids) for ids in by_order.values())


@pytest.mark.parametrize("seed", range(6))
async def test_whoever_commits_in_whatever_sequence_none_is_lost_doubled_or_reordered(
    told: Told, seed: int
) -> None:
    chance = random.Random(seed)
    read: list[tuple[int, int]] = []
    writing = True

    async def write() -> None:
        async with told.another() as conn:
            for _ in range(30):
                transaction = conn.transaction()
                await transaction.start()
                if chance.random() < 0.5:  # it has its number before it waits for an order's row
                    await conn.execute("select pg_current_xact_id()")
                    await asyncio.sleep(chance.random() * 0.01)
                for order_id in sorted(chance.sample(told.orders, chance.randint(1, 2))):
                    await lock_order(conn, order_id)
                    for _ in range(chance.randint(1, 3)):
                        await told.tell(conn, order_id, chance.choice(["packed", "put back"]))
                    await asyncio.sleep(chance.random() * 0.005)
                if chance.random() < 0.1:  # it stays open for a while
                    await asyncio.sleep(0.1)
                if chance.random() < 0.2:
                    await transaction.rollback()
                else:
                    await transaction.commit()

    async def sequence_and_read() -> None:
        while writing:
            await told.advance(at_most=chance.choice([1, 5, 1000]))
            rows = await told.pool.fetch(
                "select position, event_id from event_out where position > $1 order by position",
                read[-1][0] if read else 0,
            )
            read.extend((row["position"], row["event_id"]) for row in rows)
            await asyncio.sleep(chance.random() * 0.01)

    reading = asyncio.create_task(sequence_and_read())
    rival = asyncio.create_task(_rival(told, lambda: writing))
    await asyncio.gather(*(write() for _ in range(8)))
    writing = False
    await asyncio.gather(reading, rival)
    seen_before = list(read)
    await told.advance()
    await is_as_in_the_stories(told)
    assert seen_before, "something was read while others were writing"
    assert [event_id for _, event_id in seen_before] == [
        event_id for _, event_id in (await told.out())[: len(seen_before)]
    ]
    assert await told.pool.fetchval("select count(*) from event_taken_early") == 0


async def _rival(told: Told, going: Callable[[], bool]) -> None:
    while going():
        await told.advance()
        await asyncio.sleep(0.003)


async def test_who_waited_for_the_order_comes_second_though_its_number_is_lower(
    told: Told,
) -> None:
    order_id = told.orders[0]
    async with told.another() as low, told.another() as between, told.another() as high:
        transactions = [conn.transaction() for conn in (low, between, high)]
        for conn, transaction in zip((low, between, high), transactions, strict=True):
            await transaction.start()
            await conn.execute("select pg_current_xact_id()")
        await lock_order(high, order_id)
        await told.tell(high, order_id)
        await transactions[2].commit()
        await lock_order(low, order_id)
        await told.tell(low, order_id)
        assert await told.advance() == 0, "one that wrote before may still be open"
        await transactions[0].commit()
        # `between` is open: the horizon is between the two.
        assert await told.advance() == 2
        await is_as_in_the_stories(told)
        assert await told.advance() == 0
        assert await told.pool.fetchval("select count(*) from event_taken_early") == 1
        await transactions[1].commit()
    await told.tell(await told.pool.acquire(), told.orders[1])
    assert await told.advance() == 1, "what was taken before is not taken again"
    await is_as_in_the_stories(told)
    assert await told.pool.fetchval("select count(*) from event_taken_early") == 0


async def test_a_sequencer_that_dies_before_its_commit_has_done_nothing(told: Told) -> None:
    for order_id in told.orders:
        async with told.pool.acquire() as conn, conn.transaction():
            await told.tell(conn, order_id)
    async with told.another() as dying:
        await dying.execute("begin")
        given, _ = await sequence.advance(dying, TOLD, CHANGES_TOLD, at_most=1000, unread=UNREAD)
        assert given == 4
        assert await told.advance() == 0, "it is at it, and keeps nobody waiting"
        assert await told.out() == []
    while not await told.advance():  # until the server has noticed
        await asyncio.sleep(0.01)
    await is_as_in_the_stories(told)


async def test_a_transaction_that_tells_more_than_fits_is_taken_whole(told: Told) -> None:
    async with told.pool.acquire() as conn, conn.transaction():
        for _ in range(7):
            await told.tell(conn, told.orders[0])
    await told.tell(await told.pool.acquire(), told.orders[1])
    assert await told.advance(at_most=2) == 8
    await is_as_in_the_stories(told)


async def test_where_nobody_reads_nothing_is_written(pool: Pool, database_url: str) -> None:
    told = Told(pool, database_url)
    await told.some_orders(1)
    (order_id,) = told.orders
    assert await told.advance() == 0, "what was told before somebody read is no event"
    async with pool.acquire() as conn:
        await told.tell(conn, order_id)
        assert await told.advance() == 1
        await conn.execute("update event_sequence set read_at = now() - interval '4 days'")
        await told.advance()
        await told.tell(conn, order_id)
        before = await conn.fetchrow("select xmin::text, * from event_sequence")
        assert before is not None
        assert before["reading"] is False
        assert await told.advance() == 0
        assert await conn.fetchrow("select xmin::text, * from event_sequence") == before
        await sequence.wanted(conn)
        assert await told.advance() == 0
        await told.tell(conn, order_id)
    assert await told.advance() == 1
    rows = await pool.fetch("select position from event_out order by position")
    assert [row["position"] for row in rows] == [1, 3], "a reader sees that something is missing"


async def test_a_backup_on_another_server_goes_on_where_it_stood(told: Told) -> None:
    """There transactions are numbered anew: rows that came with the backup have numbers to come."""
    async with told.pool.acquire() as conn:
        await told.tell(conn, told.orders[0])
        assert await told.advance() == 1

        # It was made on a server that was far ahead, after one more line had been committed there.
        await conn.execute("set session_replication_role = replica")
        await conn.execute("update order_event set xact = '900000' where what = 'packed'")
        await told.tell(conn, told.orders[0])
        await conn.execute("update order_event set xact = '900100' where effect = 'test:2'")
        await conn.execute(
            "update event_sequence set server = 'another', horizon = '900050', "
            "latest = (select max(event_id) from order_event where xact = '900000')"
        )
        await conn.execute("set session_replication_role = origin")

        await told.tell(conn, told.orders[0])  # the first one here
        assert await told.advance() == 2
        await told.tell(conn, told.orders[1])
        assert await told.advance() == 1
        await is_as_in_the_stories(told)
        # In time, transactions have the numbers of rows that came with the backup.
        await conn.execute("update event_sequence set horizon = '900000'")
        assert await told.advance() == 0


async def test_old_events_go_and_those_that_a_subscription_lacks_stay(told: Told) -> None:
    async with told.pool.acquire() as conn:
        for _ in range(3):
            await told.tell(conn, told.orders[0])
        await told.advance()
        await conn.execute("update event_out set at = at - interval '40 days' where position < 3")
        await conn.execute(
            "insert into event_subscription (subscription_id, url, secrets, made_by, cursor)"
            " values ('s', 'https://example.com', '{x}', 'test', 1)"
        )
        month = timedelta(days=30)
        assert await sequence.forget(conn, month, 100) == 1
        await conn.execute("update event_subscription set state = 'paused'")
        assert await sequence.forget(conn, month, 100) == 1
        assert await sequence.forget(conn, month, 100) == 0
