"""What is known of goods and places on the floor, beside the runs: what a code begins, what to
count next, and what is printed.
"""

from __future__ import annotations

from itertools import islice
from typing import Final

from domain.errors import NotFound
from domain.staff.people import Person
from domain.warehouse.counts import ToCount
from domain.warehouse.receipts import Receiving
from starter.service.floor import Floor
from starter.service.floor_kinds import Wish
from store.database import Pool
from store.warehouse import arrivals, bins, count_runs, return_runs

LABELS_MAX: Final = 500
"""So many barcodes are printed at once."""


class FloorGoods:
    """Reads alone."""

    def __init__(self, pool: Pool, floor: Floor) -> None:
        self._pool = pool
        self._floor = floor

    async def begins(self, location: str, code: str) -> tuple[str, str] | None:
        """The kind of work that a code begins there, and of what, such as a purchase order."""
        async with self._pool.acquire() as conn:
            return await arrivals.kind_of(conn, location, code)

    async def order_of(self, person: Person, location: str, code: str) -> str | None:
        """The order of theirs that a code on a parcel stands for; None: there is none."""
        wish = Wish(location, person, {})
        async with self._pool.acquire() as conn:
            return await return_runs.order_of(conn, code, wish.channels, wish.sellers)

    async def to_count(self, location: str) -> list[ToCount]:
        """What is to be counted there next, by worth and by when it was counted last."""
        async with self._pool.acquire() as conn:
            return await count_runs.due(conn, location)

    async def places(self, location: str) -> list[str]:
        """The places of a location in walking order, as many as are printed at once."""
        async with self._pool.acquire() as conn:
            return await bins.places(conn, location, LABELS_MAX)

    async def labels(self, person: Person, run_no: int) -> list[tuple[str, str]]:
        """A code and the words above it for each unit that a receipt has brought, so many at once.

        Raises NotFound for a run that is none of theirs, or no receipt.
        """
        state = (await self._floor.show(person, run_no)).state
        if not isinstance(state, Receiving):
            raise NotFound(f"run {run_no} is no receipt", reason="no_run")
        units = state.units
        async with self._pool.acquire() as conn:
            codes = await bins.codes_of(conn, list(units))
        labels = (
            (codes[sku], f"{state.names.get(sku, '')} {sku}".strip())
            for sku, n in units.items()
            for _ in range(n)
        )
        return list(islice(labels, LABELS_MAX))
