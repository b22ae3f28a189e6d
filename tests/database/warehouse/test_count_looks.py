"""What to count next is read along its index, however much lies at the location."""

from __future__ import annotations

from typing import Final

from store.database import Pool
from store.warehouse import count_runs
from tests.support.bench import Bench
from tests.support.own_database import database_url, pool

__all__ = ["database_url", "pool"]

SKUS: Final = 3_000
_LOOKED_AT: Final = """
select sum(seq_tup_read + coalesce(idx_tup_fetch, 0) + coalesce(seq_scan, 0))::bigint
from pg_stat_xact_user_tables
where relname in ('stock', 'stock_count', 'holding', 'inventory_value')
"""
"""Rows of stock that this transaction has looked at."""


async def test_what_to_count_next_reads_a_page_and_not_all_stock(pool: Pool) -> None:
    await Bench(pool).stocked("TEA", 10)
    await pool.execute(
        "insert into item (sku) select 'SKU-' || n from generate_series(1, $1) n", SKUS
    )
    await pool.execute("insert into inventory select sku from item on conflict do nothing")
    await pool.execute(
        "insert into stock (sku, location, on_hand) "
        "select sku, 'main', 5 from item where sku <> 'TEA'"
    )
    await pool.execute("analyze")
    looked_at = []
    for counted_at in ("'-infinity'", "moment()", "moment() - n * interval '1 hour'"):
        await pool.execute(
            f"update stock_count c set counted_at = {counted_at} "
            "from (select sku, row_number() over () as n from stock_count) s where s.sku = c.sku"
        )
        await pool.execute("vacuum analyze stock_count")
        async with pool.acquire() as conn, conn.transaction():
            before = await conn.fetchval(_LOOKED_AT)
            found = await count_runs.due(conn, "main", at_most=20)
            looked_at.append((len(found), await conn.fetchval(_LOOKED_AT) - before < 200))
    assert looked_at == [(20, True), (0, True), (0, True)]
    async with pool.acquire() as conn, conn.transaction():
        await conn.execute("update stock_count set counted_at = counted_at - interval '180 days'")
        found = await count_runs.due(conn, "main", at_most=20)
    counted = [one.counted_at for one in found if one.counted_at is not None]
    assert counted == sorted(counted)
    assert len(counted) == 20
