"""Hands reports from outside to the steps that wait for them.

A report lies in the store from the moment its fact is known. When its step has said that it waits,
the waiting activity is completed by its id. So no call is made in vain, unless a program has died:
then a step may wait that has not said so, or may have had its report already.
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
        endings = await asyncio.gather(*(self._hand_over(report) for report in reports))
        if reports:
            async with self._pool.acquire() as conn:
                await waits.handed_over(conn, list(zip(reports, endings, strict=True)))
        return len(reports)

    async def _hand_over(self, report: Record) -> waits.Ending:
        order_id, po_id = report["order_id"], report["po_id"]
        handle = self._client.get_async_activity_handle(
            workflow_id=ids.purchase_workflow_id(po_id) if po_id else ids.workflow_id(order_id),
            run_id=None,
            activity_id=report["activity_id"],
        )
        try:
            await handle.complete(report["outcome"], rpc_timeout=RPC_TIMEOUT)
        except RPCError as error:
            if error.status == RPCStatusCode.NOT_FOUND:
                logger.info("nobody waits for %s: try %d", report["activity_id"], report["tries"])
                return "nobody waits"
            logger.warning("%s is reported later: %s", report["activity_id"], error)
            return "away"
        return "arrived"
