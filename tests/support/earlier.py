"""A past for stock: what has moved until now moved some days ago."""

from __future__ import annotations

from store.database import Pool


async def earlier(pool: Pool, days: int) -> None:
    """All that has moved until now moved so many days earlier."""
    async with pool.acquire() as conn:
        await conn.execute("alter table movement disable trigger movement_append_only")
        await conn.execute("update movement set at = at - $1 * interval '1 day'", days)
        await conn.execute("alter table movement enable trigger movement_append_only")
