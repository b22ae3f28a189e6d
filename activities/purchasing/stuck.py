"""Purchase orders whose workflow cannot go on: listed as needing attention, as orders are."""

from __future__ import annotations

import logging
from typing import Final

from temporalio.client import Client
from temporalio.service import RPCError

from activities.orders.stuck import CANNOT_GO_ON, TOLD_AT_ONCE, marked, why
from domain import ids
from domain.errors import NotFound
from store.database import Pool
from store.purchasing import purchases

logger = logging.getLogger(__name__)

_TYPE: Final = "PurchaseOrder"


class StuckPurchases:
    """Lists purchase orders whose workflow cannot go on, for as long as it cannot."""

    def __init__(self, pool: Pool, client: Client, task_queue: str) -> None:
        self._pool = pool
        self._client = client
        self._task_queue = task_queue

    async def look(self) -> None:
        """Add newly stuck purchase orders to the list, and remove those that go on."""
        try:
            stuck = await marked(self._client, self._task_queue, _TYPE, ids.PURCHASE_PREFIX)
        except RPCError as error:
            logger.info("purchase orders that cannot go on are not looked for: %s", error)
            return
        async with self._pool.acquire() as conn:
            listed = await purchases.needing_attention(conn, CANNOT_GO_ON)
        for po_id in sorted(stuck.keys() - listed)[:TOLD_AT_ONCE]:
            _, reason = await why(self._client, stuck[po_id])
            await self._note(po_id, reason)
        for po_id in sorted(listed - stuck.keys()):
            await self._note(po_id, None)

    async def _note(self, po_id: str, reason: str | None) -> None:
        async with self._pool.acquire() as conn, conn.transaction():
            try:
                await purchases.locked(conn, po_id)
            except NotFound:
                return  # It is not on record; the audit reports it.
            await purchases.need_attention(conn, po_id, reason)
