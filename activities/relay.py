"""Hands reports from the store to the workflow steps that wait for them.

Part of every worker. A report lies in the store from the moment its fact is known; the relay
completes the waiting activity by its id, and a report that nobody waits for yet is tried again,
ever less often: the step that begins later finds it by itself. Several relays share the work.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from datetime import timedelta
from math import inf

from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from domain import ids
from store import backorders, promises, waits
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
    """Runs until cancelled. `stranded_after`: when a label should have been bought by then."""

    def __init__(
        self, pool: Pool, client: Client, *, stranded_after: timedelta = timedelta(minutes=2)
    ) -> None:
        self._pool = pool
        self._client = client
        self._stranded_after = stranded_after
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Deliver reports as they come. A fault of the database is waited out."""
        while True:
            try:
                async with self._pool.acquire() as listening:
                    await listening.add_listener(waits.CHANNEL, self._awaken)
                    try:
                        await self._deliver_for_ever()
                    finally:
                        with suppress(*DatabaseFault):
                            await listening.remove_listener(waits.CHANNEL, self._awaken)
            except DatabaseFault as fault:
                logger.warning("relay paused: %s", fault)
                await asyncio.sleep(PAUSE_AFTER_FAULT_S)

    def _awaken(self, *_: object) -> None:
        self._wake.set()

    async def _deliver_for_ever(self) -> None:
        clock = asyncio.get_running_loop().time
        swept = noticed = -inf
        while True:
            self._wake.clear()
            while await self._deliver_batch() == BATCH:
                pass
            if clock() >= swept + SWEEP_S:  # not with every report that comes
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
        handle = self._client.get_async_activity_handle(
            workflow_id=ids.workflow_id(report["order_id"]),
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
