"""Starts the workflows of new purchase orders, and reviews of crossed stock levels.

Both are rows in the store until Temporal has taken them. So every decision is carried out, even if
the step that made it crashed repeatedly.
"""

from __future__ import annotations

import asyncio
import logging

from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError

from activities.relay import BATCH, RPC_TIMEOUT
from domain import ids
from domain.purchasing.purchase_orders import PurchaseStart, PurchasingPolicy
from store import clock
from store.database import Pool
from store.purchasing import order_purchases, purchase_reads, replenishment

logger = logging.getLogger(__name__)


class PurchaseStarts:
    """A duty of the relay. The workflows that it starts run on `task_queue`.

    It also buys what orders wait for that is made or sent for them; `policy`: how.
    """

    def __init__(
        self,
        pool: Pool,
        client: Client,
        task_queue: str,
        policy: PurchasingPolicy | None = None,
    ) -> None:
        self._policy = policy or PurchasingPolicy()
        self._pool = pool
        self._client = client
        self._task_queue = task_queue

    async def start(self) -> None:
        """Start the workflows that are due."""
        async with self._pool.acquire() as conn:
            starts = await purchase_reads.claim_to_start(conn, BATCH)
            called = await replenishment.wanted(conn)
        begun = await asyncio.gather(*(self._start_purchase(start) for start in starts))
        taken = [start.po_id for start, ok in zip(starts, begun, strict=True) if ok]
        async with self._pool.acquire() as conn:
            await purchase_reads.started(conn, taken)
        if called:
            await self._replenish()
        async with self._pool.acquire() as conn:
            await order_purchases.buy(conn, self._policy, today=clock.today(), batch=BATCH)

    async def _start_purchase(self, start: PurchaseStart) -> bool:
        """Start a purchase order's workflow, once: one that runs, or has ended, is left alone.

        After a run that failed or was terminated it is started again, when its row asks for that.
        """
        try:
            await self._client.start_workflow(
                "PurchaseOrder",
                start,
                id=ids.purchase_workflow_id(start.po_id),
                task_queue=self._task_queue,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
                static_summary=f"Purchase order {start.po_id}",
                rpc_timeout=RPC_TIMEOUT,
            )
        except WorkflowAlreadyStartedError:
            return True
        except RPCError as error:
            logger.warning("%s is begun later: %s", start.po_id, error)
            return False
        return True

    async def _replenish(self) -> None:
        """Start a review of the crossed levels.

        One review runs at a time; the calls wait for their turn. Only the decision answers a call.
        A call that came too late for the running review is made again.
        """
        try:
            await self._client.start_workflow(
                "Replenishment",
                {"only_called": True},
                id=ids.replenishment_id(self._task_queue),
                task_queue=self._task_queue,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                static_summary="Stock levels were crossed",
                rpc_timeout=RPC_TIMEOUT,
            )
        except RPCError as error:
            logger.warning("crossed levels are looked at later: %s", error)
