"""Who sells. A document keeps what was said of the seller when it was issued."""

from __future__ import annotations

from domain.sellers import Seller
from store.database import Connection, load_queries

_sql = load_queries(__file__)


async def find(conn: Connection) -> list[Seller]:
    """All sellers."""
    return [Seller.stored(row) async for row in _sql.list_sellers(conn)]


async def save(conn: Connection, seller: Seller) -> None:
    """Set all there is to know about the seller."""
    name = seller.name if seller.is_set else None
    await _sql.save(conn, **{**seller.model_dump(), "name": name})


async def begin(conn: Connection, seller: Seller) -> bool:
    """Of a new database: set its seller, if this is one. False where one is known already."""
    if seller == Seller() or await _sql.is_told(conn):
        return False
    await save(conn, seller)
    return True
