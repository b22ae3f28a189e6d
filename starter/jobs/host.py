"""The small worker that does the work on jobs, beside the HTTP door.

Why not an ordinary worker: it may not use the doors of `starter/service/`, by which orders are
placed and cancelled, nor the readers of `starter/channels/`. The workflows of jobs run there, and
ask here for a turn of work each.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from datetime import timedelta
from typing import Final

from temporalio.client import Client
from temporalio.worker import Worker

from domain.errors import Unreachable
from domain.ids import jobs_queue
from runtime.discovery import connect_settings
from runtime.servers import until_there
from runtime.settings import load_settings
from runtime.temporal import connect_temporal
from starter.jobs.working import JobActivities
from starter.service.connection import REPORT_SECONDS_MAX, service
from starter.service.service import Service

logger = logging.getLogger("orderloom.jobs")

JOBS_AT_ONCE: Final = 3
GRACE: Final = timedelta(seconds=3)
"""An item that is under way when the program ends is finished in this time, or done again."""

AGAIN_AFTER_S: Final = 5.0
_CONNECTIONS: Final = 12


def jobs_worker(client: Client, here: Service, task_queue: str) -> Worker:
    """A worker for jobs alone. `task_queue`: that of the workflows."""
    return Worker(
        client,
        task_queue=jobs_queue(task_queue),
        activities=[JobActivities(here).work_on_job],
        max_concurrent_activities=JOBS_AT_ONCE,
        graceful_shutdown_timeout=GRACE,
    )


async def work_on_jobs(stop: asyncio.Event) -> None:
    """Work until `stop` is set. A server that is away is waited for: others answer meanwhile."""
    while not stop.is_set():
        try:
            await _work(stop)
        except Unreachable as away:
            logger.warning("jobs wait: %s", away)
        except Exception as defect:  # noqa: BLE001 - jobs that stand still stop no other answer
            logger.error("jobs stand still for a moment: %s", type(defect).__name__)  # noqa: TRY400 - a message may quote a customer
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), AGAIN_AFTER_S)


async def _work(stop: asyncio.Event) -> None:
    settings = load_settings()
    place = connect_settings(settings.home)
    client = await until_there(
        lambda: connect_temporal(place), "Temporal", stop, faults=(Unreachable,)
    )
    if client is None:
        return
    async with service(
        connections=_CONNECTIONS,
        statement_seconds_max=REPORT_SECONDS_MAX,
        temporal_may_be_away=True,
    ) as here:
        working = jobs_worker(client, here, settings.task_queue)
        async with working:
            await stop.wait()
