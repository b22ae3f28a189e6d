"""Changes of placed orders, as a step of the order's workflow."""

from __future__ import annotations

from collections.abc import Mapping

from temporalio import activity

from domain.stock.edit_answers import ApplyEdit, EditAnswer
from domain.stock.location_ranking import Measure
from store.database import Pool
from store.stock import edits
from store.stock.catalogue import Catalogue


class Edits:
    """Activities that change a placed order, with the database pool injected.

    `measures`: how extensions measure locations, by name.
    """

    def __init__(self, pool: Pool, *, measures: Mapping[str, Measure] | None = None) -> None:
        self._pool = pool
        self._measures = measures

    @activity.defn
    async def apply_edit(self, ask: ApplyEdit) -> EditAnswer:
        """Change an order, refuse that, or say that more has to be authorized for it first."""
        async with self._pool.acquire() as conn, conn.transaction():
            return await edits.apply(conn, ask, Catalogue(self._measures))
