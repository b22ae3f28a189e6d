"""The clock that SQL asks: PostgreSQL's own, or the one that a session was given."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from store import clock
from store.database import Connection, Pool

VIRTUAL = datetime(2031, 5, 1, 23, 30, tzinfo=UTC)


async def moments(conn: Connection) -> tuple[datetime, datetime]:
    row: Any = await conn.fetchrow("select moment(), transaction_moment()")
    return row["moment"], row["transaction_moment"]


async def test_the_clock_is_the_real_one_until_a_session_is_given_another(pool: Pool) -> None:
    async with pool.acquire() as conn, pool.acquire() as other:
        before = datetime.now(UTC)
        for moment in await moments(conn):
            assert abs(moment - before) < timedelta(minutes=1)
        await conn.execute("select set_config('orderloom.now', $1, false)", VIRTUAL.isoformat())
        assert await moments(conn) == (VIRTUAL, VIRTUAL)
        assert abs((await moments(other))[0] - before) < timedelta(minutes=1)
        await conn.execute("reset orderloom.now")
        assert abs((await moments(conn))[0] - before) < timedelta(minutes=1)


async def test_a_column_s_default_takes_the_time_that_the_session_was_given(pool: Pool) -> None:
    async with pool.acquire() as conn:
        await conn.execute("select set_config('orderloom.now', $1, false)", VIRTUAL.isoformat())
        row = "(digest, migrations) values ('x', '{}')"
        insert = f"insert into routine_set {row} returning applied_at"
        assert await conn.fetchval(insert) == VIRTUAL


async def test_in_a_transaction_one_moment_goes_on_and_the_other_stays(pool: Pool) -> None:
    async with pool.acquire() as conn, conn.transaction():
        first = await moments(conn)
        await conn.execute("select pg_sleep(0.01)")
        second = await moments(conn)
    assert second[0] > first[0]
    assert second[1] == first[1]


@pytest.mark.parametrize("function", ["moment", "transaction_moment"])
async def test_asking_the_clock_is_no_call_of_a_function(pool: Pool, function: str) -> None:
    """PostgreSQL writes its body into the statement, which costs a twentieth of a microsecond."""
    plan = "\n".join(row[0] for row in await pool.fetch(f"explain verbose select {function}()"))
    assert "current_setting" in plan
    assert function not in plan


def test_python_s_clock_can_be_set_for_a_while() -> None:
    with clock.reads(lambda: VIRTUAL):
        assert clock.now() == VIRTUAL
        assert clock.today() == VIRTUAL.date()
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(minutes=1)
