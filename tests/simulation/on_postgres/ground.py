"""A real PostgreSQL in virtual time, for the simulator's driver, which is no coroutine.

What is asynchronous runs on a loop of its own, in the middle of the loop that the life is lived in:
one thing at a time, so the same seed gives the same life. A thread for it would spend a tenth of
all work on handing over. Every session is told the time before it is used, and Python's clock tells
the same. Each piece of work has a moment of its own, a microsecond later than the one before it, as
nothing on a real server happens twice at the same time.
"""

from __future__ import annotations

import asyncio
from asyncio import events
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, TypeVar

import asyncpg

from domain.aftersales.return_rules import Limit, ReturnRule
from store import clock
from store.aftersales import return_rules
from store.database import Connection, Pool, pool_options
from store.days.counting import BACK
from store.sandbox import companies
from store.stock import locations
from tests.simulation.driver import BEGAN
from tests.support.servers import Databases, running_postgres

T = TypeVar("T")

LOCATIONS: Final = ("main", "outlet", "far")

A_TICK: Final = timedelta(microseconds=1)

FAULTS: Final = ("unavailable", "timeout_before", "timeout_after")
EACH: Final = 0.3
"""The rate of each kind of fault, as the sandbox companies are told: who rolls less than three
times as much meets one. The roll is the simulator's own."""

ASKED: Final = "asked"
"""The category of items about whose returns a person decides."""

LABELLED: Final = "labelled"
"""The category of items of which a return has a label, and is paid back when a carrier has it."""

RULES: Final = (
    ReturnRule(category=ASKED, review_above=Limit(amount=Decimal(0), currency="EUR")),
    ReturnRule(
        category=LABELLED,
        label="paid",
        label_fee=Limit(amount=Decimal(1), currency="EUR"),
        instant_refund="always",
        instant_refund_up_to=Limit(amount=Decimal(40), currency="EUR"),
        restocking_percent={"opened": 20},
        not_returned="write_off",
        refurbish_at="workshop",
        dispositions={"opened": "refurbish", "damaged": "supplier"},
    ),
)

KEPT: Final = (
    *("schema_migrations", "routine_set", "location", "fault", "seller", "channel"),
    *("event_sequence", "message_reading", "return_rule", "customer_change_forgotten"),
    "customer_segment_look",
)
"""Tables that hold nothing of a life."""

LIVED_IN: Final = """
    select string_agg(format('%I.%I', schemaname, tablename), ', ') from pg_tables
    where schemaname in ('public', 'sandbox') and tablename <> all($1::text[])
"""

COMPANIES: Final = ("payment", "carrier")

UNCOUNTED: Final = "delete from day_count; delete from day_figure; delete from day_loss"
COUNTED_BEFORE: Final = f"""
    insert into day_count (seller, day, counted_at)
    select seller, moment()::date - back, moment()
    from (select seller from seller union all select '') s, generate_series(1, {BACK}) back
"""
"""Nothing happened before, so these days need not be counted, nor compared."""


class Ground:
    """One database, which many lives share, one after the other."""

    def __init__(self, database_url: str) -> None:
        self.moment = self.latest = BEGAN
        self._told: dict[int, datetime] = {}
        """What each session of the server was told last."""
        self._seeds: set[int] = set()
        """Whose lives are in the database."""
        self._loop = asyncio.new_event_loop()
        self.pool: Pool = self._wait_for(self._open(database_url))

    def do(self, work: Coroutine[Any, Any, T], at: datetime) -> T:
        """Do something on the database at this moment, and wait for it."""
        self.moment = max(at, self.moment + A_TICK)
        self.latest = max(self.latest, self.moment)
        return self._wait_for(work)

    def begin(self, seed: int) -> None:
        """Another life begins, at the same moment as all others. No life is there twice."""
        self.moment = BEGAN
        if seed in self._seeds:
            self._wait_for(self._wipe())
            self._seeds.clear()
            self.latest = BEGAN
        self._seeds.add(seed)
        self.do(self._forget_days(), BEGAN)

    def close(self) -> None:
        """Leave the database."""
        self._wait_for(self._leave())
        self._loop.close()

    def _wait_for(self, work: Coroutine[Any, Any, T]) -> T:
        outer = events._get_running_loop()
        events._set_running_loop(None)
        try:
            return self._loop.run_until_complete(work)
        finally:
            events._set_running_loop(outer)

    async def _open(self, database_url: str) -> Pool:
        pool = await asyncpg.create_pool(
            database_url,
            # A time limit for each statement would be a fifth of a life's work.
            **{**pool_options(4), "command_timeout": None, "setup": self._tell_the_time},
            # A life and its audit have more statements than the driver remembers by default.
            statement_cache_size=1000,
        )
        async with pool.acquire() as conn:
            await locations.add(conn, (*LOCATIONS, "workshop"))
            await conn.execute(
                "update location set retired_at = $1 where location = 'workshop'", BEGAN
            )
            await return_rules.save(conn, RULES)
            for company in COMPANIES:
                for kind in FAULTS:
                    await companies.set_fault(conn, company, "*", kind, EACH)
        return pool

    async def _wipe(self) -> None:
        """Forget all lives, as nothing but a test may."""
        async with self.pool.acquire() as conn, conn.transaction():
            await conn.execute("set local session_replication_role = replica")
            tables = await conn.fetchval(LIVED_IN, list(KEPT))
            await conn.execute(f"truncate {tables}")

    async def _forget_days(self) -> None:
        """Lives share the days that are counted, so each has them counted anew from its first."""
        async with self.pool.acquire() as conn:
            await conn.execute(f"{UNCOUNTED}; {COUNTED_BEFORE}")

    async def _leave(self) -> None:
        self.pool.terminate()

    async def _tell_the_time(self, conn: Connection) -> None:
        session = conn.get_server_pid()
        if self._told.get(session) != self.moment:
            await conn.execute(f"set orderloom.now = '{self.moment.isoformat()}'")
            self._told[session] = self.moment


_laid: list[Ground] = []
"""The grounds of this process; lives are lived on the newest."""


def laid() -> Ground:
    """The ground on which lives are lived in this process."""
    assert _laid, "lay a ground first: with ground_on(database_url): …"
    return _laid[-1]


@contextmanager
def ground_on(database_url: str) -> Iterator[Ground]:
    """A database to live on, and its clock as the time of this process, until the block ends."""
    ground = Ground(database_url)
    _laid.append(ground)
    try:
        with clock.reads(lambda: ground.moment):
            yield ground
    finally:
        _laid.remove(ground)
        ground.close()


@contextmanager
def databases(count: int) -> Iterator[Sequence[str]]:
    """The URLs of so many databases on a server of their own, until the block ends."""

    async def begin(until_the_end: AsyncExitStack) -> list[str]:
        made = Databases(await until_the_end.enter_async_context(running_postgres()))
        await made.prepare()
        return [await until_the_end.enter_async_context(made.fresh()) for _ in range(count)]

    with asyncio.Runner() as runner:
        until_the_end = AsyncExitStack()
        try:
            yield runner.run(begin(until_the_end))
        finally:
            runner.run(until_the_end.aclose())
