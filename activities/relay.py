"""Hands on from the store to Temporal: reports to the steps that wait for them, and work to begin.

Part of every worker. A report lies in the store from the moment its fact is known; the relay
completes the waiting activity by its id, and a report that nobody waits for yet is tried again,
ever less often: the step that begins later finds it by itself. In the same way a new purchase order
lies there until its workflow is started, and a stock level that was crossed until somebody has
looked at it. Several relays share the work.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from datetime import timedelta
from math import inf

from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from domain import ids
from domain.purchasing import PurchaseStart
from store import backorders, promises, purchase_reads, replenishment, waits
from store.database import DatabaseFault, Pool, Record

logger = logging.getLogger(__name__)

BATCH = 100
SWEEP_S = 1.0
"""Without a wake-up call the relay looks for reports this often, in seconds."""

NOTICE_S = 60.0
"""Promises that slip, and waiting orders that can be served, are looked for this often, in s."""

PAUSE_AFTER_FAULT_S = 1.0

DELIVER_WITHIN = timedelta(seconds=10)
"""One report that Temporal does not take keeps the others waiting for so long at most."""


class Relay:
    """Runs until cancelled. `stranded_after`: when a label should have been bought by then.

    Workflows that it starts run on `task_queue`.
    """

    def __init__(
        self,
        pool: Pool,
        client: Client,
        *,
        task_queue: str = "orderloom",
        stranded_after: timedelta = timedelta(minutes=2),
    ) -> None:
        self._pool = pool
        self._client = client
        self._task_queue = task_queue
        self._stranded_after = stranded_after
        self._wake = asyncio.Event()
        self._buying = False  # there is something to begin

    async def run(self) -> None:
        """Deliver reports as they come. A fault of the database is waited out."""
        while True:
            try:
                async with self._pool.acquire() as listening:
                    await listening.add_listener(waits.CHANNEL, self._awaken)
                    await listening.add_listener(replenishment.CHANNEL, self._awaken_buyer)
                    try:
                        await self._deliver_for_ever()
                    finally:
                        with suppress(*DatabaseFault):
                            await listening.remove_listener(waits.CHANNEL, self._awaken)
                            await listening.remove_listener(
                                replenishment.CHANNEL, self._awaken_buyer
                            )
            except DatabaseFault as fault:
                logger.warning("relay paused: %s", fault)
                await asyncio.sleep(PAUSE_AFTER_FAULT_S)

    def _awaken(self, *_: object) -> None:
        self._wake.set()

    def _awaken_buyer(self, *_: object) -> None:
        self._buying = True
        self._wake.set()

    async def _deliver_for_ever(self) -> None:
        clock = asyncio.get_running_loop().time
        swept = noticed = -inf
        while True:
            self._wake.clear()
            while await self._deliver_batch() == BATCH:
                pass
            sweeping = clock() >= swept + SWEEP_S  # not with every report that comes
            if self._buying or sweeping:
                self._buying = False
                await self._begin_purchases()
            if sweeping:
                swept = clock()
                await self._revive_stranded()
            if clock() >= noticed + NOTICE_S:
                noticed = clock()
                async with self._pool.acquire() as conn:
                    await backorders.serve_late(conn, BATCH)
                    await promises.notice_slips(conn, BATCH)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), SWEEP_S)

    async def _deliver_batch(self) -> int:
        async with self._pool.acquire() as conn:
            reports = await waits.claim_pending(conn, BATCH)
        arrived = await asyncio.gather(*(self._deliver(report) for report in reports))
        delivered = [
            report["activity_id"] for report, ok in zip(reports, arrived, strict=True) if ok
        ]
        if delivered:
            async with self._pool.acquire() as conn:
                await waits.delivered(conn, delivered)
        return len(reports)

    async def _deliver(self, report: Record) -> bool:
        order_id, po_id = report["order_id"], report["po_id"]
        handle = self._client.get_async_activity_handle(
            workflow_id=ids.purchase_workflow_id(po_id) if po_id else ids.workflow_id(order_id),
            run_id=None,
            activity_id=report["activity_id"],
        )
        try:
            await handle.complete(report["outcome"], rpc_timeout=DELIVER_WITHIN)
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:
                logger.warning("%s is reported later: %s", report["activity_id"], error)
                return False
            # Not waiting any more, where the step has taken it by itself; else perhaps not yet.
            return bool(report["taken"])
        return True

    async def _begin_purchases(self) -> None:
        """Start the workflows of new purchase orders, and a look at levels that were crossed."""
        async with self._pool.acquire() as conn:
            starts = await purchase_reads.claim_to_start(conn, BATCH)
            called = await replenishment.wanted(conn)
        begun = await asyncio.gather(*(self._begin_purchase(start) for start in starts))
        async with self._pool.acquire() as conn:
            for start, ok in zip(starts, begun, strict=True):
                if ok:
                    await purchase_reads.started(conn, start.po_id)
        if called:
            await self._replenish()

    async def _begin_purchase(self, start: PurchaseStart) -> bool:
        """Start a purchase order's workflow, once: another one of its id is refused for ever."""
        try:
            await self._client.start_workflow(
                "PurchaseOrder",
                start,
                id=ids.purchase_workflow_id(start.po_id),
                task_queue=self._task_queue,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                static_summary=f"Purchase order {start.po_id}",
                rpc_timeout=DELIVER_WITHIN,
            )
        except WorkflowAlreadyStartedError:
            return True
        except RPCError as error:
            logger.warning("%s is begun later: %s", start.po_id, error)
            return False
        return True

    async def _replenish(self) -> None:
        """Have somebody look at crossed levels. One look at a time; the calls wait for their turn.

        A call is answered by the decision itself, so one that came too late for a look that is
        under way is made again.
        """
        try:
            await self._client.start_workflow(
                "Replenishment",
                {"only_called": True},
                id=ids.replenishment_id(self._task_queue),
                task_queue=self._task_queue,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                static_summary="Stock levels were crossed",
                rpc_timeout=DELIVER_WITHIN,
            )
        except RPCError as error:
            logger.warning("crossed levels are looked at later: %s", error)

    async def _revive_stranded(self) -> None:
        """Fail attempts that died between asking for a label and waiting for the hand-over.

        Such an attempt looks like a wait to the server, and would be given until its long timeout.
        Failing it makes the server run it again, and the label's key keeps it a single label.
        """
        async with self._pool.acquire() as conn:
            stranded = await waits.stranded_labels(conn, self._stranded_after, BATCH)
        for row in stranded:
            handle = self._client.get_async_activity_handle(
                workflow_id=ids.workflow_id(row["order_id"]),
                run_id=None,
                activity_id=ids.wait_id("ship", row["fulfilment_id"]),
            )
            with suppress(RPCError):
                await handle.fail(
                    ApplicationError("the attempt is gone", type="stranded"),
                    rpc_timeout=DELIVER_WITHIN,
                )
                logger.info("revived the label of %s", row["fulfilment_id"])
