"""One workflow without a server: what happened goes in, what it wants done comes out.

This is how Temporal's own worker drives a workflow. It is the only module here that knows the
SDK's private names.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

from temporalio import workflow
from temporalio.api.common.v1 import Payloads
from temporalio.api.failure.v1 import Failure
from temporalio.bridge.proto.workflow_activation import (
    WorkflowActivation,
    WorkflowActivationJob,
)
from temporalio.bridge.proto.workflow_commands import WorkflowCommand
from temporalio.common import Priority, RetryPolicy, TypedSearchAttributes
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DefaultFailureConverter
from temporalio.exceptions import ApplicationError
from temporalio.worker import UnsandboxedWorkflowRunner, WorkflowInstance
from temporalio.worker._workflow_instance import WorkflowInstanceDetails

PAYLOADS: Final = pydantic_data_converter.payload_converter
FAILURES: Final = DefaultFailureConverter()

Limit = Literal["StartToClose", "ScheduleToClose"]
LIMITS: Final[Mapping[Limit, int]] = {"StartToClose": 1, "ScheduleToClose": 3}
"""As temporal.api.enums.v1.TimeoutType numbers them."""

Job = Callable[[WorkflowActivationJob], None]
"""Writes one thing that happened into an activation."""


# What the workflow wants done --------------------------------------------------------------------


@dataclass(frozen=True)
class ActivityScheduled:
    """`ask` is decoded by whoever knows its type."""

    seq: int
    name: str
    activity_id: str
    local: bool
    arguments: Sequence[Any]
    schedule_to_close: timedelta | None
    start_to_close: timedelta | None
    """One attempt may take so long; where nothing is said, all the time that there is."""
    retry: RetryPolicy

    def ask(self, kind: Any) -> Any:
        """The activity's input, as a model of this kind."""
        return PAYLOADS.from_payloads(list(self.arguments), [kind])[0]


@dataclass(frozen=True)
class ActivityCancelled:
    seq: int


@dataclass(frozen=True)
class TimerStarted:
    seq: int
    after: timedelta


@dataclass(frozen=True)
class TimerCancelled:
    seq: int


@dataclass(frozen=True)
class UpdateAnswered:
    """`answer` is JSON; `error` says why the update was rejected or failed; neither: accepted."""

    update_id: str
    accepted: bool = False
    answer: Any = None
    error: ApplicationError | None = None


@dataclass(frozen=True)
class Continued:
    """It goes on in a new run, with this input."""

    arguments: Sequence[Any]


@dataclass(frozen=True)
class Ended:
    """Its result, as JSON; or the failure that ended it."""

    result: Any = None
    failure: str = ""


Wish = (
    ActivityScheduled
    | ActivityCancelled
    | TimerStarted
    | TimerCancelled
    | UpdateAnswered
    | Continued
    | Ended
)


class TaskFailed(AssertionError):
    """The workflow's code raised where it must not: a server would try this task for ever."""


class NotDeterministic(AssertionError):
    """A new worker, told the same, wants something else."""


