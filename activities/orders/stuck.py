"""Orders whose workflow cannot go on, because its task fails again and again.

The cause is a fault in the code, and the order cannot report it by itself. Temporal marks such a
workflow after five failures in a row, and removes the mark when it goes on. The relay asks for the
marked workflows (one query for any number of orders), and lists them as needing attention.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Final

from temporalio.client import Client, WorkflowExecution
from temporalio.service import RPCError

from domain import ids
from domain.errors import NotFound
from store.database import Pool
from store.locks import lock_order
from store.orders import events

logger = logging.getLogger(__name__)

STEP: Final = "workflow task"
"""The step under which such an order is listed."""

TOLD_AT_ONCE: Final = 100
_REASON_LENGTH_MAX: Final = 300
_WHO: Final = "orderloom"


class StuckOrders:
    """Lists orders whose workflow cannot go on, for as long as it cannot."""

    def __init__(self, pool: Pool, client: Client, task_queue: str) -> None:
        self._pool = pool
        self._client = client
        queue = task_queue.replace("\\", "\\\\").replace('"', '\\"')
        self._query = (
            f'WorkflowType="Order" AND ExecutionStatus="Running" AND TaskQueue="{queue}" '
            "AND TemporalReportedProblems IS NOT NULL"
        )

    async def look(self) -> None:
        """Add newly stuck orders to the list, and remove those that go on."""
        try:
            marked = {
                execution.id.removeprefix(ids.WORKFLOW_PREFIX): execution
                async for execution in self._client.list_workflows(self._query)
            }
        except RPCError as error:  # A server before version 1.30 does not know the mark.
            logger.info("workflows that cannot go on are not looked for: %s", error)
            return
        async with self._pool.acquire() as conn:
            listed = await events.attention_at(conn, STEP)
        for order_id in sorted(marked.keys() - listed.keys())[:TOLD_AT_ONCE]:
            await self._list(order_id, marked[order_id])
        for order_id in sorted(listed.keys() - marked.keys()):
            await self._take_off(order_id, listed[order_id])

    async def _list(self, order_id: str, execution: WorkflowExecution) -> None:
        event_id, reason = await self._why(execution)
        effect = f"{STEP}:{execution.run_id}:{event_id}"
        async with self._pool.acquire() as conn, conn.transaction():
            try:
                await lock_order(conn, order_id)
            except NotFound:
                return  # The order is not on record; the audit reports it.
            await events.raise_attention(conn, order_id, STEP, reason, ())
            await events.tell(
                conn, order_id, effect, f"needs attention: {STEP}", who=_WHO, why=reason
            )

    async def _take_off(self, order_id: str, since: datetime) -> None:
        effect = f"{STEP}:{since.isoformat()}:resolved"
        async with self._pool.acquire() as conn, conn.transaction():
            await lock_order(conn, order_id)
            await events.resolve_attention(conn, order_id, STEP, "its workflow goes on, or ended")
            await events.tell(conn, order_id, effect, f"attention resolved: {STEP}", who=_WHO)

    async def _why(self, execution: WorkflowExecution) -> tuple[int, str]:
        """The last failure in the workflow's history, and the number of that event."""
        handle = self._client.get_workflow_handle(execution.id, run_id=execution.run_id)
        event_id, told = 0, "it does not answer in time"
        try:
            async for event in handle.fetch_history_events():
                if event.HasField("workflow_task_failed_event_attributes"):
                    event_id = event.event_id
                    told = event.workflow_task_failed_event_attributes.failure.message
        except RPCError as error:
            logger.warning("the history of %s cannot be read: %s", execution.id, error)
        text = " ".join(told.split())[:_REASON_LENGTH_MAX]
        return event_id, (
            f"its workflow cannot go on: {text}. Nothing is lost; it goes on by itself when the "
            "code that fails is mended"
        )
