"""Takes what a warehouse reports: picked, packed, handed over, come back."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from domain.aftersales.return_counts import Found, FoundGoods
from domain.errors import IllegalTransition
from domain.orders.quantities import LineUnits
from domain.warehouse.places import ItemCode, PlacedItem
from store.aftersales.returns import Counted
from store.database import Pool
from store.fulfilment import pick_ups
from store.views import reads, warehouse_tasks
from store.warehouse import bins, counter, facts, parcel_runs, put_backs, returning

LABEL_WITHIN_S = 3.0
"""How long a hand-over waits for a label that is being bought, in seconds."""


class Warehouse:
    """The tasks of a warehouse, and its reports.

    Each report is written in one transaction, and the worker's relay takes it to the order that
    waits. A fact reported again is one fact; reported differently, a Conflict.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def tasks(
        self,
        *,
        task: warehouse_tasks.TaskKind | None = None,
        order_id: str | None = None,
        location: str | None = None,
        channels: Collection[str] | None = None,
        sellers: Collection[str] | None = None,
        after: tuple[datetime, str] | None = None,
        at_most: int = 1000,
    ) -> Sequence[warehouse_tasks.Task]:
        """The tasks of the warehouse, oldest first, that match every filter that is given.

        `channels`, `sellers`: for orders of one of these alone. `after`: a page behind the task
        since then of this part.
        """
        async with self._pool.acquire() as conn:
            return await warehouse_tasks.find(
                conn,
                task=task,
                order_id=order_id,
                location=location,
                channels=channels,
                sellers=sellers,
                after=after,
                at_most=at_most,
            )

    async def pick(
        self, fulfilment_id: str, counted: LineUnits | None = None, *, who: str
    ) -> dict[str, Any]:
        """Record the picked units; without `counted`, all. Returns picked and missing units."""
        async with self._pool.acquire() as conn:
            return await facts.pick(conn, fulfilment_id, counted, who=who)

    async def refuse(self, fulfilment_id: str, reason: str, *, who: str) -> dict[str, Any]:
        """Record that the location will not send it; its units are sourced from elsewhere."""
        async with self._pool.acquire() as conn:
            return await facts.refuse(conn, fulfilment_id, reason, who=who)

    async def pack(
        self, fulfilment_id: str, *, who: str, box: str | None = None, grams: int | None = None
    ) -> None:
        """Record that the fulfilment is packed: in this box, and it weighs so much."""
        async with self._pool.acquire() as conn:
            await facts.pack(conn, fulfilment_id, who=who, box=box, grams=grams)

    async def place_items(self, wanted: Sequence[PlacedItem]) -> None:
        """Say where SKUs lie; all of these, or none where one is of no location or SKU: Refused."""
        async with self._pool.acquire() as conn:
            await bins.place_items(conn, wanted)

    async def save_item_codes(self, wanted: Sequence[ItemCode]) -> None:
        """Say by which codes goods are scanned; all of these, or none where one is of no SKU."""
        async with self._pool.acquire() as conn:
            await bins.save_codes(conn, wanted)

    async def manifest(self, number: int) -> parcel_runs.ClosedManifest:
        """What a carrier has taken at once. Raises NotFound."""
        async with self._pool.acquire() as conn:
            return await parcel_runs.manifest(conn, number)

    async def hand_over(
        self,
        fulfilment_id: str,
        *,
        who: str,
        at: datetime | None = None,
        label_within_s: float = LABEL_WITHIN_S,
    ) -> None:
        """Record that the carrier took it. If its label is being bought, wait a moment."""
        deadline = asyncio.get_running_loop().time() + label_within_s
        tries_once_more = True
        while True:  # the database says whether to wait, which a library's retries cannot ask
            async with self._pool.acquire() as conn:
                try:
                    return await counter.hand_over(
                        conn,
                        fulfilment_id,
                        at=at or datetime.now(UTC),
                        who=who,
                    )
                except IllegalTransition:
                    state = await reads.fulfilment_state(conn, fulfilment_id)
                    if state == "labelled" and tries_once_more:  # it has come just now
                        tries_once_more = False
                        continue
                    if state != "packed" or asyncio.get_running_loop().time() > deadline:
                        raise
            await asyncio.sleep(0.1)

    async def try_code(self, fulfilment_id: str, code: str) -> None:
        """Raises Refused where it is not the code of goods that lie ready; that is counted."""
        async with self._pool.acquire() as conn:
            await pick_ups.try_code(conn, fulfilment_id, code)

    async def collect(
        self, fulfilment_id: str, code: str, *, who: str, at: datetime | None = None
    ) -> None:
        """Record that its customer, who had the right code, has taken the goods."""
        async with self._pool.acquire() as conn:
            await pick_ups.try_code(conn, fulfilment_id, code)
            await counter.hand_over(conn, fulfilment_id, at=at or datetime.now(UTC), who=who)

    async def put_back(self, put_back_id: str, *, who: str) -> None:
        """Record that units which were taken out of a fulfilment are back on the shelf."""
        async with self._pool.acquire() as conn:
            await put_backs.done(conn, put_back_id, who=who)

    async def receive_return(
        self,
        return_id: str,
        counted: Mapping[str, Counted | Sequence[Found]] | None = None,
        *,
        extra: Sequence[FoundGoods] = (),
        location: str | None = None,
        who: str,
    ) -> dict[str, Any]:
        """Record the units of a return that came in: line id → what becomes of its units, or
        their conditions, by which the rules say that.

        Without `counted`, all units are restocked. `extra`: what was in the parcel besides.
        """
        async with self._pool.acquire() as conn:
            return await returning.receive_return(
                conn, return_id, counted, extra=extra, location=location, who=who
            )
