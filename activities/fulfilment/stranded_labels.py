"""Labels whose purchase died: the attempt is gone, and the server waits as if for a hand-over.

`ship` buys a label and then waits for the hand-over, in one activity. An attempt that dies between
the two looks like a wait to the server, and would be given until its long timeout.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import timedelta

from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from activities.relay import BATCH, RPC_TIMEOUT
from domain import ids
from store import waits
from store.database import Pool

logger = logging.getLogger(__name__)


class StrandedLabels:
    """A duty of the relay. `stranded_after`: how long an attempt to buy a label may take."""

    def __init__(self, pool: Pool, client: Client, stranded_after: timedelta) -> None:
        self._pool = pool
        self._client = client
        self._stranded_after = stranded_after

    async def revive(self) -> None:
        """Fail such attempts, so that the server runs them again. The key keeps it one label."""
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
                    rpc_timeout=RPC_TIMEOUT,
                )
                logger.info("revived the label of %s", row["fulfilment_id"])
