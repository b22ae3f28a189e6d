"""Moves stock from one location to another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from store.database import Pool
from store.stock import transfers
from store.stock.transfers import Transfer


class Transfers:
    """Transfers between locations. One told again is one; told differently, a Conflict."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def send(
        self,
        transfer_id: str,
        from_location: str,
        to_location: str,
        units: Mapping[str, int],
        *,
        expected_on: date | None = None,
        who: str,
        why: str,
    ) -> Transfer:
        """Send units (SKU → number) to another location, once per id."""
        async with self._pool.acquire() as conn:
            return await transfers.send(
                conn,
                transfer_id,
                from_location,
                to_location,
                units,
                expected_on=expected_on,
                who=who,
                why=why,
            )

    async def receive(
        self,
        transfer_id: str,
        key: str,
        units: Mapping[str, int] | None = None,
        *,
        rest_is_lost: bool = False,
        who: str,
    ) -> Transfer:
        """Record that units of a transfer arrived, once per key; without `units`, all of them."""
        async with self._pool.acquire() as conn:
            return await transfers.receive(
                conn, transfer_id, key, units, rest_is_lost=rest_is_lost, who=who
            )

    async def get(self, transfer_id: str) -> Transfer:
        """One transfer. Raises NotFound."""
        async with self._pool.acquire() as conn:
            return await transfers.get(conn, transfer_id)

    async def list(
        self,
        *,
        under_way: bool = False,
        sku: str | None = None,
        locations: Sequence[str] | None = None,
        after: tuple[datetime, str] | None = None,
        at_most: int | None = None,
    ) -> Sequence[Transfer]:
        """All transfers, oldest first; with `under_way`, only those with units on their way.

        `sku`: with units of it. `locations`: from or to one of these. `after`: a page of `at_most`
        behind the one that was sent then and has this id.
        """
        async with self._pool.acquire() as conn:
            return await transfers.find(
                conn,
                under_way=under_way,
                sku=sku,
                locations=locations,
                after=after,
                at_most=at_most,
            )
