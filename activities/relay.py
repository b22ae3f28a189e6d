"""Hands on from the store to Temporal: reports to the steps that wait for them, and work to begin.

Part of every worker. A report lies in the store from the moment its fact is known; the relay
completes the waiting activity by its id, and a report that nobody waits for yet is tried again,
ever less often: the step that begins later finds it by itself. In the same way a new purchase order
lies there until its workflow is started, a stock level that was crossed until somebody has
looked at it, and what a payment company told until it is worked through. Several relays share the
work.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from datetime import timedelta
from math import inf

from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from activities.orders.stuck import StuckOrders
from activities.payments.provider_events import ProviderEvents
from domain import ids
from domain.orders.messages import AttentionAnswer
from domain.payments.provider_events import Wake
from domain.purchasing.purchase_orders import PurchaseStart
from store import waits
from store.database import Connection, DatabaseFault, Pool, Record
from store.payments import provider_events
from store.purchasing import purchase_reads, replenishment
from store.stock import backorders, promises

logger = logging.getLogger(__name__)

BATCH = 100
SWEEP_S = 1.0
"""Without a wake-up call the relay looks for work this often, in seconds."""

NOTICE_S = 60.0
"""Slipping promises, waiting orders that can be served and orders whose workflow cannot go on are
looked for this often, in seconds."""

PAUSE_AFTER_FAULT_S = 1.0

DELIVER_WITHIN = timedelta(seconds=10)
"""One report that Temporal does not take keeps the others waiting for so long at most."""


@dataclass
class Duty:
    """Something that the relay does again and again: `every` so many seconds, or when called for.

    `channel`: the notification of the database that calls for it at once.
    """

    run: Callable[[], Awaitable[object]]
    every_s: float
    channel: str | None = None
    due: float = -inf

    def called(self) -> None:
        """Do it with the next round."""
        self.due = -inf


class Relay:
    """Runs until cancelled. Workflows that it starts run on `task_queue`.

    `stranded_after`: how long an attempt to buy a label may take, as long as any other call does.
    """

    def __init__(
        self,
        pool: Pool,
        client: Client,
        *,
        task_queue: str = "orderloom",
        stranded_after: timedelta = timedelta(minutes=1),
    ) -> None:
        self._pool = pool
        self._client = client
        self._task_queue = task_queue
        self._stranded_after = stranded_after
        self._wake = asyncio.Event()
        self._events = ProviderEvents(pool, self._waken)
        self._stuck = StuckOrders(pool, client, task_queue)
        # In this sequence: what somebody waits for comes first.
        self._duties = (
            Duty(self._deliver, SWEEP_S, waits.CHANNEL),
            Duty(self._begin_purchases, SWEEP_S, replenishment.CHANNEL),
            Duty(self._hear_providers, SWEEP_S, provider_events.CHANNEL),
            Duty(self._revive_stranded, SWEEP_S),
            Duty(self._notice, NOTICE_S),
            Duty(self._stuck.look, NOTICE_S),
        )

    async def run(self) -> None:
        """Do every duty as it comes due. A fault of the database is waited out."""
        while True:
            try:
                async with self._pool.acquire() as listening, AsyncExitStack() as heard:
                    for duty in self._duties:
                        if duty.channel is not None:
                            await self._listen(listening, heard, duty, duty.channel)
                    await self._work_for_ever()
            except DatabaseFault as fault:
                logger.warning("relay paused: %s", fault)
                await asyncio.sleep(PAUSE_AFTER_FAULT_S)

    async def _listen(
        self, conn: Connection, heard: AsyncExitStack, duty: Duty, channel: str
    ) -> None:
        def awaken(*_: object) -> None:
            duty.called()
            self._wake.set()

        async def stop() -> None:
            with suppress(*DatabaseFault):
                await conn.remove_listener(channel, awaken)

        await conn.add_listener(channel, awaken)
        heard.push_async_callback(stop)

    async def _work_for_ever(self) -> None:
        clock = asyncio.get_running_loop().time
        for duty in self._duties:
            duty.called()  # nobody heard what was called for until now
        while True:
            self._wake.clear()
            for duty in self._duties:
                if clock() >= duty.due:
                    duty.due = clock() + duty.every_s  # before: what is called for meanwhile counts
                    await duty.run()
            pause_s = min(duty.due for duty in self._duties) - clock()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), max(0, pause_s))

    async def _deliver(self) -> None:
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

    async def _notice(self) -> None:
        """Waiting orders that can be served late, and promises that slip."""
        async with self._pool.acquire() as conn:
            await backorders.serve_late(conn, BATCH)
            await promises.notice_slips(conn, BATCH)

    async def _hear_providers(self) -> None:
        """Work through what payment companies told."""
        await self._events.work_through(BATCH)
        await self._events.place_disputes(BATCH)

    async def _waken(self, wake: Wake) -> bool:
        """Have a step that waits for a person try again: a company says what became of its call."""
        handle = self._client.get_workflow_handle(ids.workflow_id(wake.order_id))
        answer = AttentionAnswer(step=wake.step, action="retry", note=wake.why, by="webhook")
        try:
            await handle.signal("resolve_attention", answer, rpc_timeout=DELIVER_WITHIN)
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:  # an order that has ended waits for nothing
                logger.warning("%s of %s is woken later: %s", wake.step, wake.order_id, error)
                return False
        return True
