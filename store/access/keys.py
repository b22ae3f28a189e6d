"""Keys of other programs: made, read, rotated and revoked. Nothing is deleted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from domain.access.api_keys import ApiKey, KeyRequest
from domain.access.key_text import KeyText
from domain.access.keys import SCOPES, Grant
from domain.errors import InvalidInput, NotFound
from store.database import CheckViolation, Connection, load_queries

_sql = load_queries(__file__)


async def grant(conn: Connection, text: KeyText) -> Grant | None:
    """What the key grants, in one statement. None: it is unknown, wrong, expired or revoked."""
    row = await _sql.grant_of(conn, key_id=text.key_id, digest=text.digest())
    if row is None or not text.is_one_of(row["digests"]):
        return None
    return Grant(
        key_id=row["key_id"],
        name=row["name"],
        scopes=frozenset(row["scopes"]),
        channels=_set(row["channels"]),
        sellers=_set(row["sellers"]),
        per_minute=row["per_minute"],
        expires_at=row["expires_at"],
        role=row["role"],
    )


async def find(
    conn: Connection, *, revoked: bool = False, after: str | None = None, at_most: int
) -> list[ApiKey]:
    """Keys, the newest first. `revoked`: these too. `after`: those behind the key of this id."""
    rows = _sql.find(conn, key_id=None, revoked=revoked, after=after, at_most=at_most)
    return [_key(row) async for row in rows]


async def get(conn: Connection, key_id: str) -> ApiKey:
    """One key, revoked or not. Raises NotFound."""
    rows = _sql.find(conn, key_id=key_id, revoked=True, after=None, at_most=1)
    found = [_key(row) async for row in rows]
    if not found:
        raise unknown(key_id)
    return found[0]


def unknown(key_id: str) -> NotFound:
    """The error about a key that is not there."""
    return NotFound(
        f"there is no key {key_id}; `orderloom api-keys list --all` shows them", reason="no_key"
    )


async def make(conn: Connection, wanted: KeyRequest, text: KeyText, *, who: str) -> None:
    """Keep a new key with its first secret. Raises InvalidInput if its end is over already."""
    try:
        await _sql.make(
            conn,
            key_id=text.key_id,
            digest=text.digest(),
            name=wanted.name,
            scopes=[one for one in SCOPES if one in wanted.may],
            channels=_sorted(wanted.channels),
            sellers=_sorted(wanted.sellers),
            per_minute=wanted.per_minute,
            expires_at=wanted.expires_at,
            role=wanted.role,
            who=who,
        )
    except CheckViolation as violation:
        if violation.constraint_name != "key_expires_after_it_was_made":
            raise
        raise InvalidInput("must be in the future", where="expires_at") from None


async def rotate(conn: Connection, text: KeyText, *, old_ends_in: timedelta, who: str) -> None:
    """Give a key another secret. Those that it has work for so long at most.

    Raises NotFound, and Refused where it is not live, or has many old secrets that still work.
    """
    async with conn.transaction():
        await _sql.lock(conn, key_id=text.key_id)
        (await get(conn, text.key_id)).check_rotation(old_ends_in)
        await _sql.end_secrets(conn, key_id=text.key_id, ends_in=old_ends_in)
        await _sql.add_secret(conn, key_id=text.key_id, digest=text.digest(), who=who)


async def revoke(conn: Connection, key_id: str, *, who: str) -> ApiKey:
    """End a key for good; a repeat changes nothing. Raises NotFound."""
    await _sql.revoke(conn, key_id=key_id, who=who)
    return await get(conn, key_id)


def _key(row: Mapping[str, Any]) -> ApiKey:
    return ApiKey.model_validate(dict(row))


def _set(named: list[str] | None) -> frozenset[str] | None:
    return None if named is None else frozenset(named)


def _sorted(named: tuple[str, ...] | None) -> list[str] | None:
    return None if named is None else sorted(set(named))
