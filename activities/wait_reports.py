"""Delivers reports from outside to the steps that wait for them.

A report lies in the store from the moment its fact is known. The waiting activity is completed by
its id. A report that nobody waits for yet is tried again, ever less often: the step that begins
later finds it by itself.
"""

from __future__ import annotations

import asyncio
import logging

from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from activities.relay import BATCH, RPC_TIMEOUT
from domain import ids
from store import waits
from store.database import Pool, Record

logger = logging.getLogger(__name__)


class WaitReports:
    """A duty of the relay."""

    def __init__(self, pool: Pool, client: Client) -> None:
        self._pool = pool
        self._client = client

    async def deliver(self) -> None:
        """Deliver everything that is due."""
        while await self._deliver_batch() == BATCH:
            pass

    async def _deliver_batch(self) -> int:
        async with self._pool.acquire() as conn:
            reports = await waits.claim_pending(conn, BATCH)
        arrived = await asyncio.gather(*(self._deliver_one(report) for report in reports))
        delivered = [
            report["activity_id"] for report, ok in zip(reports, arrived, strict=True) if ok
        ]
        if delivered:
            async with self._pool.acquire() as conn:
                await waits.delivered(conn, delivered)
        return len(reports)

    async def _deliver_one(self, report: Record) -> bool:
        order_id, po_id = report["order_id"], report["po_id"]
        handle = self._client.get_async_activity_handle(
            workflow_id=ids.purchase_workflow_id(po_id) if po_id else ids.workflow_id(order_id),
            run_id=None,
            activity_id=report["activity_id"],
        )
        try:
            await handle.complete(report["outcome"], rpc_timeout=RPC_TIMEOUT)
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:
                logger.warning("%s is reported later: %s", report["activity_id"], error)
                return False
            # A step that took the report by itself waits no more. Any other may not have begun yet.
            return bool(report["taken"])
        return True
