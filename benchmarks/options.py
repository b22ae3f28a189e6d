"""How a contestant's worker is to run. What is left out stays as the contestant ships."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from temporalio.worker import (
    PollerBehavior,
    PollerBehaviorAutoscaling,
    PollerBehaviorSimpleMaximum,
    UnsandboxedWorkflowRunner,
)
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from domain.errors import InvalidInput

Count = Annotated[int, Field(ge=1, le=100_000)]
Pollers = Count | Literal["auto"] | None


class WorkerOptions(BaseModel):
    """Options of `temporalio.worker.Worker` by short names, and of the process around it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    processes: Annotated[int, Field(ge=1, le=64)] = 1
    loop: Literal["asyncio", "uvloop"] = "asyncio"
    """uvloop has to be installed for it."""
    connections: Count | None = None
    """Connections to PostgreSQL that one process opens at most."""
    sandbox: bool | None = None
    """False: workflows run outside it. True: in the SDK's own, nothing passed through; Orderloom's
    is switched on by ORDERLOOM_WORKFLOW_SANDBOX=true."""
    workflow_pollers: Pollers = None
    activity_pollers: Pollers = None
    cached_workflows: Annotated[int, Field(ge=0)] | None = None
    workflow_tasks: Count | None = None
    activities: Count | None = None
    local_activities: Count | None = None
    sticky_timeout_s: float | None = None
    profile: Path | None = None
    """Where py-spy writes what the worker's Python code did, as folded stacks."""
    environment: dict[str, str] = {}
    """Settings of the worker process, such as ORDERLOOM_DATABASE_POOL_SIZE."""

    def for_worker(self) -> dict[str, Any]:
        """The keyword arguments of `temporalio.worker.Worker` that these options stand for."""
        given: dict[str, Any] = {
            "workflow_task_poller_behavior": _pollers(self.workflow_pollers),
            "activity_task_poller_behavior": _pollers(self.activity_pollers),
            "max_cached_workflows": self.cached_workflows,
            "max_concurrent_workflow_tasks": self.workflow_tasks,
            "max_concurrent_activities": self.activities,
            "max_concurrent_local_activities": self.local_activities,
        }
        if self.sandbox is not None:
            given["workflow_runner"] = (
                SandboxedWorkflowRunner() if self.sandbox else UnsandboxedWorkflowRunner()
            )
        if self.sticky_timeout_s is not None:
            given["sticky_queue_schedule_to_start_timeout"] = timedelta(
                seconds=self.sticky_timeout_s
            )
        return {name: value for name, value in given.items() if value is not None}


def parse_options(text: str) -> WorkerOptions:
    """`sandbox=false,processes=2,ORDERLOOM_X=1`: options, and variables in capitals.

    Raises InvalidInput that names the option at fault.
    """
    given: dict[str, Any] = {}
    environment: dict[str, str] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, equals, value = part.partition("=")
        if not equals:
            raise InvalidInput(f"{part!r} is not name=value", where="worker options")
        (environment if name.isupper() else given)[name] = value
    try:
        return WorkerOptions.model_validate({**given, "environment": environment})
    except ValidationError as error:
        faults = "; ".join(f"{fault['loc'][0]}: {fault['msg']}" for fault in error.errors())
        known = ", ".join(WorkerOptions.model_fields)
        raise InvalidInput(f"{faults} (there is {known})", where="worker options") from None


def _pollers(pollers: Pollers) -> PollerBehavior | None:
    if pollers is None:
        return None
    if pollers == "auto":
        return PollerBehaviorAutoscaling()
    return PollerBehaviorSimpleMaximum(maximum=pollers)
