"""Takes up again what Temporal has lost: a new server, a deleted database, a terminated run.

Rows say which orders and purchase orders are open. Temporal is asked about each of them, because
its lists lag behind, and a new server's are empty: one call for a workflow that runs, which also
says what became of one that does not, and another call for a lost one. So nothing is kept in memory
but a page of ids.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, TypeVar

from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError

from domain import ids
from domain.errors import NotFound, Refused, Unreachable
from runtime.order_starts import start_again
from starter.service.updates import is_missing, unreachable
from store.database import Pool
from store.orders import open_orders
from store.orders.open_orders import Standing
from store.purchasing import purchase_reads

T = TypeVar("T")

AT_ONCE: Final = 50
"""So many are asked about, and taken up, at the same time."""

ASK_WITHIN: Final = timedelta(seconds=10)
"""Temporal is given this long to say what became of a workflow."""

_BECAME_OF: Final[dict[WorkflowExecutionStatus | None, str]] = {
    None: "Temporal had no workflow of it",
    WorkflowExecutionStatus.FAILED: "its workflow had failed",
    WorkflowExecutionStatus.CANCELED: "its workflow had been cancelled",
    WorkflowExecutionStatus.TERMINATED: "its workflow had been terminated",
    WorkflowExecutionStatus.TIMED_OUT: "its workflow had timed out",
}

SETTLE: Final = timedelta(seconds=90)
"""A step that a worker had begun when its workflow was lost has ended after this time: a call to a
company takes a minute at most, and its two transactions a moment more."""

Outcome = Literal["resumed", "running", "waiting", "ended", "impossible"]


@dataclass(frozen=True)
class Resumption:
    """What was done about an open order, or a purchase order.

    `resumed`: it had no workflow that runs, `why`, and was given one. `running`: it has one.
    `waiting`: it was placed just now, and a worker starts it. `ended`: it has ended meanwhile.
    `impossible`: its workflow ended by itself, but its rows say that it is open; nothing was done.
    """

    subject: str
    outcome: Outcome
    why: str = ""


@dataclass(frozen=True)
class _Run:
    """The last run of a workflow that Temporal knows; without a status it knows none."""

    status: WorkflowExecutionStatus | None = None
    closed_at: datetime | None = None

    @property
    def runs(self) -> bool:
        """Also while it is paused, or goes over into another run."""
        return not self.ended_by_itself and self.status not in _BECAME_OF

    @property
    def ended_by_itself(self) -> bool:
        return self.status is WorkflowExecutionStatus.COMPLETED

    def left_of(self, settle: timedelta) -> timedelta:
        """What is left of that time since its end."""
        if self.closed_at is None:
            return settle
        return max(timedelta(0), self.closed_at + settle - datetime.now(UTC))


class LostOrders:
    """Orders that are open on record, and whose workflow Temporal does not run."""

    def __init__(self, pool: Pool, temporal: Client, task_queue: str) -> None:
        self._pool = pool
        self._temporal = temporal
        self._task_queue = task_queue

    async def take_up(self, order_id: str, settle: timedelta) -> Resumption:
        """Take one up. Raises NotFound, Refused where it has ended or is impossible, Unreachable.

        An order that waits for its first start is started, too. `settle`: the new run reads the
        rows so long after the end of the earlier one, or after its own start where that is not
        known.
        """
        standing = (await self._standing([order_id])).get(order_id)
        if standing is None:
            raise NotFound(f"there is no order {order_id}; `orderloom orders` lists what is there")
        _refuse_if_ended(standing)
        (run,) = await _last_runs(self._temporal, [ids.workflow_id(order_id)])
        if run.runs:
            return Resumption(order_id, "running")
        standing = (await self._standing([order_id]))[order_id]
        _refuse_if_ended(standing)
        taken = await self._start(standing, run, settle, bulk=standing.start.bulk)
        if taken.outcome == "impossible":
            raise Refused(f"order {order_id} cannot be taken up: {taken.why}")
        return taken

    async def take_up_all(self, settle: timedelta) -> AsyncIterator[Resumption]:
        """Take up all of them, the oldest first, many at once. Says what it did about each order.

        Their work lets that of others pass, because they are many. Raises Unreachable, after it has
        told of all that it did.
        """
        after = 0
        while True:
            async with self._pool.acquire() as conn:
                page = await open_orders.page(conn, after=after, at_most=AT_ONCE)
            if not page:
                return
            after = page[-1].order_no
            for order in page:
                if order.waits:
                    yield Resumption(order.order_id, "waiting")
            some = [order.order_id for order in page if not order.waits]
            async for done in self._take_up_some(some, settle):
                yield done

    async def _take_up_some(
        self, order_ids: Sequence[str], settle: timedelta
    ) -> AsyncIterator[Resumption]:
        runs = await _last_runs(self._temporal, map(ids.workflow_id, order_ids))
        lost = {}
        for order_id, run in zip(order_ids, runs, strict=True):
            if run.runs:
                yield Resumption(order_id, "running")
            else:
                lost[order_id] = run
        # Read after Temporal was asked: a workflow records its order's end before its own.
        standing = await self._standing(list(lost))
        starts = []
        for order_id, run in lost.items():
            if standing[order_id].is_open:
                starts.append(self._start(standing[order_id], run, settle, bulk=True))
            else:
                yield Resumption(order_id, "ended")
        done, failed = await _all(starts)
        for one in done:
            yield one
        if failed:
            raise failed[0]

    async def _standing(self, order_ids: Sequence[str]) -> dict[str, Standing]:
        if not order_ids:
            return {}
        async with self._pool.acquire() as conn:
            return await open_orders.of_ids(conn, order_ids)

    async def _start(
        self, standing: Standing, run: _Run, settle: timedelta, *, bulk: bool
    ) -> Resumption:
        start = replace(standing.start, bulk=bulk)
        if run.ended_by_itself:
            return _impossible(start.order_id, standing.state)
        ours = await start_again(
            self._temporal,
            self._task_queue,
            start,
            begun=standing.begun,
            settle=run.left_of(settle),
        )
        if not ours:  # Somebody else has taken it up meanwhile.
            return Resumption(start.order_id, "running")
        return Resumption(start.order_id, "resumed", _BECAME_OF[run.status])


class LostPurchases:
    """Purchase orders that are open on record, and whose workflow Temporal does not run.

    Their rows are enough: each step finds what an earlier run has done. So they are only to be
    started once more, as new ones are, by a worker.
    """

    def __init__(self, pool: Pool, temporal: Client) -> None:
        self._pool = pool
        self._temporal = temporal

    async def take_up_all(self) -> AsyncIterator[Resumption]:
        """Have a worker take up all of them. Says what it did about each. Raises Unreachable."""
        after = ""
        while True:
            async with self._pool.acquire() as conn:
                page = await purchase_reads.started_and_open(conn, after=after, at_most=AT_ONCE)
            if not page:
                return
            after = page[-1]
            runs = await _last_runs(self._temporal, map(ids.purchase_workflow_id, page))
            lost = {po_id: run for po_id, run in zip(page, runs, strict=True) if not run.runs}
            async with self._pool.acquire() as conn:
                states = await purchase_reads.open_states(conn, list(lost))
                again = [po_id for po_id in states if not lost[po_id].ended_by_itself]
                await purchase_reads.start_again(conn, again)
            for po_id in page:
                if po_id not in lost:
                    yield Resumption(po_id, "running")
                elif po_id not in states:
                    yield Resumption(po_id, "ended")
                elif lost[po_id].ended_by_itself:
                    yield _impossible(po_id, states[po_id])
                else:
                    yield Resumption(po_id, "resumed", _BECAME_OF[lost[po_id].status])


async def _last_runs(temporal: Client, workflow_ids: Iterable[str]) -> list[_Run]:
    """The last run of each. Raises Unreachable."""
    found, failed = await _all(_last_run(temporal, one) for one in workflow_ids)
    if failed:
        raise failed[0]
    return found


async def _last_run(temporal: Client, workflow_id: str) -> _Run:
    try:
        found = await temporal.get_workflow_handle(workflow_id).describe(rpc_timeout=ASK_WITHIN)
    except RPCError as error:
        if is_missing(error):
            return _Run()
        raise unreachable(error) from error
    return _Run(found.status, found.close_time)


async def _all(work: Iterable[Awaitable[T]]) -> tuple[list[T], list[Unreachable]]:
    """The results of all, and how those failed that found a server away. All of them end."""
    done = list[T]()
    failed = list[Unreachable]()
    for result in await asyncio.gather(*work, return_exceptions=True):
        if isinstance(result, Unreachable):
            failed.append(result)
        elif isinstance(result, BaseException):
            raise result
        else:
            done.append(result)
    return done, failed


def _refuse_if_ended(standing: Standing) -> None:
    if not standing.is_open:
        raise Refused(
            f"order {standing.start.order_id} is {standing.state} since "
            f"{standing.decided_at:%Y-%m-%d %H:%M %Z}"
            f"{f' ({standing.reason})' if standing.reason else ''}; it needs no workflow"
        )


def _impossible(subject: str, state: str) -> Resumption:
    why = (
        f"its workflow has ended by itself, but on record it is {state}: was the database "
        "restored from an older backup?"
    )
    return Resumption(subject, "impossible", why)
