"""What this installation signs with: drawn once, and the same for all programs."""

from __future__ import annotations

from store.database import Connection, load_queries

_sql = load_queries(__file__)


async def secret(conn: Connection, purpose: str, drawn: bytes) -> bytes:
    """The secret for a purpose; `drawn` becomes it where there is none."""
    # Another program may have drawn one that this statement does not see: the next one does.
    found: bytes | None = await _sql.secret(conn, purpose=purpose, drawn=drawn)
    if found is None:
        found = await _sql.known(conn, purpose=purpose)
    assert found is not None
    return found
