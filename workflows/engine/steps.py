"""How a step runs: tried for a while, then put before a person; never skipped, never lost.

Kinds of steps. `local` and `record`: short, idempotent database steps. `call`: one that talks to an
outside company. `wait`: one that the outside completes. A firm refusal (`StepRefused`) comes back
to the caller, who has a way on. Anything else parks the step as needing attention until an operator
says what to do; whoever recalls the fulfilment meanwhile wakes it too.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.common import SearchAttributeKey
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.exceptions import TimeoutError as ActivityTimeout

from workflows.engine import results, timeouts
from workflows.engine.refusals import refuse

with workflow.unsafe.imports_passed_through():
    from activities.records import Attention, Records
    from domain.continuation import Action, Parked, StepsState
    from domain.errors import IllegalTransition, NotFound
    from domain.ids import wait_id
    from domain.messages import AttentionAnswer
    from domain.policy import Policy

T = TypeVar("T")

NO_ANSWER = "nothing is to be decided; it ends by itself"

ORDER_ATTENTION = SearchAttributeKey.for_bool("OrderAttention")


class StepRefused(Exception):
    """A firm no from a rule or a company: nothing was done. `kind` is the error's stable type.

    `charged`: but that one of several means of payment had been charged, in minor units.
    """

    def __init__(self, kind: str, message: str, charged: int = 0) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.charged = charged


class GivenUp(Exception):
    """The step ended without its effect: cancelled by an operator, or by a recall."""


class ByHand(Exception):
    """An operator did the step's work by hand; `note` says how."""

    def __init__(self, note: str) -> None:
        super().__init__(note)
        self.note = note


class AsStoreCredit(Exception):
    """An operator has what is owed given as store credit instead."""


@dataclass(frozen=True)
class _Wait:
    """A wait that has begun, and until when it may take."""

    handle: workflow.ActivityHandle[Any]
    due: datetime


