"""What a job's workflow asks for. `orderloom serve` does it: only there are the doors that may."""

from __future__ import annotations

from typing import Protocol

from domain.jobs.jobs import WorkedOnJob, WorkOnJob


class JobSteps(Protocol):
    """A turn of work on a job. It may run twice, also at the same time."""

    async def work_on_job(self, ask: WorkOnJob, /) -> WorkedOnJob:
        """Do some of it, and tell whether more is left."""
