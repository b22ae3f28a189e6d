"""An item's story and days are read along its own movements, however many others there are."""

from __future__ import annotations

from typing import Final

import pytest

from domain.purchasing.purchase_orders import PurchasingPolicy
from store.database import Pool
from store.purchasing import demand
from store.stock import movements
from tests.support.bench import Bench
from tests.support.own_database import database_url, pool

__all__ = ["database_url", "pool"]

READ: Final = 300

_OTHERS: Final = """
insert into movement (effect, sku, location, kind, on_hand_change, allocated_change, who, why)
select 'fill:' || n, case when n % 20 = 0 then 'TEA' else 'MUG' end, 'main', 'adjusted', 0, 0,
       'x', 'x'
from generate_series(1, 40000) n
"""
_LOOKED_AT: Final = """
select (seq_tup_read + coalesce(idx_tup_fetch, 0))::bigint from pg_stat_xact_user_tables
where relname = 'movement'
"""
"""Movements that this transaction has looked at."""


@pytest.fixture
async def filled(pool: Pool) -> Pool:
    bench = Bench(pool)
    for sku in ("TEA", "MUG"):
        await bench.stocked(sku, 10)
    await pool.execute("set session_replication_role = replica; " + _OTHERS)
    await pool.execute("reset session_replication_role; analyze movement")
    return pool


async def test_the_story_of_an_item_reads_no_movements_of_others(filled: Pool) -> None:
    async with filled.acquire() as conn, conn.transaction():
        latest = await movements.history(conn, "TEA", at_most=READ)
        older = await movements.history(
            conn, "TEA", before=latest[0].movement_id, at_most=READ, location="main"
        )
        looked_at = await conn.fetchval(_LOOKED_AT)
    assert (len(latest), len(older)) == (READ, READ)
    assert older[-1].movement_id == latest[0].movement_id - 20
    # The older page counts back over the one after it.
    assert looked_at <= 3 * READ, looked_at


async def test_the_days_of_an_item_read_no_movements_of_others(
    filled: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demand, "MOVEMENTS_MAX", READ)
    async with filled.acquire() as conn, conn.transaction():
        await demand.by_day(conn, "TEA", PurchasingPolicy())
        looked_at = await conn.fetchval(_LOOKED_AT)
    assert looked_at <= READ, looked_at
