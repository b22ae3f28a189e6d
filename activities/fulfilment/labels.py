"""Labels: bought for packed parcels, and their files deleted in the end.

The step that waits for a packed parcel is run once more, and buys its label.
To the server such a step only waits, so it runs again where its attempt is reported as failed. The
same is done again where nothing came of it: an attempt may die while it buys the label.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from activities.relay import BATCH, RPC_TIMEOUT
from activities.retention import AS_SHIPPED
from domain import ids
from store.database import Pool, Record
from store.fulfilment import fulfilments, shipments

logger = logging.getLogger(__name__)

CHANNEL = "parcel_packed"
"""The PostgreSQL notification channel that calls for this duty."""

"""So long after a parcel has left, its label can be printed again."""

AT_ONCE = timedelta(milliseconds=1)


class Labels:
    """A duty of the relay. `stranded_after`: how long an attempt to buy a label may take."""

    def __init__(self, pool: Pool, client: Client, stranded_after: timedelta) -> None:
        self._pool = pool
        self._client = client
        self._stranded_after = stranded_after

    async def want(self) -> None:
        """Have the labels bought of all parcels that are packed, and have none."""
        while await self._want_batch() == BATCH:
            pass

    async def _want_batch(self) -> int:
        async with self._pool.acquire() as conn:
            packed = await fulfilments.to_label(conn, self._stranded_after, BATCH)
        reached = await asyncio.gather(*(self._run_again(row) for row in packed))
        missed = [row["fulfilment_id"] for row, ok in zip(packed, reached, strict=True) if not ok]
        if missed:
            async with self._pool.acquire() as conn:
                await fulfilments.not_woken(conn, missed)
            return 0
        return len(packed)

    async def _run_again(self, row: Record) -> bool:
        handle = self._client.get_async_activity_handle(
            workflow_id=ids.workflow_id(row["order_id"]),
            run_id=None,
            activity_id=ids.sending_id(row["fulfilment_id"]),
        )
        packed = ApplicationError(
            "no fault: the parcel is packed, so this attempt made way for the next one, which"
            " buys the label and waits for the hand-over",
            type="packed",
            next_retry_delay=AT_ONCE,
        )
        try:
            await handle.fail(packed, rpc_timeout=RPC_TIMEOUT)
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:
                logger.warning("the label of %s is bought later: %s", row["fulfilment_id"], error)
                return False
            # No attempt is running. One that begins later finds the parcel packed.
        return True


class LabelFiles:
    """A duty of the relay. `kept`: for how long after a parcel has left."""

    def __init__(self, pool: Pool, kept: timedelta = AS_SHIPPED.label_files) -> None:
        self._pool = pool
        self._kept = kept

    async def forget(self) -> None:
        """Delete the files of labels that nobody prints any more."""
        while await self._some() == BATCH:
            pass

    async def _some(self) -> int:
        async with self._pool.acquire() as conn:
            return await shipments.forget_label_files(conn, self._kept, BATCH)
