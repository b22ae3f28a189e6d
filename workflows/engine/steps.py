"""How a step runs: tried for a while, then put before a person; never skipped, never lost.

Kinds of steps. `local` and `record`: short, idempotent database steps. `call`: one that talks to an
outside company. `wait`: one that the outside completes. Each is taken from the table of steps, and
answers with how it ended. A firm refusal that the caller has a way on from is such an answer; any
other failure parks the step until an operator says what to do, or nobody needs it any more.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.exceptions import TimeoutError as ActivityTimeout

from workflows.engine import results, timeouts
from workflows.engine.attention import ParkedSteps
from workflows.engine.outcomes import (
    STEP_FAILURES,
    Abandoned,
    ByOperator,
    Done,
    Outcome,
    Refused,
    refusal_of,
    why,
)
from workflows.engine.step_table import Activity, StepTable

with workflow.unsafe.imports_passed_through():
    from domain.ids import wait_id
    from domain.orders.continuation import Action
    from domain.orders.policy import Policy

T = TypeVar("T")


EARLY = timedelta(minutes=1)
EARLY_ENDS_MAX = 2
UNHURRIED = timedelta(hours=1)
"""A wait that ends within a minute and is not overdue may do so once. The second time in a row is a
fault of ours: a person is told, and it is waited for this long from then on."""

RUN_AGAIN = "packed"
"""As the relay has an attempt fail, so that the next one does more."""

ENDS_EARLY = "ends again and again before anything is overdue: please report this to Orderloom"


@dataclass(frozen=True, eq=False)
class OpenStep:
    """A step that has begun and has not ended. `waits`: the outside ends it."""

    do: str
    part_id: str
    summary: str
    since: datetime
    waits: bool

    @property
    def name(self) -> str:
        """The name under which a person answers it."""
        return f"{self.do} {self.part_id}"


class Steps:
    """Runs the steps of one order, and keeps the list of those that need a person."""

    def __init__(
        self,
        table: StepTable,
        order_id: str,
        policy: Policy,
        changed: Callable[[], None],
    ) -> None:
        self.table = table
        self._policy = policy
        self._changed = changed  # called around every step: something is about to be different
        self.attention = ParkedSteps(order_id, changed)
        self.open: list[OpenStep] = []  # of any kind, those that wait or are parked among them
        self._waits: dict[str, workflow.ActivityHandle[Any]] = {}

    @property
    def only_waits(self) -> bool:
        """Every step that is running waits for the outside, and has not heard from it yet."""
        return len(self.open) == sum(not wait.done() for wait in self._waits.values())

    def waits_for(self, do: Activity, part_id: str) -> bool:
        """This wait has begun and has not ended."""
        return wait_id(do.__name__, part_id) in self._waits

    async def local(
        self,
        do: Callable[..., Awaitable[T]],
        ask: Any,
        part_id: str,
        summary: str,
        *,
        refusable: tuple[str, ...] = (),
    ) -> Done[T] | Refused:
        """A short database step inside the workflow task, which costs next to nothing.

        It runs before what led to it is in the history: a lost task runs it again, and maybe after
        other messages. So it is only for steps whose input no message can change.
        """

        async def attempt() -> Outcome[T]:
            return Done(
                await workflow.execute_local_activity_method(
                    do,
                    args=[ask],
                    schedule_to_close_timeout=self._policy.give_up_after,
                    start_to_close_timeout=timeouts.DATABASE_STEP,
                    retry_policy=timeouts.DATABASE_RETRY,
                    local_retry_threshold=timeouts.LOCAL_BACKOFF_MAX,
                    summary=summary,
                )
            )

        outcome = await self._run(
            do, part_id, summary, attempt, allowed=("retry",), refusable=refusable
        )
        assert isinstance(outcome, Done | Refused)  # nothing else is allowed
        return outcome

    async def record(
        self, do: Callable[..., Awaitable[T]], ask: Any, part_id: str, summary: str
    ) -> T:
        """A short database step whose input is in the history before it runs. Always done."""

        async def attempt() -> Outcome[T]:
            return Done(
                await results.execute(
                    do,
                    ask,
                    schedule_to_close_timeout=self._policy.give_up_after,
                    start_to_close_timeout=timeouts.DATABASE_STEP,
                    retry_policy=timeouts.DATABASE_RETRY,
                    summary=summary,
                )
            )

        outcome = await self._run(do, part_id, summary, attempt, allowed=("retry",))
        assert isinstance(outcome, Done)  # nothing else is allowed
        return outcome.result

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
        first: int = 1,
    ) -> Outcome[T]:
        """A step that talks to an outside company. `ask` makes its input for the n-th try.

        `first`: the number of the last try that an earlier run has made.

        A firm no of a `refusable` kind is the answer; any other is put before a person, and a retry
        after it is a new try. The step is abandoned where `unless` comes true while it is parked.
        An operator can choose another way only after a firm no: what became of a call without an
        answer is for the company to tell.
        """
        tries = first

        async def attempt() -> Outcome[T]:
            nonlocal tries
            try:
                result = await results.execute(
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
            return Done(result)

        return await self._run(
            do, part_id, summary, attempt, allowed=allowed, refusable=refusable, unless=unless
        )

    async def wait(
        self,
        do: Callable[..., Awaitable[T]],
        ask: Any,
        part_id: str,
        summary: str,
        *,
        within: Callable[[], timedelta],
        overdue: Callable[[], Awaitable[str | None]],
        since: datetime | None = None,
        stopped: Callable[[], bool] = lambda: False,
        cut_short: Callable[[], bool] = lambda: False,
        allowed: tuple[Action, ...] = ("retry",),
        refusable: tuple[str, ...] = (),
    ) -> Done[T] | Refused | Abandoned:
        """A step that the outside completes, under an activity id made of its name and `part_id`.

        When it takes longer than `within` says, `overdue` says why that needs a person, or None
        where it does not yet, and the wait goes on. `since`: an earlier run has begun it then. Once
        `stopped` says that nobody needs it, it is abandoned: by itself, or at once where
        `cut_short` says that it may.
        """
        step, activity_id = step_name(do, part_id), wait_id(do.__name__, part_id)

        async def once(patience: timedelta) -> T:
            handle = results.start(
                do,
                ask,
                activity_id=activity_id,
                schedule_to_close_timeout=patience,
                retry_policy=timeouts.retry_for(self._policy.give_up_after),
                summary=summary,
            )
            self._waits[activity_id] = handle
            try:
                # Cut short by us who wait, so that it has begun: an activity that is cancelled
                # before that ends as if the whole order were.
                await workflow.wait_condition(lambda: handle.done() or cut_short())
                if not handle.done():
                    handle.cancel()
                return await results.answer(do, handle)
            finally:
                del self._waits[activity_id]

        async def attempt() -> Outcome[T]:
            early = 0
            # Of a wait that an earlier run began; a person who was told needs no second look.
            before = None if step in self.attention.steps else since
            while not stopped():
                began, patience = workflow.now(), within()
                if before is not None:
                    # Where all that time is over, a report is still looked for.
                    at_least = min(patience, timeouts.DATABASE_STEP)
                    patience, before = max(before + patience - began, at_least), None
                if early >= EARLY_ENDS_MAX:
                    patience = max(patience, UNHURRIED)
                try:
                    result = await once(patience)
                except ActivityError as error:
                    if stopped():
                        break
                    if _is_told_to_run_again(error):
                        continue
                    if not isinstance(error.cause, ActivityTimeout):
                        raise
                    lasted = workflow.now() - began
                    match await overdue():
                        case str() as reason:
                            await self.attention.ask(step, reason)
                        case None if lasted < EARLY:
                            early += 1
                            if early >= EARLY_ENDS_MAX:
                                await self.attention.ask(step, f"{step} {ENDS_EARLY}")
                        case None:
                            early = 0
                else:
                    await self.attention.over(step, "it happened after all")
                    return Done(result)
            await self.attention.over(step, "no longer needed")
            return Abandoned("no longer needed")

        outcome = await self._run(
            do,
            part_id,
            summary,
            attempt,
            allowed=allowed,
            refusable=refusable,
            unless=stopped,
            since=since,
            waits=True,
        )
        assert not isinstance(outcome, ByOperator)  # the outside does it, or nobody
        return outcome

    def undo_of(self, do: Activity) -> Activity:
        """The undo of a step, as in the table."""
        step = self.table.step(do)
        assert step.undo is not None, step.because
        return step.undo

    async def undo(self, do: Activity, ask: Any, part_id: str, summary: str) -> Any:
        """Run the undo of a step, as the table says, until it is done or was done by hand.

        Answers as it does, but for None where it was done by hand.
        """
        return await self._undo(
            self.undo_of(do), ask, part_id, summary, self.table.step(do).by_hand
        )

    async def unwind(
        self, do: Activity, reached: str, ask: Any, part_id: str, *, back_to: str = ""
    ) -> None:
        """Undo a step that has come to this state, as the table says, last state first.

        `back_to`: only so far that it is in this earlier state.
        """
        for state in self.table.to_undo(do, reached, back_to):
            summary = f"Undo: {state.undo.__name__.replace('_', ' ')} {part_id}"
            await self._undo(state.undo, ask, part_id, summary, state.by_hand)

    async def _undo(
        self, undo: Activity, ask: Any, part_id: str, summary: str, by_hand: bool
    ) -> Any:
        if not by_hand:
            return await self.record(undo, ask, part_id, summary)
        # The operator's action was recorded with its note when the attention was resolved.
        outcome = await self.call(undo, lambda _: ask, part_id, summary)
        return outcome.result if isinstance(outcome, Done) else None

    async def too_early(self, do: Activity, part_id: str, stopped: Callable[[], bool]) -> None:
        """A wait has ended early again and again by what it was told: that is a fault of ours.

        A person is told, and some time passes before it begins again.
        """
        step = step_name(do, part_id)
        await self.attention.ask(step, f"{step} {ENDS_EARLY}")
        with suppress(TimeoutError):
            await workflow.wait_condition(stopped, timeout=UNHURRIED)

    async def _run(
        self,
        do: Activity,
        part_id: str,
        summary: str,
        attempt: Callable[[], Awaitable[Outcome[T]]],
        *,
        allowed: tuple[Action, ...],
        refusable: tuple[str, ...] = (),
        unless: Callable[[], bool] = lambda: False,
        since: datetime | None = None,
        waits: bool = False,
    ) -> Outcome[T]:
        self.table.check(do)
        step = OpenStep(do.__name__, part_id, summary, since or workflow.now(), waits)
        self.open.append(step)
        try:
            outcome = await self._until_decided(step.name, attempt, allowed, refusable, unless)
        finally:
            self.open.remove(step)
        self._changed()
        return outcome

    async def _until_decided(
        self,
        step: str,
        attempt: Callable[[], Awaitable[Outcome[T]]],
        allowed: tuple[Action, ...],
        refusable: tuple[str, ...],
        unless: Callable[[], bool],
    ) -> Outcome[T]:
        while True:
            self._changed()
            try:
                return await attempt()
            except STEP_FAILURES as error:
                refusal = refusal_of(error)
                if refusal is not None and refusal.kind in refusable:
                    await self.attention.over(step, f"refused: {refusal.message}")
                    return refusal
                reason = refusal.message if refusal else why(error)
                # Without a firm no, only the company can tell whether it happened.
                decided = refusal is not None
                answers = tuple(a for a in allowed if decided or a in ("retry", "cancel"))
            answer = await self.attention.answered(step, reason, answers, unless)
            if answer is None:
                return Abandoned("no longer needed")
            match answer.action:
                case "cancel":
                    return Abandoned()
                case "done" | "store_credit" as action:
                    return ByOperator(action, answer.note)


def _is_told_to_run_again(error: ActivityError) -> bool:
    """Its attempt was to be followed by another, for which there was no time, or no try, left."""
    cause = error.cause
    return isinstance(cause, ApplicationError) and cause.type == RUN_AGAIN


def step_name(do: Activity, part_id: str) -> str:
    """The name under which a step is shown, and answered."""
    return f"{do.__name__} {part_id}"
