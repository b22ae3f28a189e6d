"""What links to a customer's page are signed with: keys of this installation, with numbers."""

from __future__ import annotations

import secrets

from domain.access.page_links import PageKey
from store.database import Connection, load_queries

_sql = load_queries(__file__)

_SECRET_BYTES = 32


async def valid(conn: Connection) -> list[PageKey]:
    """The keys whose links are good. The first of them, the newest, signs new links."""
    found = [PageKey(row["key_no"], row["secret"]) async for row in _sql.valid(conn)]
    if not found:
        await _sql.first(conn, drawn=secrets.token_bytes(_SECRET_BYTES))
        found = [PageKey(row["key_no"], row["secret"]) async for row in _sql.valid(conn)]
    return found


async def rotate(conn: Connection, *, revoke: bool) -> list[int]:
    """Make a new key, and answer the numbers of those that were revoked.

    `revoke`: links that were made before are not good any more. Otherwise they are, until they
    expire.
    """
    async with conn.transaction():
        newest = await _sql.rotate(conn, drawn=secrets.token_bytes(_SECRET_BYTES))
        if not revoke:
            return []
        return [row["key_no"] async for row in _sql.revoke_before(conn, key_no=newest)]
