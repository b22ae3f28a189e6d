"""Calls for the workflow of each job that has not ended.

It is called for when the job is made, and again every few minutes. One that runs stays as it is,
and one that Temporal has lost goes on from the job's rows.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import Final

from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.service import RPCError

from activities.relay import BATCH, RPC_TIMEOUT
from domain import ids
from domain.jobs.jobs import Kind, WorkOnJob
from store.database import Pool
from store.jobs import jobs

logger = logging.getLogger(__name__)

LEASE: Final = timedelta(minutes=5)
"""A job that has not ended by then is called for again."""


class JobStarts:
    """A duty of the relay. The workflows that it starts run on `task_queue`."""

    def __init__(self, pool: Pool, client: Client, task_queue: str) -> None:
        self._pool = pool
        self._client = client
        self._task_queue = task_queue

    async def start(self) -> None:
        """Call for those that are due."""
        async with self._pool.acquire() as conn:
            due = await jobs.to_call(conn, LEASE, BATCH)
        if not due:
            return
        called = await asyncio.gather(*(self._call(*one) for one in due))
        left = [job_id for (job_id, _), ok in zip(due, called, strict=True) if not ok]
        if left:
            async with self._pool.acquire() as conn:
                await jobs.not_called(conn, left)

    async def _call(self, job_id: str, kind: Kind) -> bool:
        try:
            await self._client.start_workflow(
                "Job",
                WorkOnJob(job_id=job_id),
                id=ids.job_workflow_id(job_id),
                task_queue=self._task_queue,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                static_summary=f"{kind.replace('_', ' ').capitalize()}: {job_id}",
                rpc_timeout=RPC_TIMEOUT,
            )
        except RPCError as error:
            logger.warning("%s is begun later: %s", job_id, error)
            return False
        return True
