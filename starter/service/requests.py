"""Keeps what was asked for under a key of its sender's, together with what was done."""

from __future__ import annotations

from typing import Any

from domain.access.request_keys import RequestKey
from store.access import request_keys
from store.access.request_keys import Kept
from store.database import Pool


class Requests:
    """Requests by their keys. Within `Records.in_one_transaction`, a key goes with its effect."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def claimed(self, key: RequestKey) -> Kept | None:
        """Take the key. Returns the first request with it, if this is a repeat.

        Raises KeyReused where that one had other content.
        """
        async with self._pool.acquire() as conn:
            (new,) = await request_keys.claim(conn, [key])
            return None if new else await request_keys.find(conn, key)

    async def answered(self, key: RequestKey, status: int, location: str | None, body: Any) -> None:
        """Keep what was answered."""
        async with self._pool.acquire() as conn:
            await request_keys.answer(conn, key, status, location, body)

    async def released(self, key: RequestKey) -> None:
        """Give the key back: what was asked for under it was refused."""
        async with self._pool.acquire() as conn:
            await request_keys.release(conn, key)

    async def first(self, key: RequestKey) -> Kept | None:
        """The first request with the same key. Raises KeyReused where it had other content."""
        async with self._pool.acquire() as conn:
            return await request_keys.find(conn, key)
