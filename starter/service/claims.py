"""Shows claims: what customers say is wrong with what they got. PostgreSQL alone is asked."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from store.aftersales import claims
from store.aftersales.claims import Claim
from store.database import Pool


class ClaimRecords:
    """Claims as rows have them."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def list(
        self,
        *,
        order_id: str | None = None,
        open_only: bool = False,
        channels: Collection[str] | None = None,
        sellers: Collection[str] | None = None,
        after: tuple[datetime, str] | None = None,
        at_most: int = 100,
    ) -> Sequence[Claim]:
        """Claims, the newest first: of one order or of all; with `open_only`, those to be decided.

        `channels`, `sellers`: of orders of one of these alone. `after`: behind the one that was
        made then and has this id.
        """
        async with self._pool.acquire() as conn:
            return await claims.listed(
                conn,
                order_id=order_id,
                open_only=open_only,
                channels=channels,
                sellers=sellers,
                after=after,
                at_most=at_most,
            )

    async def get(
        self,
        claim_id: str,
        *,
        channels: Collection[str] | None = None,
        sellers: Collection[str] | None = None,
    ) -> Claim:
        """One claim; of these channels and sellers alone. Raises NotFound."""
        async with self._pool.acquire() as conn:
            return await claims.find(conn, claim_id, channels=channels, sellers=sellers)
