"""Orders whose workflow cannot go on, because its task fails again and again.

The cause is a fault in the code, or a worker that lacks a key (docs/encryption.md), and the order
cannot report it by itself. Temporal marks such a workflow after five failures in a row, and removes
the mark when it goes on. The relay asks for the marked workflows (one query for any number of
orders), and lists them as needing attention.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Final

from temporalio.client import Client, WorkflowExecution
from temporalio.exceptions import FailureError
from temporalio.service import RPCError

from domain import ids
from domain.errors import CannotDecrypt, NotFound
from store.database import Pool
from store.locks import lock_order
from store.orders import events

logger = logging.getLogger(__name__)

STEP: Final = "workflow task"
"""The step under which such an order is listed."""

CANNOT_GO_ON: Final = "its workflow cannot go on"

TOLD_AT_ONCE: Final = 100
_REASON_LENGTH_MAX: Final = 300
_WHO: Final = "orderloom"


class StuckOrders:
    """Lists orders whose workflow cannot go on, for as long as it cannot."""

    def __init__(self, pool: Pool, client: Client, task_queue: str) -> None:
        self._pool = pool
        self._client = client
        self._task_queue = task_queue

    async def look(self) -> None:
        """Add newly stuck orders to the list, and remove those that go on."""
        try:
            stuck = await marked(self._client, self._task_queue, "Order", ids.WORKFLOW_PREFIX)
        except RPCError as error:  # A server before version 1.30 does not know the mark.
            logger.info("workflows that cannot go on are not looked for: %s", error)
            return
        async with self._pool.acquire() as conn:
            listed = await events.attention_at(conn, STEP)
        for order_id in sorted(stuck.keys() - listed.keys())[:TOLD_AT_ONCE]:
            await self._list(order_id, stuck[order_id])
        for order_id in sorted(listed.keys() - stuck.keys()):
            await self._take_off(order_id, listed[order_id])

    async def _list(self, order_id: str, execution: WorkflowExecution) -> None:
        event_id, reason = await why(self._client, execution)
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


async def marked(
    client: Client, task_queue: str, workflow_type: str, prefix: str
) -> dict[str, WorkflowExecution]:
    """The workflows of a type that cannot go on, by id without the prefix. Raises RPCError."""
    queue = task_queue.replace("\\", "\\\\").replace('"', '\\"')
    query = (
        f'WorkflowType="{workflow_type}" AND ExecutionStatus="Running" AND TaskQueue="{queue}" '
        "AND TemporalReportedProblems IS NOT NULL"
    )
    return {found.id.removeprefix(prefix): found async for found in client.list_workflows(query)}


async def why(client: Client, execution: WorkflowExecution) -> tuple[int, str]:
    """The last failure in a workflow's history, and the number of that event."""
    handle = client.get_workflow_handle(execution.id, run_id=execution.run_id)
    failed, told = None, "it does not answer in time"
    try:
        async for event in handle.fetch_history_events():
            if event.HasField("workflow_task_failed_event_attributes"):
                failed = event
    except RPCError as error:
        logger.warning("the history of %s cannot be read: %s", execution.id, error)
    if failed is not None:
        failure = failed.workflow_task_failed_event_attributes.failure
        try:  # it may be encrypted
            cause = await client.data_converter.decode_failure(failure)
            told = cause.message if isinstance(cause, FailureError) else str(cause)
        except CannotDecrypt as error:
            told = str(error)
    text = " ".join(told.split())[:_REASON_LENGTH_MAX]
    return 0 if failed is None else failed.event_id, (
        f"{CANNOT_GO_ON}: {text}. Nothing is lost; it goes on by itself when the cause is mended"
    )
