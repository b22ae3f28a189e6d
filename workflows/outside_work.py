"""A workshop's work on one fulfilment: its workflow is the child of this one.

It is apart from the order's workflow, so that the child has one parent from its beginning to its
end, however often the order continues as new or is taken up again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import (
    CancelledError,
    ChildWorkflowError,
    FailureError,
    WorkflowAlreadyStartedError,
)

from workflows.engine import results, timeouts
from workflows.engine.outcomes import why

with workflow.unsafe.imports_passed_through():
    from pydantic import ValidationError

    from activities.warehouse.outside_work import (
        OutsideWork,
        WorkAttempt,
        WorkEnded,
        WorkGiven,
        WorkNote,
        WorkStopped,
    )
    from domain import ids
    from domain.faults import faults
    from domain.fulfilment.outside_work import (
        CANCEL,
        CANNOT_STOP,
        PROGRESS,
        PROGRESS_MAX,
        Note,
        WorkAnswer,
        WorkAsked,
    )

EARLIER_ENDS_WITHIN = timedelta(hours=1)
"""An earlier child, whose parent was terminated, was asked to end then. It has so long for it."""

UNSAID = "it has not said why"

LOOK_EVERY = timedelta(seconds=10)


@workflow.defn(name="OutsideWork")
class OutsideWorkWorkflow:
    """One attempt of a workshop at one fulfilment."""

    @workflow.init
    def __init__(self, ask: WorkAttempt) -> None:
        self.ask = ask
        self.child: workflow.ChildWorkflowHandle[WorkAsked, RawValue] | None = None
        self.told = 0
        self.asked_to_stop = False
        self.goes_on = ""  # why the workshop does not stop
        self.over = False
        self.ended_by_hand = False  # a person has cancelled this workflow in Temporal

    @workflow.run
    async def run(self, ask: WorkAttempt) -> WorkAnswer | None:
        """Have the workshop do it, and write down what it answers. None: it is not wanted.

        Where a person cancels this workflow, the workshop is cancelled with it, and what becomes of
        the work is written down all the same: nobody else would tell a person.
        """
        work = asyncio.create_task(self.work(ask))
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            self.ended_by_hand = True
            if self.child is not None:
                self.child.cancel()
            return await work

    async def work(self, ask: WorkAttempt) -> WorkAnswer | None:
        """All that this workflow does, from its beginning to its end."""
        given = await results.insist(
            OutsideWork.work_begun,
            ask,
            start_to_close_timeout=timeouts.DATABASE_STEP,
            retry_policy=timeouts.DATABASE_RETRY,
            summary="Take the work",
        )
        answer = None
        if given is not None:
            answer = await self.answer_of_workshop(given)
            await results.insist(
                OutsideWork.work_ended,
                WorkEnded(**ask.model_dump(), answer=answer),
                start_to_close_timeout=timeouts.DATABASE_STEP,
                retry_policy=timeouts.DATABASE_RETRY,
                summary=f"Record: {answer.outcome}",
            )
        self.over = True
        await workflow.wait_condition(workflow.all_handlers_finished)
        return answer

    @workflow.update
    async def stop(self) -> WorkStopped:
        """Ask the workshop to stop. Answered when it works no more, or says that it goes on."""
        await workflow.wait_condition(lambda: self.child is not None or self.over)
        if self.child is not None and not self.over:
            self.asked_to_stop, self.goes_on = True, ""
            with suppress(FailureError):  # it has just ended
                await self.child.signal(CANCEL)
            await workflow.wait_condition(lambda: bool(self.goes_on) or self.over)
        if self.over:
            return WorkStopped(outcome="over")
        return WorkStopped(outcome="goes_on", why=self.goes_on)

    @workflow.signal(dynamic=True)
    async def hear(self, name: str, payloads: Sequence[RawValue]) -> None:
        """What the workshop says. What cannot be read is left out: it is no reason to stop it."""
        try:
            note = Note.model_validate_json(payloads[0].payload.data).note
        except (ValidationError, IndexError):
            workflow.logger.warning("%s: signal %s cannot be read", self.ask.fulfilment_id, name)
            note = ""
        if name == CANNOT_STOP:
            self.goes_on = note or UNSAID
        elif name == PROGRESS and note and self.told < PROGRESS_MAX:
            self.told += 1
            await results.insist(
                OutsideWork.work_goes_on,
                WorkNote(**self.ask.model_dump(), number=self.told, note=note),
                start_to_close_timeout=timeouts.DATABASE_STEP,
                retry_policy=timeouts.DATABASE_RETRY,
                summary="Tell how far it has come",
            )

    async def answer_of_workshop(self, given: WorkGiven) -> WorkAnswer:
        """What it answers. Whatever goes wrong with its workflow is a failure, for a person."""
        try:
            self.child = await self.begin_child(given)
            if self.ended_by_hand:
                self.child.cancel()
            raw: RawValue | None = await self.child
            # Some languages end a workflow with no result at all, and not with an empty one.
            answer = WorkAnswer.model_validate_json(raw.payload.data if raw is not None else "null")
        except ValidationError as error:
            _, field, fault = faults(error)[0]
            return _failed(f"its answer cannot be read: {field} {fault}")
        except _NotBegunError as error:
            return _failed(str(error))
        except ChildWorkflowError as error:
            if self.stop_is_awaited and isinstance(error.cause, CancelledError):
                return WorkAnswer(outcome="stopped", note="it was cancelled")
            return _failed(why(error))
        if answer.outcome == "stopped" and not self.stop_is_awaited:
            return _failed(f"it stopped by itself: {answer.note or UNSAID}")
        return answer

    @property
    def stop_is_awaited(self) -> bool:
        """It was asked to stop, and has not said that it goes on: then nobody waits any more, and
        a person says what becomes of units that come back all the same."""
        return self.asked_to_stop and not self.goes_on

    async def begin_child(
        self, given: WorkGiven
    ) -> workflow.ChildWorkflowHandle[WorkAsked, RawValue]:
        """Begin the workshop's workflow, once an earlier one of the same id has ended.

        Raises _NotBegunError where that does not end, or nobody wants it any more.
        """
        asked = given.asked
        until = workflow.now() + EARLIER_ENDS_WITHIN
        while True:
            if self.ended_by_hand:
                raise _NotBegunError("our workflow beside it was cancelled in Temporal")
            try:
                return await workflow.start_child_workflow(
                    given.workshop.workflow,
                    asked,
                    id=ids.workshop_id(given.handling, asked.fulfilment_id, asked.attempt),
                    task_queue=given.workshop.task_queue,
                    parent_close_policy=workflow.ParentClosePolicy.REQUEST_CANCEL,
                    result_type=RawValue,
                    static_summary=f"{given.handling} of {asked.fulfilment_id}",
                )
            except WorkflowAlreadyStartedError:
                if workflow.now() >= until:
                    reason = "its workflow from before this one was begun again does not end"
                    raise _NotBegunError(reason) from None
            with suppress(TimeoutError):
                await workflow.wait_condition(
                    lambda: self.ended_by_hand,
                    timeout=LOOK_EVERY,
                    timeout_summary="Until its earlier workflow has ended",
                )


class _NotBegunError(Exception):
    """The workflow of the workshop has not begun, and is not to."""


def _failed(note: str) -> WorkAnswer:
    return WorkAnswer(outcome="failed", note=note[:500])
