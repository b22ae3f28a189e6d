"""The client through which people decide about purchase orders, and have the levels looked at."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable
from datetime import timedelta
from typing import Any

from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from domain import ids
from domain.errors import Refused, Unreachable
from starter.service.updates import unreachable, update
from store.database import Pool
from store.purchasing import purchase_reads

BEGUN_WITHIN_S = 5.0
"""A purchase order that was made a moment ago is given so long until its workflow is there."""

ANSWER_WITHIN = timedelta(seconds=30)

PATIENCE_S = 60.0
"""A look at all levels may take this long."""


class PurchaseClient:
    """Decides about purchase orders through their workflows. Safe to share between tasks."""

    def __init__(self, temporal: Client, pool: Pool, *, task_queue: str = "orderloom") -> None:
        self._temporal = temporal
        self._pool = pool
        self._task_queue = task_queue

    async def approve(self, po_id: str, *, by: str, reason: str = "") -> None:
        """Have it sent. Approving again changes nothing. Raises NotFound, Refused, Unreachable."""
        await self._update(po_id, "approve", by, reason)

    async def cancel(self, po_id: str, *, by: str, reason: str) -> None:
        """What is outstanding is not wanted. Raises Refused where the supplier does not stop."""
        await self._update(po_id, "cancel", by, reason)

    async def replenish(self) -> list[str]:
        """Look at all levels now; returns the ids of the new purchase orders."""
        running: Awaitable[dict[str, list[str]]] = self._temporal.execute_workflow(
            "Replenishment",
            {},
            id=f"{ids.replenishment_id(self._task_queue)}:{uuid.uuid4().hex[:8]}",
            task_queue=self._task_queue,
            static_summary="All stock levels are looked at, by hand",
            result_type=dict[str, list[str]],
            rpc_timeout=ANSWER_WITHIN,
        )
        try:
            answer = await asyncio.wait_for(running, PATIENCE_S)
        except TimeoutError:
            raise Unreachable(
                f"the levels were not looked at within {PATIENCE_S:.0f} s: is a worker running? "
                "It goes on by itself"
            ) from None
        except RPCError as error:
            raise unreachable(error) from error
        return answer["ordered"]

    async def _update(self, po_id: str, name: str, by: str, reason: str) -> None:
        async with self._pool.acquire() as conn:
            order = await purchase_reads.get(conn, po_id)
        handle = self._temporal.get_workflow_handle(ids.purchase_workflow_id(po_id))
        decision: dict[str, Any] = {"po_id": po_id, "by": by, "reason": reason}
        deadline = asyncio.get_running_loop().time() + BEGUN_WITHIN_S
        while True:
            try:
                await update(
                    handle, name, decision, type(None), subject=po_id, within=ANSWER_WITHIN
                )
            except RPCError as error:
                if error.status != RPCStatusCode.NOT_FOUND:
                    raise unreachable(error) from error
                if order.state in ("closed", "cancelled"):
                    raise Refused(f"purchase order {po_id} is {order.state}") from None
                if asyncio.get_running_loop().time() > deadline:
                    raise Unreachable(
                        f"the workflow of {po_id} is not there yet: is a worker running?"
                    ) from None
            else:
                return
            await asyncio.sleep(0.2)
