"""The schedule that has all stock levels looked at. Every worker sees to it that it is there."""

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


async def keep_replenishing(client: Client, *, task_queue: str, every: timedelta) -> None:
    """Have the levels looked at so often. Calling it again changes nothing but the interval.

    A look that a stopped server missed is made up for once; one that takes long is not overtaken.
    Raises RPCError when the server does not answer.
    """
    name = ids.replenishment_id(task_queue)
    spec = ScheduleSpec(intervals=[ScheduleIntervalSpec(every=every)])
    schedule = Schedule(
        action=ScheduleActionStartWorkflow(
            "Replenishment",
            {},
            id=name,
            task_queue=task_queue,
            static_summary="All stock levels are looked at",
        ),
        spec=spec,
        policy=SchedulePolicy(
            overlap=ScheduleOverlapPolicy.BUFFER_ONE,
            catchup_window=max(every, timedelta(minutes=1)),
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