class Steps:
    """Runs the steps of one order, and keeps the list of those that need a person."""

    def __init__(
        self, order_id: str, policy: Policy, changed: Callable[[], None], state: StepsState
    ) -> None:
        self._order_id = order_id
        self._policy = policy
        self._changed = changed  # called around every step: something is about to be different
        self._raised = state.raised
        self.parked = {parked.step: parked for parked in state.parked}
        self._due = dict(state.due)  # of waits that an earlier run began
        self._running = 0  # steps of any kind, those that wait or are parked among them
        self._waits: dict[str, _Wait] = {}

    def state(self) -> StepsState:
        """What the next run must know. Only while `only_waits`."""
        return StepsState(
            raised=self._raised,
            parked=tuple(self.parked.values()),
            due={activity_id: wait.due for activity_id, wait in self._waits.items()},
        )

    @property
    def only_waits(self) -> bool:
        """No step is running but such as wait for the outside, and have not heard from it yet."""
        return self._running == sum(not wait.handle.done() for wait in self._waits.values())

    def waits_for(self, step: str, part_id: str) -> bool:
        """This wait has begun and has not ended."""
        return wait_id(step, part_id) in self._waits

    async def local(
        self,
        do: Callable[..., Awaitable[T]],
        ask: Any,
        part_id: str,
        summary: str,
        *,
        refusable: tuple[str, ...] = (),
    ) -> T:
        """A short database step inside the workflow task, which costs next to nothing.

        It runs before what led to it is in the history: a lost task runs it again, and maybe after
        other messages. So it is only for steps whose input no message can change.
        """

        async def attempt() -> T:
            return await workflow.execute_local_activity_method(
                do,
                args=[ask],
                schedule_to_close_timeout=self._policy.give_up_after,
                start_to_close_timeout=timeouts.DATABASE_STEP,
                retry_policy=timeouts.DATABASE_RETRY,
                local_retry_threshold=timeouts.LOCAL_BACKOFF_MAX,
                summary=summary,
            )

        step = f"{do.__name__} {part_id}"
        return await self._until_done(step, attempt, allowed=("retry",), refusable=refusable)

    async def record(
        self, do: Callable[..., Awaitable[T]], ask: Any, part_id: str, summary: str
    ) -> T:
        """A short database step whose input is in the history before it runs."""

        async def attempt() -> T:
            return await results.execute(
                do,
                ask,
                schedule_to_close_timeout=self._policy.give_up_after,
                start_to_close_timeout=timeouts.DATABASE_STEP,
                retry_policy=timeouts.DATABASE_RETRY,
                summary=summary,
            )

        return await self._until_done(f"{do.__name__} {part_id}", attempt, allowed=("retry",))

    async def call(
        self,
        do: Callable[..., Awaitable[T]],
        ask: Callable[[int], Any],
        part_id: str,
        summary: str,
        *,
        refusable: tuple[str, ...] = (),
        allowed: tuple[Action, ...] = ("retry", "done"),
        unless: Callable[[], bool] = lambda: False,
    ) -> T:
        """A step that talks to an outside company. `ask` makes its input for the n-th try.

        A firm no of a `refusable` kind is raised as StepRefused; any other is put before a person,
        and a retry after it is a new try. Raises GivenUp where `unless` comes true while the step
        is parked, and ByHand or AsStoreCredit where an operator chose another way, which only a
        firm no makes room for: what became of a call without an answer is for the company to tell.
        """
        tries = 1

        async def attempt() -> T:
            nonlocal tries
            try:
                return await results.execute(
                    do,
                    ask(tries),
                    schedule_to_close_timeout=min(self._policy.give_up_after, timeouts.UNKNOWN_MAX),
                    start_to_close_timeout=timeouts.PROVIDER_CALL,
                    retry_policy=timeouts.PROVIDER_RETRY,
                    summary=summary,
                )
            except ActivityError as error:
                if refusal_of(error) is not None:
                    tries += 1  # only a firm no ends a try: an open outcome keeps its key
                raise

        step = f"{do.__name__} {part_id}"
        return await self._until_done(
            step, attempt, allowed=allowed, refusable=refusable, unless=unless
        )

    async def wait(
        self,
        do: Callable[..., Awaitable[T]],
        ask: Any,
        part_id: str,
        summary: str,
        *,
        within: timedelta,
        overdue: Callable[[], Awaitable[str | None]],
        stopped: Callable[[], bool] = lambda: False,
        cut_short: Callable[[], bool] = lambda: False,
        allowed: tuple[Action, ...] = ("retry",),
        refusable: tuple[str, ...] = (),
    ) -> T:
        """A step that the outside completes, under an activity id made of its name and `part_id`.

        When it takes longer than `within`, `overdue` says why that needs a person, or None where it
        does not yet; the wait goes on either way. Once `stopped` says that nobody needs it, it ends
        with GivenUp: by itself, or at once where `cut_short` says that it may.
        """
        step = f"{do.__name__} {part_id}"

        activity_id = wait_id(do.__name__, part_id)

        async def once() -> T:
            due = self._due.pop(activity_id, workflow.now() + within)
            handle = results.start(
                do,
                ask,
                activity_id=activity_id,
                # Where an earlier run has waited for all that time, a report is still looked for.
                schedule_to_close_timeout=max(
                    due - workflow.now(), min(within, timeouts.DATABASE_STEP)
                ),
                retry_policy=timeouts.retry_for(self._policy.give_up_after),
                summary=summary,
            )
            self._waits[activity_id] = _Wait(handle, due)
            try:
                # Cut short by us who wait, so that it has begun: an activity that is cancelled
                # before that ends as if the whole order were.
                await workflow.wait_condition(lambda: handle.done() or cut_short())
                if not handle.done():
                    handle.cancel()
                return await results.answer(do, handle)
            finally:
                del self._waits[activity_id]

        async def attempt() -> T:
            while True:
                if stopped():
                    await self.attention_over(step, "no longer needed")
                    raise GivenUp(step)
                try:
                    result = await once()
                except ActivityError as error:
                    if stopped():
                        await self.attention_over(step, "no longer needed")
                        raise GivenUp(step) from error
                    if not isinstance(error.cause, ActivityTimeout):
                        raise
                    reason = await overdue()
                    if reason is not None:
                        await self.ask_for_attention(step, reason)
                else:
                    await self.attention_over(step, "it happened after all")
                    return result

        return await self._until_done(
            step, attempt, allowed=allowed, refusable=refusable, unless=stopped
        )

    async def ask_for_attention(self, step: str, reason: str) -> None:
        """Ask for attention without stopping. Asking twice is once."""
        if step not in self.parked:
            await self._raise(step, reason, allowed=())

    async def attention_over(self, step: str, resolution: str) -> None:
        """What `quiet` asked for is not needed any more."""
        await self._resolve(step, resolution)

    def check_answer(self, answer: AttentionAnswer) -> None:
        """Raises ApplicationError where the answer does not fit what is parked."""
        parked = self.parked.get(answer.step)
        if parked is None:
            known = "; ".join(self.parked) or "nothing"
            raise refuse(NotFound(f"{answer.step!r} needs no attention here; what does: {known}"))
        if answer.action not in parked.allowed:
            way = f"it takes {', '.join(parked.allowed)}" if parked.allowed else NO_ANSWER
            raise refuse(IllegalTransition(f"{answer.step!r} takes no {answer.action}: {way}"))

    def answer(self, answer: AttentionAnswer) -> None:
        """An operator's decision about a parked step."""
        self.check_answer(answer)
        self.parked[answer.step].answer = answer

    async def _until_done(
        self,
        step: str,
        attempt: Callable[[], Awaitable[T]],
        *,
        allowed: tuple[Action, ...],
        refusable: tuple[str, ...] = (),
        unless: Callable[[], bool] = lambda: False,
    ) -> T:
        self._running += 1
        try:
            return await self._until_decided(
                step, attempt, allowed=allowed, refusable=refusable, unless=unless
            )
        finally:
            self._running -= 1

    async def _until_decided(
        self,
        step: str,
        attempt: Callable[[], Awaitable[T]],
        *,
        allowed: tuple[Action, ...],
        refusable: tuple[str, ...],
        unless: Callable[[], bool],
    ) -> T:
        while True:
            self._changed()
            try:
                return await attempt()
            except (ActivityError, ApplicationError) as error:
                refusal = refusal_of(error)
                if refusal is not None and refusal.kind in refusable:
                    await self.attention_over(step, f"refused: {refusal.message}")
                    raise refusal from error
                reason = refusal.message if refusal else _why(error)
                decided = refusal is not None  # else whether it happened is for others to tell
                answers = tuple(a for a in allowed if decided or a in ("retry", "cancel"))
            await self._park(step, reason, answers, unless)

    async def _park(
        self, step: str, reason: str, allowed: tuple[Action, ...], unless: Callable[[], bool]
    ) -> None:
        """Wait for an operator's answer. Returns to try again."""
        parked = self.parked.get(step)
        if parked is None or not parked.allowed:  # else one answer serves all who wait at it
            parked = await self._raise(step, reason, allowed)
        await workflow.wait_condition(lambda: parked.answer is not None or unless())
        answer = parked.answer
        if answer is None:
            await self._resolve(step, "no longer needed")
            raise GivenUp(step)
        await self._resolve(step, f"{answer.action}: {answer.note}", who=answer.by)
        if answer.action == "cancel":
            raise GivenUp(step)
        if answer.action == "done":
            raise ByHand(answer.note)
        if answer.action == "store_credit":
            raise AsStoreCredit(answer.note)

    async def _raise(self, step: str, reason: str, allowed: tuple[Action, ...]) -> Parked:
        self._raised += 1
        parked = Parked(step=step, number=self._raised, reason=reason, allowed=allowed)
        self.parked[step] = parked
        self._changed()
        workflow.upsert_search_attributes([ORDER_ATTENTION.value_set(True)])
        await self._note(parked, None)
        return parked

    async def _resolve(self, step: str, resolution: str, *, who: str = "orderloom") -> None:
        parked = self.parked.pop(step, None)
        if parked is None:
            return
        self._changed()
        if not self.parked:
            workflow.upsert_search_attributes([ORDER_ATTENTION.value_set(False)])
        await self._note(parked, resolution, who)

    async def _note(self, parked: Parked, resolution: str | None, who: str = "orderloom") -> None:
        # Without an end to its retries: the list of what needs a person must not miss one.
        await workflow.execute_activity_method(
            Records.note_attention,
            Attention(
                order_id=self._order_id,
                step=parked.step,
                number=parked.number,
                reason=parked.reason,
                allowed=parked.allowed,
                resolution=resolution,
                who=who,
            ),
            start_to_close_timeout=timeouts.DATABASE_STEP,
            retry_policy=timeouts.DATABASE_RETRY,
            summary=f"{'Resolved' if resolution else 'Needs attention'}: {parked.step}",
        )


def refusal_of(error: ActivityError | ApplicationError) -> StepRefused | None:
    """The firm refusal in a step's failure, or None where the outcome is open.

    A local activity's comes as it was raised; any other's is wrapped in an ActivityError.
    """
    cause = error.cause if isinstance(error, ActivityError) else error
    if isinstance(cause, ApplicationError) and cause.non_retryable and cause.type:
        details = cause.details[0] if cause.details and isinstance(cause.details[0], dict) else {}
        return StepRefused(cause.type, cause.message, details.get("charged", 0))
    return None


def _why(error: ActivityError | ApplicationError) -> str:
    innermost: BaseException = error
    while innermost.__cause__ is not None:
        innermost = innermost.__cause__
    if isinstance(innermost, ActivityTimeout):  # its last failure, if any, is not handed on
        return "it kept failing or did not answer; the worker's log says why"
    return innermost.message if isinstance(innermost, ApplicationError) else str(innermost)
