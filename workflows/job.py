"""Long work: a turn after the other until the job has ended.

Where it stands is rows. So a run that is lost loses nothing: the relay starts another one.
"""

from __future__ import annotations

from typing import Final

from temporalio import workflow

from workflows.engine import results, timeouts

with workflow.unsafe.imports_passed_through():
    from activities.jobs.contracts import JobSteps
    from domain.ids import jobs_queue
    from domain.jobs.jobs import WorkOnJob

TURNS_A_RUN: Final = 200
"""Then it continues as new, so that its history stays short."""


@workflow.defn(name="Job")
class JobWorkflow:
    """One job. Whoever cancels it says so in its row, and the next turn finds that."""

    @workflow.run
    async def run(self, ask: WorkOnJob) -> None:
        """Work on it by turns. They wait for a program that has the doors, however long."""
        for _ in range(TURNS_A_RUN):
            worked = await results.insist(
                JobSteps.work_on_job,
                ask,
                task_queue=jobs_queue(workflow.info().task_queue),
                start_to_close_timeout=timeouts.JOB_TURN,
                heartbeat_timeout=timeouts.JOB_SILENCE,
                retry_policy=timeouts.DATABASE_RETRY,
                summary=f"Work on {ask.job_id}",
            )
            if not worked.more:
                return
        workflow.continue_as_new(ask)
