"""The schedules of a shop. Every worker sees to it that they are there."""

from __future__ import annotations

from datetime import timedelta

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)

from domain import ids

RECONCILED_EVERY = timedelta(days=1)
RECONCILED_AT = timedelta(hours=1)
"""After midnight UTC: late enough that whoever's clock is slow has ended the day, too."""


async def keep_schedules(client: Client, *, task_queue: str, review_every: timedelta) -> None:
    """Have the shop's levels looked at so often, and the days of payment companies compared."""
    await keep_replenishing(client, task_queue=task_queue, every=review_every)
    await keep_reconciling(client, task_queue=task_queue)


async def keep_replenishing(client: Client, *, task_queue: str, every: timedelta) -> None:
    """Have the levels looked at so often."""
    await _keep(
        client,
        ids.replenishment_id(task_queue),
        "Replenishment",
        "All stock levels are looked at",
        task_queue=task_queue,
        interval=ScheduleIntervalSpec(every=every),
    )


async def keep_reconciling(
    client: Client, *, task_queue: str, every: timedelta = RECONCILED_EVERY
) -> None:
    """Have the days that are due compared: the day before, and what was missed."""
    await _keep(
        client,
        ids.reconciliation_id(task_queue),
        "Reconciliation",
        "What payment companies say of a day is compared with ours",
        task_queue=task_queue,
        interval=ScheduleIntervalSpec(every=every, offset=min(RECONCILED_AT, every / 2)),
    )


async def _keep(
    client: Client,
    name: str,
    workflow: str,
    summary: str,
    *,
    task_queue: str,
    interval: ScheduleIntervalSpec,
) -> None:
    """Have a workflow run at intervals. Calling it again changes nothing but the interval.

    A run that a stopped server missed is made up for once; one that takes long is not overtaken.
    Raises RPCError when the server does not answer.
    """
    spec = ScheduleSpec(intervals=[interval])
    schedule = Schedule(
        action=ScheduleActionStartWorkflow(
            workflow, {}, id=name, task_queue=task_queue, static_summary=summary
        ),
        spec=spec,
        policy=SchedulePolicy(
            overlap=ScheduleOverlapPolicy.BUFFER_ONE,
            catchup_window=max(interval.every, timedelta(minutes=1)),
        ),
    )

    def with_interval(found: ScheduleUpdateInput) -> ScheduleUpdate | None:
        if found.description.schedule.spec.intervals == spec.intervals:
            return None
        schedule.state = found.description.schedule.state  # somebody may have paused it
        return ScheduleUpdate(schedule=schedule)

    try:
        await client.create_schedule(name, schedule)
    except ScheduleAlreadyRunningError:
        await client.get_schedule_handle(name).update(with_interval)
