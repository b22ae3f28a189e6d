"""A page of stock is made of its own rows, however large the catalogue is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from store.database import Connection, Pool
from store.purchasing import outlook
from tests.support.bench import Bench
from tests.support.own_database import database_url, pool

__all__ = ["database_url", "pool"]

SKUS: Final = 3_000
PAGE: Final = 20
_LOOKED_AT: Final = """
select sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::bigint from pg_stat_xact_user_tables
where relname = 'item'
"""
"""Items that this transaction has looked at: each row that is looked up whole takes one."""


async def filled(pool: Pool) -> None:
    await Bench(pool).stocked("TEA", 10)
    await pool.execute(
        "insert into item (sku) select 'SKU-' || n from generate_series(1, $1) n", SKUS
    )
    await pool.execute("insert into inventory select sku from item on conflict do nothing")
    await pool.execute(
        "insert into stock (sku, location, on_hand) "
        "select sku, 'main', 5 + hashtext(sku) % 5 from item where sku <> 'TEA'"
    )
    await pool.execute(
        "insert into stock_demand (sku, location, days, total, squares) "
        "select sku, location, 30, abs(hashtext(sku)) % 7, 9 from stock where hashtext(sku) % 3 = 0"
    )
    await pool.execute("vacuum analyze")


async def pages(conn: Connection) -> list[tuple[str, object]]:
    """All stock, page by page."""
    found: list[outlook.Outlook] = []
    while True:
        last = found[-1] if found else None
        after = None if last is None else (last.out_on, last.sku, last.location)
        some = await outlook.outlook(conn, after=after, at_most=700)
        found += some
        if len(some) < 700:
            return [(one.sku, one.out_on) for one in found]


async def test_a_page_of_stock_looks_its_own_rows_up_and_no_others(pool: Pool) -> None:
    await filled(pool)
    soon = datetime.now(UTC).date() + timedelta(days=40)
    async with pool.acquire() as conn, conn.transaction():
        before = await conn.fetchval(_LOOKED_AT)
        first = await outlook.outlook(conn, at_most=PAGE)
        due = await outlook.outlook(conn, out_by=soon, location="main", at_most=PAGE)
        looked_at = await conn.fetchval(_LOOKED_AT) - before
    assert (len(first), len(due)) == (PAGE, PAGE)
    assert looked_at <= 5 * PAGE, looked_at


async def test_the_pages_are_all_stock_in_the_sequence_in_which_it_runs_out(pool: Pool) -> None:
    await filled(pool)
    async with pool.acquire() as conn:
        paged = await pages(conn)
        whole = [
            (one.sku, one.out_on) for one in await outlook.outlook(conn, skus=await skus(conn))
        ]
    assert len(paged) == SKUS + 1
    assert paged == whole


async def skus(conn: Connection) -> list[str]:
    return [row["sku"] for row in await conn.fetch("select sku from item")]
