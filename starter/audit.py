"""The audit: do stock, lines, money, ledger, providers and workflows agree with each other?

    report = await audit(pool, temporal)
    print("\\n".join(report.lines()))

It runs beside a working system. What is under way is told by its state and left out. The few things
whose state does not tell (an answer that is being written down, a workflow about to end) are looked
at again for as long as `patience`, and count only if they stay.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from pydantic import BaseModel, ConfigDict
from temporalio.client import Client, WorkflowExecutionDescription, WorkflowExecutionStatus
from temporalio.common import SearchAttributeKey
from temporalio.service import RPCError, RPCStatusCode

from domain import ids
from domain.errors import Unreachable
from store import audit as database
from store.audit import Counts, UnderWay, Violation
from store.database import DatabaseFault, Pool

__all__ = ["AuditReport", "Counts", "UnderWay", "Violation", "audit"]

PATIENCE: Final = timedelta(seconds=12)
"""A workflow that waits out its longest pause between tries, 10 s, is not taken for dead."""

_PAUSE_S: Final = 0.5
_DESCRIBED_AT_ONCE: Final = 16
# A workflow task that starts anew again and again is not under way but stuck.
_TASK_ATTEMPTS_MAX: Final = 3

_ATTENTION: Final = SearchAttributeKey.for_bool("OrderAttention")
_OPEN_DECISIONS: Final = ("received", "confirmed")


class AuditReport(BaseModel):
    """What was checked, and what was found. `workflows`: how many order workflows are running."""

    model_config = ConfigDict(frozen=True)

    counts: Counts
    workflows: int
    violations: tuple[Violation, ...]
    under_way: tuple[UnderWay, ...]

    @property
    def clean(self) -> bool:
        """No violation was found."""
        return not self.violations

    def lines(self) -> list[str]:
        """The report for people; the last line is `audit: clean`, or the number of violations."""
        counts = self.counts
        checked = (
            f"checked {counts.orders:,} orders, {counts.stock_rows:,} stock rows, "
            f"{counts.payments:,} payments, {counts.journal_entries:,} journal entries, "
            f"{counts.parcels:,} parcels, {self.workflows:,} running workflows"
        )
        lines = [checked]
        if counts.not_compared:
            lines.append(
                f"{counts.not_compared:,} payments were not compared with their provider: "
                "its books are not here"
            )
        lines += [
            f"under way: {item.payment_key}, {item.kind} of {item.amount} ({item.state})"
            for item in self.under_way
        ]
        lines += [f"{item.rule}: {item.subject}: {item.message}" for item in self.violations]
        found = len(self.violations)
        lines.append(
            "audit: clean" if self.clean else f"audit: {found} violation{'s' * (found > 1)}"
        )
        return lines


async def audit(
    pool: Pool,
    temporal: Client,
    *,
    task_queue: str = "orderloom",
    patience: timedelta = PATIENCE,
) -> AuditReport:
    """Check everything, changing nothing.

    Only workflows of `task_queue` are taken for this database's. Raises Unreachable when the
    database or Temporal does not answer.
    """
    try:
        return await _audit(pool, _Workflows(pool, temporal, task_queue), patience)
    except RPCError as error:
        raise Unreachable(
            f"Temporal does not answer ({error.message}); run the audit again when it does"
        ) from error
    except DatabaseFault as error:
        raise Unreachable(
            f"PostgreSQL does not answer ({error}); run the audit again when it does"
        ) from error


async def _audit(pool: Pool, workflows: _Workflows, patience: timedelta) -> AuditReport:
    async with pool.acquire() as conn:
        first = await database.look(conn)
    running = await workflows.running()
    suspects = {_key(item): item for item in first.suspects}
    dead, dubious = await workflows.examine(running ^ first.unfinished)
    violations = [*first.violations, *dead]
    clock = asyncio.get_running_loop()
    deadline = clock.time() + patience.total_seconds()
    while (suspects or dubious) and clock.time() < deadline:
        await asyncio.sleep(_PAUSE_S)
        if suspects:
            async with pool.acquire() as conn:
                again = await database.look(conn)
            suspects = {_key(item): item for item in again.suspects if _key(item) in suspects}
        dead, dubious = await workflows.examine(item.subject for item in dubious)
        violations += dead
    return AuditReport(
        counts=first.counts,
        workflows=len(running),
        violations=(*violations, *suspects.values(), *dubious),
        under_way=first.under_way,
    )


class _Workflows:
    """The workflows of orders, against the orders on record."""

    def __init__(self, pool: Pool, temporal: Client, task_queue: str) -> None:
        self._pool = pool
        self._temporal = temporal
        self._task_queue = task_queue
        self._few_at_once = asyncio.Semaphore(_DESCRIBED_AT_ONCE)

    async def running(self) -> frozenset[str]:
        """The orders whose workflows are listed as running; the list lags a little behind."""
        queue = self._task_queue.replace("\\", "\\\\").replace('"', '\\"')
        query = f'WorkflowType="Order" AND ExecutionStatus="Running" AND TaskQueue="{queue}"'
        return frozenset(
            [
                execution.id.removeprefix(ids.WORKFLOW_PREFIX)
                async for execution in self._temporal.list_workflows(query)
            ]
        )

    async def examine(self, order_ids: Iterable[str]) -> tuple[list[Violation], list[Violation]]:
        """Look closely at orders: those with a dead workflow, and those with one too many.

        The first is certain: an order's end is on record before its workflow ends, and the workflow
        is asked first. The second may be about to pass.
        """
        wanted = sorted(set(order_ids))
        described = await asyncio.gather(*(self._describe(order_id) for order_id in wanted))
        async with self._pool.acquire() as conn:
            decisions = await database.decisions(conn, wanted)
        dead, dubious = [], []
        for order_id, workflow in zip(wanted, described, strict=True):
            decision = decisions.get(order_id)
            open_order = decision in _OPEN_DECISIONS
            if open_order and not _runs(workflow):
                message = f"the order is {decision}, but its workflow is {_status(workflow)}"
                dead.append(Violation(rule="liveness", subject=order_id, message=message))
            elif not open_order and _idles(workflow) and not _is_told(decision, workflow):
                on_record = decision or "not on record"
                message = f"its workflow is running, but the order is {on_record}"
                dubious.append(Violation(rule="liveness", subject=order_id, message=message))
        return dead, dubious

    async def _describe(self, order_id: str) -> WorkflowExecutionDescription | None:
        handle = self._temporal.get_workflow_handle(ids.workflow_id(order_id))
        async with self._few_at_once:
            try:
                return await handle.describe()
            except RPCError as error:
                if error.status == RPCStatusCode.NOT_FOUND:
                    return None
                raise


def _runs(workflow: WorkflowExecutionDescription | None) -> bool:
    return workflow is not None and workflow.status == WorkflowExecutionStatus.RUNNING


def _idles(workflow: WorkflowExecutionDescription | None) -> bool:
    """It runs, and no worker has its next step or is about to take it.

    An order's first and last steps are recorded within such a task.
    """
    if workflow is None or not _runs(workflow):
        return False
    description = workflow.raw_description
    return not (
        description.HasField("pending_workflow_task")
        and description.pending_workflow_task.attempt <= _TASK_ATTEMPTS_MAX
    )


def _is_told(decision: str | None, workflow: WorkflowExecutionDescription | None) -> bool:
    """An order that could not be recorded asks for attention, where alone it can: in Temporal."""
    return (
        decision is None
        and workflow is not None
        and workflow.typed_search_attributes.get(_ATTENTION, default=False)
    )


def _status(workflow: WorkflowExecutionDescription | None) -> str:
    if workflow is None or workflow.status is None:
        return "not there"
    return workflow.status.name.lower().replace("_", " ")


def _key(item: Violation) -> tuple[str, str]:
    return item.rule, item.subject
