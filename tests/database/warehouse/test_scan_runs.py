"""Runs of scans as rows: one hand for each part, and an end for every row."""

from __future__ import annotations

from datetime import timedelta

from activities.warehouse.retention import OldRuns
from domain.warehouse.packing import Packing
from store.database import Pool
from store.warehouse import runs
from tests.support.bench import Bench


async def test_a_part_is_in_one_run_until_that_lets_go_of_it(pool: Pool) -> None:
    await Bench(pool).stocked("TEA", 1)
    async with pool.acquire() as conn:
        first, second = [
            await runs.begin(conn, "pack", "main", login, login.title(), Packing())
            for login in ("anna", "ben")
        ]
        assert await runs.hold(conn, first, ["p1", "p2"]) == []
        assert await runs.hold(conn, second, ["p2", "p3"]) == ["p2"]
        (holder,) = await runs.holders(conn, ["p2"])
        assert (holder.run_no, holder.login) == (first, "anna")
        await runs.let_go(conn, first, ["p2", "p3"])
        assert await runs.hold(conn, second, ["p2", "p3"]) == []


async def test_runs_go_some_time_after_their_end_or_their_last_scan(pool: Pool) -> None:
    await Bench(pool).stocked("TEA", 1)
    async with pool.acquire() as conn:
        numbers = [
            await runs.begin(conn, "pack", "main", "anna", "Anna", Packing()) for _ in range(4)
        ]
        for number in numbers:
            await runs.hold(conn, number, [f"part of {number}"])
        old = "moment() - interval '31 days'"
        await conn.execute(
            f"update scan_run set changed_at = {old}, ended_at = {old} where run_no = $1",
            numbers[0],
        )
        await conn.execute(f"update scan_run set changed_at = {old} where run_no = $1", numbers[1])
        await conn.execute("update scan_run set ended_at = moment() where run_no = $1", numbers[2])
        kept = await runs.begin(conn, "pack", "main", "anna", "Anna", Packing())
        await conn.execute(
            f"update scan_run set changed_at = {old}, facts = $2 where run_no = $1",
            kept,
            [{"what": "pack", "part": "never recorded"}],
        )
        await OldRuns(pool, timedelta(days=30)).forget()
        left = await conn.fetch("select run_no from scan_run order by run_no")
        assert [row["run_no"] for row in left] == [*numbers[2:], kept]
        parts = await conn.fetch("select run_no from scan_run_part order by run_no")
        assert [row["run_no"] for row in parts] == numbers[2:]
