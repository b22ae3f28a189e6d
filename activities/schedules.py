"""The schedules of a shop. Every worker makes sure that they exist."""

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
"""Time after midnight UTC, so late that the day has ended on slow clocks as well."""


async def keep_schedules(client: Client, *, task_queue: str, review_every: timedelta) -> None:
    """Make sure that both schedules exist: the review of stock levels, and the reconciliation."""
    await keep_replenishing(client, task_queue=task_queue, every=review_every)
    await keep_reconciling(client, task_queue=task_queue)


async def keep_replenishing(client: Client, *, task_queue: str, every: timedelta) -> None:
    """Schedule the review of stock levels, once per `every`."""
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
    """Schedule the reconciliation of the days that are due: yesterday, and every missed day."""
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
    """Schedule a workflow at intervals. A repeat changes nothing but the interval.

    A run that a stopped server missed is made up for once; a run that takes long delays the next
    one. Raises RPCError when the server does not answer.
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
        schedule.state = found.description.schedule.state  # Somebody may have paused it.
        return ScheduleUpdate(schedule=schedule)

    try:
        await client.create_schedule(name, schedule)
    except ScheduleAlreadyRunningError:
        await client.get_schedule_handle(name).update(with_interval)
