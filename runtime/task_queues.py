"""What waits in Temporal for a worker, as its server tells it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client

_KINDS: Final = (
    TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
)
_SEEN_WITHIN: Final = timedelta(minutes=2)
"""A worker that is there asks at least once a minute."""


class Backlog(NamedTuple):
    """Tasks that no worker has taken, about so many; seconds for which the oldest one has waited.

    `workers`: those that have asked for tasks lately.
    """

    tasks: int
    wait_s: int
    workers: int


async def backlog_of(client: Client, task_queue: str, within: timedelta) -> Backlog:
    """Ask the server. Raises RPCError where it does not answer within this time."""
    tasks, wait_s, seen = 0, 0, set[str]()
    since = datetime.now(UTC) - _SEEN_WITHIN
    for kind in _KINDS:
        told = await client.workflow_service.describe_task_queue(
            DescribeTaskQueueRequest(
                namespace=client.namespace,
                task_queue=TaskQueue(name=task_queue),
                task_queue_type=kind,
                report_stats=True,
            ),
            timeout=within,
        )
        tasks += told.stats.approximate_backlog_count
        wait_s = max(wait_s, told.stats.approximate_backlog_age.seconds)
        seen |= {
            one.identity for one in told.pollers if one.last_access_time.ToDatetime(UTC) > since
        }
    return Backlog(tasks, wait_s, len(seen))
