"""A worker's options: its sandbox, its limits, and its version."""

from __future__ import annotations

from typing import Any, Final

from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.worker import (
    PollerBehaviorAutoscaling,
    UnsandboxedWorkflowRunner,
    WorkerDeploymentConfig,
)
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from runtime.settings import Settings

WORKFLOW_TASKS_AT_ONCE: Final = 20

# Pure, or only ever used from activities: loaded once instead of once per workflow.
PASSED_THROUGH: Final = (
    "activities",
    "annotated_types",
    "asyncpg",
    "dns",
    "domain",
    "email_validator",
    "idna",
    "iso4217",
    "pycountry",
    "pydantic",
    "pydantic_core",
    "store",
    "typing_extensions",
)


def sandbox() -> SandboxedWorkflowRunner:
    """Runs workflows so that what would not replay is noticed, as their tests do."""
    return SandboxedWorkflowRunner(
        restrictions=SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH)
    )


def tuning(settings: Settings) -> dict[str, Any]:
    """Options for a worker in production; docs/performance.md tells what each of them gives."""
    return {
        "workflow_runner": sandbox() if settings.workflow_sandbox else UnsandboxedWorkflowRunner(),
        "max_cached_workflows": settings.orders_in_memory,
        # More at once would only share the one interpreter, and in the end miss their deadlines.
        "max_concurrent_workflow_tasks": WORKFLOW_TASKS_AT_ONCE,
        # As many polls wait at the server as there is work for.
        "workflow_task_poller_behavior": PollerBehaviorAutoscaling(),
        "activity_task_poller_behavior": PollerBehaviorAutoscaling(),
        # Nothing is stored outside of Temporal. More than one at once makes two tasks of every
        # payload, each to find that there is nothing to do.
        "max_workflow_task_external_storage_concurrency": 1,
    }


def versioning(settings: Settings) -> dict[str, Any]:
    """With a build id, Temporal keeps track of which orders run on which deployed version."""
    if settings.build_id is None:
        return {}
    version = WorkerDeploymentVersion("orderloom", settings.build_id)
    return {
        "deployment_config": WorkerDeploymentConfig(
            version=version,
            use_worker_versioning=True,
            # Orders live for weeks: they move on to the new code, which replays their histories.
            default_versioning_behavior=VersioningBehavior.AUTO_UPGRADE,
        )
    }