class Machine:
    """One run of a workflow, and the record from which another worker could go on with it."""

    def __init__(self, kind: type, workflow_id: str, run: int, arguments: Sequence[Any]) -> None:
        self._kind = kind
        self._workflow_id = workflow_id
        self._run_id = f"run-{run}"
        self._randomness = run
        self._arguments = arguments
        self._record: list[tuple[WorkflowActivation, list[bytes]]] = []
        self._accepted: set[str] = set()
        self._patches: list[str] = []
        self._events = 0
        self._began = datetime.min.replace(tzinfo=UTC)
        self._instance: WorkflowInstance | None = None
        self._raised: list[BaseException] = []

    @property
    def workflow(self) -> Any:
        """The workflow object itself, for checks of what it has in its book."""
        return getattr(self._instance, "_object", None)

    @property
    def events(self) -> int:
        """About how many events a server would have in the history by now."""
        return self._events

    def begin(self, now: datetime) -> list[Wish]:
        """The first activation."""
        self._began = now
        self._instance = self._new_instance()
        return self.tell(now, [self._initialized])

    def tell(self, now: datetime, jobs: Sequence[Job]) -> list[Wish]:
        """Tell it what happened. Raises TaskFailed where its code does not stand it."""
        self._events += len(jobs) + 2  # the task is scheduled and started
        activation = WorkflowActivation(run_id=self._run_id, history_length=self._events)
        activation.timestamp.FromDatetime(now)
        for fill in jobs:
            fill(activation.jobs.add())
        commands = self._activate(self._instance, activation)
        wishes = [wish for each in commands for wish in _read(each)]
        self._keep(activation, commands, wishes)
        self._events += len(commands) + 1
        self._patches += [
            each.set_patch_marker.patch_id for each in commands if each.HasField("set_patch_marker")
        ]
        return _until_the_end(wishes)

    def _keep(
        self,
        activation: WorkflowActivation,
        commands: Sequence[WorkflowCommand],
        wishes: Sequence[Wish],
    ) -> None:
        """Record the task as a history has it: an update that was rejected left nothing there."""
        answers = [wish for wish in wishes if isinstance(wish, UpdateAnswered)]
        self._accepted |= {each.update_id for each in answers if each.accepted}
        rejected = {x.update_id for x in answers if x.error and x.update_id not in self._accepted}
        kept = WorkflowActivation()
        kept.CopyFrom(activation)
        del kept.jobs[:]
        kept.jobs.extend(
            job
            for job in activation.jobs
            if not (job.HasField("do_update") and job.do_update.id in rejected)
        )
        said = [
            each.SerializeToString()
            for each in commands
            if not (
                each.HasField("update_response")
                and each.update_response.protocol_instance_id in rejected
            )
        ]
        if kept.jobs or said:
            self._record.append((kept, said))

    def take_back(self) -> None:
        """The server refused the last task: something had come that this run has not seen."""
        self._record.pop()
        self._replay()

    def die(self) -> None:
        """The worker dies, and another one goes on. Raises NotDeterministic."""
        self._replay()

    def forget(self) -> None:
        """The worker puts the workflow out of its memory, as it does when a run is over."""
        if self._instance is not None:
            activation = WorkflowActivation(run_id=self._run_id)
            activation.timestamp.FromDatetime(self._began)
            activation.jobs.add().remove_from_cache.SetInParent()
            self._activate(self._instance, activation)
            self._instance = None

    def _replay(self) -> None:
        self.forget()
        self._instance = self._new_instance()
        for number, (recorded, said) in enumerate(self._record):
            activation = WorkflowActivation()
            activation.CopyFrom(recorded)
            activation.is_replaying = True
            for job in activation.jobs:
                _read_again(job)
            if number == 0:
                for patch in self._patches:
                    activation.jobs.add().notify_has_patch.patch_id = patch
            again = [x.SerializeToString() for x in self._activate(self._instance, activation)]
            if again != said:
                raise NotDeterministic(f"task {number + 1} of {len(self._record)}: {again} {said}")

    def _activate(
        self, instance: WorkflowInstance | None, activation: WorkflowActivation
    ) -> Sequence[WorkflowCommand]:
        assert instance is not None
        loop = asyncio._get_running_loop()
        try:
            done = instance.activate(activation)
        finally:
            asyncio._set_running_loop(loop)  # the workflow's own loop took its place
        if done.HasField("failed"):
            failure = done.failed.failure
            raise TaskFailed(f"{failure.message}\n{failure.stack_trace}{_causes(failure)}")
        raised, self._raised = self._raised, []
        if raised:  # a worker only writes that into its log
            raise TaskFailed(f"a callback raised: {raised[0]!r}") from raised[0]
        return list(done.successful.commands)

    def _new_instance(self) -> WorkflowInstance:
        definition = workflow._Definition.must_from_class(self._kind)
        assert definition.name is not None
        info = workflow.Info(
            attempt=1,
            continued_run_id=None,
            cron_schedule=None,
            execution_timeout=None,
            first_execution_run_id="run-1",
            headers={},
            namespace="default",
            original_execution_run_id=self._run_id,
            parent=None,
            root=None,
            priority=Priority.default,
            raw_memo={},
            retry_policy=None,
            run_id=self._run_id,
            run_timeout=None,
            search_attributes={},
            start_time=self._began,
            task_queue="simulated",
            task_timeout=timedelta(seconds=10),
            typed_search_attributes=TypedSearchAttributes.empty,
            workflow_id=self._workflow_id,
            workflow_start_time=self._began,
            workflow_type=definition.name,
        )
        details = WorkflowInstanceDetails(
            payload_converter_factory=lambda: PAYLOADS,
            failure_converter_class=DefaultFailureConverter,
            interceptor_classes=[],
            defn=definition,
            info=info,
            randomness_seed=self._randomness,
            extern_functions={"__temporal_assert_local_activity_valid": lambda name: None},
            disable_eager_activity_execution=True,
            worker_level_failure_exception_types=[],
            patch_activation_callback=None,
            last_completion_result=Payloads(),
            last_failure=None,
        )
        instance = UnsandboxedWorkflowRunner().create_instance(details)
        assert isinstance(instance, asyncio.AbstractEventLoop)
        instance.set_exception_handler(self._of_a_callback)
        return instance

    def _of_a_callback(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Keep what a callback has raised, which nobody else hears of."""
        if "handle" in context:
            self._raised.append(context["exception"])
        else:
            loop.default_exception_handler(context)

    def _initialized(self, job: WorkflowActivationJob) -> None:
        start = job.initialize_workflow
        start.workflow_type = str(workflow._Definition.must_from_class(self._kind).name)
        start.workflow_id = self._workflow_id
        start.randomness_seed = self._randomness
        start.first_execution_run_id = "run-1"
        start.arguments.extend(self._arguments)


# What happened -----------------------------------------------------------------------------------


def payloads_of(*values: Any) -> Sequence[Any]:
    """Values as the server carries them."""
    return PAYLOADS.to_payloads(list(values))


def fired(seq: int) -> Job:
    """A timer came to its end."""

    def fill(job: WorkflowActivationJob) -> None:
        job.fire_timer.seq = seq

    return fill


def completed(activity: ActivityScheduled, result: Any) -> Job:
    """An activity is done."""

    def fill(job: WorkflowActivationJob) -> None:
        _resolve(job, activity).completed.result.CopyFrom(payloads_of(result)[0])

    return fill


def failed(activity: ActivityScheduled, error: ApplicationError) -> Job:
    """An activity ended with an error, and is not tried again."""

    def fill(job: WorkflowActivationJob) -> None:
        failure = _resolve(job, activity).failed.failure
        if activity.local:  # comes as it was raised
            FAILURES.to_failure(error, PAYLOADS, failure)
        else:
            _wrap(failure, activity, "Activity task failed")
            FAILURES.to_failure(error, PAYLOADS, failure.cause)

    return fill


def timed_out(activity: ActivityScheduled, limit: Limit = "ScheduleToClose") -> Job:
    """An activity was not done in the time that it had in all, or its last attempt in its own."""

    def fill(job: WorkflowActivationJob) -> None:
        failure = _resolve(job, activity).failed.failure
        _wrap(failure, activity, f"activity {limit} timeout")
        failure.cause.message = f"activity {limit} timeout"
        failure.cause.timeout_failure_info.timeout_type = LIMITS[limit]

    return fill


def cancelled(activity: ActivityScheduled) -> Job:
    """The workflow asked for it, and does not wait for it any more."""

    def fill(job: WorkflowActivationJob) -> None:
        failure = _resolve(job, activity).cancelled.failure
        _wrap(failure, activity, "Activity cancelled")
        failure.cause.message = "Activity cancelled"
        failure.cause.canceled_failure_info.SetInParent()

    return fill


def signalled(name: str, argument: Any) -> Job:
    """A signal came."""

    def fill(job: WorkflowActivationJob) -> None:
        job.signal_workflow.signal_name = name
        job.signal_workflow.input.extend(payloads_of(argument))

    return fill


def updated(update_id: str, name: str, argument: Any) -> Job:
    """An update came, whose caller waits for the answer."""

    def fill(job: WorkflowActivationJob) -> None:
        update = job.do_update
        update.id = update.protocol_instance_id = update.meta.update_id = update_id
        update.name = name
        update.run_validator = True
        update.input.extend(payloads_of(argument))

    return fill


def cancellation_requested() -> Job:
    """Somebody cancelled the workflow in Temporal's own pages."""

    def fill(job: WorkflowActivationJob) -> None:
        job.cancel_workflow.reason = "cancelled by a person"

    return fill


def _resolve(job: WorkflowActivationJob, activity: ActivityScheduled) -> Any:
    job.resolve_activity.seq = activity.seq
    job.resolve_activity.is_local = activity.local
    return job.resolve_activity.result


def _read_again(job: WorkflowActivationJob) -> None:
    """As the history tells it: a local activity's time-out comes bare then (temporalio 1.35)."""
    if job.HasField("resolve_activity") and job.resolve_activity.is_local:
        failure = job.resolve_activity.result.failed.failure
        if failure.cause.HasField("timeout_failure_info"):
            bare = Failure()
            bare.CopyFrom(failure.cause)
            failure.CopyFrom(bare)


def _wrap(failure: Failure, activity: ActivityScheduled, message: str) -> None:
    failure.message = message
    failure.activity_failure_info.activity_type.name = activity.name
    failure.activity_failure_info.activity_id = activity.activity_id


def _read(command: WorkflowCommand) -> list[Wish]:
    kind = command.WhichOneof("variant")
    value = getattr(command, str(kind))
    match kind:
        case "schedule_activity" | "schedule_local_activity":
            whole = _duration(value, "schedule_to_close_timeout")
            attempt = _duration(value, "start_to_close_timeout")
            return [
                ActivityScheduled(
                    seq=value.seq,
                    name=value.activity_type,
                    activity_id=value.activity_id,
                    local=kind == "schedule_local_activity",
                    arguments=tuple(value.arguments),
                    schedule_to_close=whole,
                    start_to_close=whole if attempt is None else attempt,
                    retry=RetryPolicy.from_proto(value.retry_policy),
                )
            ]
        case "request_cancel_activity" | "request_cancel_local_activity":
            return [ActivityCancelled(value.seq)]
        case "start_timer":
            return [TimerStarted(value.seq, value.start_to_fire_timeout.ToTimedelta())]
        case "cancel_timer":
            return [TimerCancelled(value.seq)]
        case "update_response":
            return [_answer(value)]
        case "continue_as_new_workflow_execution":
            return [Continued(tuple(value.arguments))]
        case "complete_workflow_execution":
            return [Ended(result=PAYLOADS.from_payloads([value.result])[0])]
        case "fail_workflow_execution":
            return [Ended(failure=f"{value.failure.message}{_causes(value.failure)}")]
        case "cancel_workflow_execution":
            return [Ended(failure="cancelled")]
    return []


def _duration(value: Any, name: str) -> timedelta | None:
    limit: timedelta | None = getattr(value, name).ToTimedelta() if value.HasField(name) else None
    return limit


def _answer(value: Any) -> UpdateAnswered:
    update_id = value.protocol_instance_id
    if value.HasField("rejected"):
        error = FAILURES.from_failure(value.rejected, PAYLOADS)
        assert isinstance(error, ApplicationError), error
        return UpdateAnswered(update_id, error=error)
    if value.HasField("completed"):
        return UpdateAnswered(update_id, answer=PAYLOADS.from_payloads([value.completed])[0])
    return UpdateAnswered(update_id, accepted=True)


def _until_the_end(wishes: list[Wish]) -> list[Wish]:
    """Temporal drops every command that comes after the one that ends the run."""
    for index, wish in enumerate(wishes):
        if isinstance(wish, Continued | Ended):
            return wishes[: index + 1]
    return wishes


def _causes(failure: Failure) -> str:
    causes = ""
    while failure.HasField("cause"):
        failure = failure.cause
        causes += f"\n caused by {failure.message}\n{failure.stack_trace}"
    return causes
