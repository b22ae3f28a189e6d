"""A new database is told who sells, by the settings of the one who makes it."""

from __future__ import annotations

from domain.sellers import Seller
from store.accounting import sellers
from store.database import open_pool


async def name_seller(database_url: str, seller: Seller) -> bool:
    """Set the seller of a database that knows none. False where nothing was set."""
    pool = await open_pool(database_url, size_max=1)
    try:
        async with pool.acquire() as conn:
            return await sellers.begin(conn, seller)
    finally:
        pool.terminate()
