"""The audit: do stock, lines, money, ledger, providers and workflows agree with each other?

    report = await audit(pool, temporal)
    print("\\n".join(report.lines()))

It runs beside a working system. Rows whose state says that work is under way are not checked. Some
states do not say so (an answer is being written, a workflow is about to end): the audit looks at
those again for as long as `patience`, and reports them only if they stay.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from temporalio.client import (
    Client,
    WorkflowExecution,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
)
from temporalio.common import SearchAttributeKey
from temporalio.service import RPCError, RPCStatusCode

from domain import ids
from domain.errors import Unreachable
from domain.purchasing.purchase_orders import ENDED, WAY
from starter.service.audit_report import AuditReport
from store.database import Connection, Pool
from store.days import counting, figures
from store.views import audit as database
from store.views.audit import Counts, UnderWay
from store.views.audited.check import Violation

__all__ = ["AuditReport", "Counts", "UnderWay", "Violation", "audit"]

PATIENCE: Final = timedelta(seconds=12)
"""A workflow that waits out its longest pause between tries, 10 s, is not taken for dead."""

_PAUSE_S: Final = 0.5
_DESCRIBED_AT_ONCE: Final = 16
# A workflow task that fails again and again is stuck, not under way.
_TASK_ATTEMPTS_MAX: Final = 3

_PROBLEMS: Final = SearchAttributeKey.for_keyword_list("TemporalReportedProblems")
_ATTENTION: Final = SearchAttributeKey.for_bool("OrderAttention")


@dataclass(frozen=True)
class _Kind:
    """A kind of thing that has a workflow: which one, and how to read its states (id → state)."""

    workflow_type: str
    prefix: str
    noun: str
    open_states: tuple[str, ...]
    states: Callable[[Connection, Iterable[str]], Awaitable[dict[str, str]]]
    begun_later: tuple[str, ...]
    """The states in which it may be on record before its workflow, which is started after it."""


_ORDERS: Final = _Kind(
    "Order",
    ids.WORKFLOW_PREFIX,
    "order",
    ("received", "confirmed", "closed with late requests"),
    database.decisions,
    begun_later=("received",),
)
_OPEN_PURCHASES: Final = tuple(state for state in WAY if state not in ENDED)
_PURCHASES: Final = _Kind(
    "PurchaseOrder",
    ids.PURCHASE_PREFIX,
    "purchase order",
    _OPEN_PURCHASES,
    database.purchase_states,
    begun_later=_OPEN_PURCHASES,
)


_RPC_WITHIN: Final = timedelta(seconds=30)
"""Temporal is given this long for a page of its list, or for one workflow."""


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
        kinds = [_Workflows(pool, temporal, task_queue, kind) for kind in (_ORDERS, _PURCHASES)]
        return await _audit(pool, kinds, patience)
    except RPCError as error:
        raise Unreachable(
            f"Temporal does not answer ({error.message}); run the audit again when it does"
        ) from error


async def _audit(pool: Pool, kinds: Sequence[_Workflows], patience: timedelta) -> AuditReport:
    async with pool.acquire() as conn:
        first = await database.look(conn)
        figures_wrong = await _days(conn)
    suspects = set(first.suspects)
    violations, dubious, running = (
        [*first.violations, *figures_wrong],
        list[tuple[_Workflows, list[Violation]]](),
        0,
    )
    for kind, unfinished in zip(kinds, (first.unfinished, first.open_purchases), strict=True):
        listed = await kind.running()
        running += len(listed)
        dead, doubts = await kind.examine((listed ^ unfinished) | kind.stuck)
        violations += dead
        dubious.append((kind, doubts))
    clock = asyncio.get_running_loop()
    deadline = clock.time() + patience.total_seconds()
    while (suspects or any(doubts for _, doubts in dubious)) and clock.time() < deadline:
        await asyncio.sleep(_PAUSE_S)
        if suspects:
            async with pool.acquire() as conn:
                again = await database.look(conn)
            suspects &= set(again.suspects)
        for index, (kind, doubts) in enumerate(dubious):
            dead, left = await kind.examine(item.subject for item in doubts)
            violations += dead
            dubious[index] = kind, left
    without = [*violations, *(item for _, doubts in dubious for item in doubts)]
    async with pool.acquire() as conn:
        whose = await database.owners(conn, [one.subject for one in without if not one.seller])
    told = [
        one if one.seller else one.model_copy(update={"seller": whose.get(one.subject)})
        for one in without
    ]
    return AuditReport(
        counts=first.counts,
        workflows=running,
        violations=(*told, *sorted(suspects, key=lambda item: (item.rule, item.message))),
        under_way=first.under_way,
    )


async def _days(conn: Connection) -> list[Violation]:
    """Count one of the last days of each seller again, and compare."""
    found = []
    for one in await figures.todays(conn, None):
        for day, kept, now in await counting.wrong(conn, one.seller, secrets.token_hex(8)):
            place = " ".join(part for part in (kept.figure, kept.channel, kept.part) if part)
            message = (
                f"{place} of {day} is kept as {kept.value}, but comes to {now}: "
                f"`orderloom report count --first {day} --last {day}`"
            )
            found.append(
                Violation(rule="figures", subject=one.seller, message=message, seller=one.seller)
            )
    return found


class _Workflows:
    """The workflows of one kind, compared with the records."""

    def __init__(self, pool: Pool, temporal: Client, task_queue: str, kind: _Kind) -> None:
        self._kind = kind
        self._pool = pool
        self._temporal = temporal
        self._task_queue = task_queue
        self.stuck: set[str] = set()
        """Those of which the server says that they cannot go on; known after `running`."""
        self._few_at_once = asyncio.Semaphore(_DESCRIBED_AT_ONCE)

    async def running(self) -> frozenset[str]:
        """Those whose workflows are listed as running; the list lags a little behind."""
        queue = self._task_queue.replace("\\", "\\\\").replace('"', '\\"')
        name = self._kind.workflow_type
        self.stuck = set()
        query = f'WorkflowType="{name}" AND ExecutionStatus="Running" AND TaskQueue="{queue}"'
        found = list[str]()
        async for execution in self._temporal.list_workflows(query, rpc_timeout=_RPC_WITHIN):
            found.append(execution.id.removeprefix(self._kind.prefix))
            if _problems(execution):
                self.stuck.add(found[-1])
        return frozenset(found)

    async def examine(self, subjects: Iterable[str]) -> tuple[list[Violation], list[Violation]]:
        """Look closely at some: those with a dead workflow, and those with one too many.

        The first is certain: an end is on record before the workflow ends, and the workflow is
        asked first; but for what is begun later. The second may be about to pass.
        """
        wanted = sorted(set(subjects))
        described = await asyncio.gather(*(self._describe(subject) for subject in wanted))
        async with self._pool.acquire() as conn:
            states = await self._kind.states(conn, wanted)
        dead = list[Violation]()
        dubious = list[Violation]()
        for subject, workflow in zip(wanted, described, strict=True):
            state, noun = states.get(subject), self._kind.noun
            is_open = state in self._kind.open_states
            if is_open and not _runs(workflow):
                message = f"the {noun} is {state}, but its workflow is {_status(workflow)}"
                found = Violation(rule="liveness", subject=subject, message=message)
                young = workflow is None and state in self._kind.begun_later
                (dubious if young else dead).append(found)
            elif _runs(workflow) and (problems := _problems(workflow)):
                message = f"its workflow is running, but cannot go on: {problems}"
                dubious.append(Violation(rule="liveness", subject=subject, message=message))
            elif not is_open and _idles(workflow) and not _is_told(state, workflow):
                on_record = state or "not on record"
                message = f"its workflow is running, but the {noun} is {on_record}"
                dubious.append(Violation(rule="liveness", subject=subject, message=message))
        return dead, dubious

    async def _describe(self, subject: str) -> WorkflowExecutionDescription | None:
        handle = self._temporal.get_workflow_handle(f"{self._kind.prefix}{subject}")
        async with self._few_at_once:
            try:
                return await handle.describe(rpc_timeout=_RPC_WITHIN)
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


def _problems(workflow: WorkflowExecution | None) -> str:
    """Why the workflow's task fails again and again, in the server's words; else nothing."""
    found = () if workflow is None else workflow.typed_search_attributes.get(_PROBLEMS, default=())
    return ", ".join(part.partition("=")[2] for part in found)


def _status(workflow: WorkflowExecutionDescription | None) -> str:
    """What became of a workflow that does not run, and what to do."""
    if workflow is not None and workflow.status == WorkflowExecutionStatus.COMPLETED:
        return "completed"
    found = "not there" if workflow is None or workflow.status is None else workflow.status.name
    told = found.lower().replace("_", " ")
    return f"{told}: `orderloom resume --all-lost` starts another one"
